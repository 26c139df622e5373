from dataclasses import replace
from typing import Any

import pytest

from agent.checks.check_stage import ask, problems_of, serve, settings_of
from agent.checks.database_stand_ins import cancelled_before_an_answer, closing, endless, silent, web
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.postgresql.health import Answer, Backlog, Facts, judge
from detak_agent.checks.kinds.postgresql.kind import PostgresqlSettings
from detak_agent.checks.kinds.postgresql.words import broken, plain, refused
from detak_agent.checks.registry import REGISTRY

PRIMARY = Facts(
    started="2026-11-24T01:02:03.000004Z",
    in_recovery=False,
    read_only=False,
    max_connections=100,
    connections=10,
    receiving=False,
    received=None,
    replayed=None,
    replayed_age_s=None,
    paused=False,
)
REPLICA = replace(PRIMARY, in_recovery=True, receiving=True, received=1_000, replayed=1_000, replayed_age_s=3_600.0)
FATAL = 'connection failed: connection to server at "10.0.0.5", port 5432 failed: FATAL:  '


def judged(facts: Facts, lag_s: float | None = None, **keys: Any) -> Outcome:
    settings = settings_of("postgresql", host="10.0.0.5", **keys)
    assert isinstance(settings, PostgresqlSettings)
    return judge(Answer(facts, lag_s, 5.0), settings)


def meaning(text: str) -> tuple[str, str]:
    """How a refusal is shown: state and message."""
    try:
        outcome = refused(text, "db:5432", "detak")
    except CouldNotCheckError as error:
        return "unknown", str(error)
    return outcome.state, outcome.message


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("postgresql", host="[::1]", password="a", password_file="b", sslmode="verify-full") == [
        ("host", "must be a host name or an address without port, brackets or spaces, or an absolute path"),
        ("password_file", "may not stand beside password: which of them counts?"),
        ("ca_file", "is needed by sslmode = 'verify-full': authorities in PEM form"),
    ]
    assert problems_of("postgresql", host="/run/postgresql", sslmode="require", role="replica", writable=True) == [
        ("sslmode", "has no effect on a local socket"),
        ("writable", "can never be true of a replica"),
    ]
    assert problems_of("postgresql", host="db", ca_file="/a.pem", expect="1", slow_ms=4_000) == [
        ("ca_file", "has an effect with sslmode = 'verify-ca' or 'verify-full' only"),
        ("expect", "has no effect without query"),
        ("slow_ms", "must be less than timeout_ms, which makes the check down"),
    ]
    limits = {"lag_degraded_s": 5, "lag_down_s": 4, "lag_degraded_bytes": 2, "lag_down_bytes": 1}
    assert problems_of("postgresql", host="db", query="SELECT 1", expect="(", **limits) == [
        ("expect", "is no regular expression: missing ), unterminated subpattern at position 0"),
        ("lag_down_s", "must not be less than lag_degraded_s"),
        ("lag_down_bytes", "must not be less than lag_degraded_bytes"),
    ]


def test_a_local_socket_is_local_and_an_address_of_another_machine_is_not() -> None:
    def remote(**keys: Any) -> bool:
        return REGISTRY["postgresql"].remote(settings_of("postgresql", **keys))

    assert not remote(host="/run/postgresql")
    assert not remote(host="127.0.0.1")
    assert remote(host="192.0.2.1")
    assert remote(host="127.0.0.1", remote=True)


def test_what_shuts_out_users_is_down_and_what_shuts_out_the_check_is_unknown() -> None:
    assert meaning(FATAL + "the database system is starting up\n") == (
        "down",
        "db:5432 refuses connections: the database system is starting up",
    )
    assert meaning(FATAL + "sorry, too many clients already")[0] == "down"
    assert meaning(FATAL + 'database "tax" does not exist')[0] == "down"
    assert meaning(FATAL + 'too many connections for role "detak"')[0] == "unknown"
    assert meaning(FATAL + 'role "detak" does not exist') == (
        "unknown",
        "the server has no user detak: CREATE ROLE detak LOGIN",
    )
    entry = 'no pg_hba.conf entry for host "10.0.0.9", user "detak", database "postgres", no encryption'
    assert meaning(FATAL + entry) == (
        "unknown",
        f"pg_hba.conf of the server has no line that lets user detak in: {entry}",
    )
    assert meaning(FATAL + 'Peer authentication failed for user "detak"')[0] == "unknown"


def test_of_two_attempts_the_last_words_are_shown_with_their_details() -> None:
    two = f"{FATAL}first\n" + FATAL.removeprefix("connection failed: ") + "second\nDETAIL:  more\n"
    assert plain(two) == "second (more)"
    assert plain("") == ""


def test_an_error_after_the_user_was_let_in_has_its_code() -> None:
    assert broken("57P01", "terminating connection\ndue to administrator command", "detak").message == (
        "the server answered with an error: terminating connection due to administrator command"
    )
    assert broken("57014", "canceling statement due to statement timeout", "detak").state == "down"
    with pytest.raises(CouldNotCheckError, match="PostgreSQL 10 or newer"):
        broken("42883", "function pg_last_wal_receive_lsn() does not exist", "detak")


def test_all_that_is_wrong_is_named_and_the_worst_decides() -> None:
    outcome = judged(replace(PRIMARY, connections=95), role="replica", slow_ms=4)
    assert outcome.state == "down"
    assert outcome.message == (
        "it is a primary and should be a replica; 95.0 % of the connections in use, 95 of 100 (limit 90 %); "
        "slow: the sample took 5 ms (limit 4 ms)"
    )


def test_connections_can_be_down_or_never_matter() -> None:
    full = replace(PRIMARY, connections=99)
    assert judged(full, connections_down_percent=99).state == "down"
    assert judged(full, connections_down_percent=99.1).state == "degraded"
    assert judged(full, connections_degraded_percent=None).state == "up"


def test_a_replica_is_judged_by_seconds_and_by_bytes() -> None:
    behind = replace(REPLICA, replayed=0)
    assert judged(behind, 2.0).message == "replica 2.0 s behind, 10 of 100 connections, answered in 5 ms"
    assert judged(behind, 2.0, lag_degraded_s=2).state == "degraded"
    assert judged(behind, 2.0, lag_down_s=2).state == "down"
    assert judged(behind, 2.0, lag_degraded_bytes=1_000).state == "degraded"
    assert judged(behind, 2.0, lag_degraded_bytes=1_001, lag_degraded_s=3).state == "up"
    assert judged(behind, None, lag_degraded_s=1, lag_down_s=1).state == "up"


def test_a_replica_in_step_has_no_lag_whatever_the_age_of_its_last_transaction() -> None:
    assert Backlog().lag_s(100.0, REPLICA) == 0


def test_what_was_received_a_moment_ago_is_no_hour_late() -> None:
    backlog = Backlog()
    backlog.lag_s(100.0, REPLICA)
    arrived = replace(REPLICA, received=2_000)
    assert backlog.lag_s(105.0, arrived) == 5
    assert backlog.lag_s(110.0, replace(arrived, received=3_000)) == 10


def test_a_busy_replica_is_as_late_as_the_newest_position_it_has_passed() -> None:
    backlog = Backlog()
    for second in range(20):
        at = second * 100
        lag_s = backlog.lag_s(float(second), replace(REPLICA, received=1_400 + at, replayed=1_000 + at))
    assert lag_s == 4


def test_a_replica_that_was_late_when_it_was_first_seen_has_the_age_of_its_last_transaction() -> None:
    assert Backlog().lag_s(100.0, replace(REPLICA, received=2_000)) == 3_600


def test_a_replica_that_has_replayed_nothing_since_its_start_is_late_since_it_was_seen() -> None:
    backlog, stuck = Backlog(), replace(REPLICA, received=2_000, replayed_age_s=None)
    assert [backlog.lag_s(100.0 + seconds, stuck) for seconds in (0, 60)] == [0, 60]


def test_a_replica_whose_primary_is_gone_was_in_step_when_it_last_was() -> None:
    backlog = Backlog()
    backlog.lag_s(100.0, REPLICA)
    assert backlog.lag_s(160.0, replace(REPLICA, receiving=False)) == 60
    assert Backlog().lag_s(160.0, replace(REPLICA, receiving=False)) == 3_600
    assert Backlog().lag_s(160.0, replace(REPLICA, receiving=False, replayed_age_s=None)) is None


def test_a_clock_that_runs_ahead_on_the_primary_makes_no_negative_lag() -> None:
    assert Backlog().lag_s(0.0, replace(REPLICA, received=2_000, replayed_age_s=-3.0)) == 0


def test_a_replica_that_lags_for_days_takes_no_more_memory_and_keeps_its_lag() -> None:
    backlog = Backlog()
    backlog.lag_s(0.0, REPLICA)
    for second in range(1, 1_000):
        lag_s = backlog.lag_s(float(second), replace(REPLICA, received=1_000 + second))
    assert lag_s == 999
    assert len(backlog._known) <= 64


@pytest.mark.asyncio
async def test_a_port_where_something_else_listens_is_down() -> None:
    probe: dict[str, Any] = {"host": "127.0.0.1", "sslmode": "disable"}
    async with serve(web) as port:
        other = await ask("postgresql", **probe, port=port)
        tls = await ask("postgresql", **{**probe, "sslmode": "require"}, port=port)
    async with serve(closing) as port_that_closes:
        gone = await ask("postgresql", **probe, port=port_that_closes)
    assert (other.state, other.message) == ("down", f"127.0.0.1:{port} does not speak PostgreSQL's protocol")
    assert (tls.state, tls.message) == ("down", f"127.0.0.1:{port} does not speak PostgreSQL's protocol")
    closed = f"127.0.0.1:{port_that_closes} closed the connection without an answer"
    assert (gone.state, gone.message) == ("down", closed)


@pytest.mark.asyncio
@pytest.mark.parametrize("handler", [silent, endless])
async def test_a_port_that_never_comes_to_an_answer_is_down(handler: Any) -> None:
    async with serve(handler) as port:
        outcome = await ask("postgresql", 1_000, host="127.0.0.1", port=port, sslmode="disable")
    assert outcome.state == "down"


@pytest.mark.asyncio
async def test_a_name_that_does_not_resolve_is_an_error_of_the_target() -> None:
    with pytest.raises(OSError, match=r"the name nowhere\.invalid does not resolve"):
        await ask("postgresql", host="nowhere.invalid")


@pytest.mark.asyncio
async def test_a_sample_that_is_cancelled_leaves_nothing_to_warn_about() -> None:
    assert (await cancelled_before_an_answer("postgresql")).cancelled()
