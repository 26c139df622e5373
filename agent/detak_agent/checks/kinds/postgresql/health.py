"""Whether a PostgreSQL server is well: pure. What it said of itself and the limits go in, an outcome comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detak_agent.checks.base import Outcome
from detak_agent.checks.kinds.operating_system.health import Finding, size
from detak_agent.checks.kinds.postgresql.kind import PostgresqlSettings
from detak_agent.checks.verdict import limit_of, over, slow, unexpected, verdict

FACTS = """
SELECT to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS started,
       pg_is_in_recovery() AS in_recovery,
       current_setting('default_transaction_read_only')::bool AS read_only,
       current_setting('max_connections')::int AS max_connections,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' OR
               (backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL AND
                pid NOT IN (SELECT pid FROM pg_stat_replication))) AS connections,
       (SELECT count(*) FROM pg_stat_wal_receiver) > 0 AS receiving,
       (GREATEST((SELECT max(latest_end_lsn) FROM pg_stat_wal_receiver), pg_last_wal_receive_lsn(),
                 pg_last_wal_replay_lsn()) - '0/0'::pg_lsn)::bigint AS received,
       (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint AS replayed,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS replayed_age_s,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS paused
"""
"""What is asked of every server. Whom the server does not trust sees only that another's connection is there."""

_MOST_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Facts:
    """The answer. Positions in the write-ahead log are in bytes; `received` is the primary's end as far as known."""

    started: str
    in_recovery: bool
    read_only: bool
    max_connections: int
    connections: int
    receiving: bool
    received: int | None
    replayed: int | None
    replayed_age_s: float | None
    paused: bool

    @property
    def behind_bytes(self) -> int:
        """Received and not yet replayed."""
        return max((self.received or 0) - (self.replayed or 0), 0)


class Backlog:
    """How long a replica has lacked something, told by what earlier samples knew of its primary.

    The age of the last replayed transaction alone would call a replica late whose primary has nothing to do.
    """

    def __init__(self) -> None:
        self._known: list[tuple[float, int]] = []
        """When a sample was taken, and the end of the primary's log as it was known then."""

    def lag_s(self, now_s: float, facts: Facts) -> float | None:
        """Seconds; None where nothing can be said yet. `now_s` is monotonic."""
        received, replayed = facts.received, facts.replayed or 0
        if facts.receiving and received is not None:
            self._remember(now_s, received)
        reached = [index for index, (_, end) in enumerate(self._known) if end <= replayed]
        del self._known[: reached[-1] if reached else 0]
        bounds = [now_s - self._known[0][0]] if reached else []
        if facts.replayed_age_s is not None:
            bounds.append(max(facts.replayed_age_s, 0.0))
        if not bounds and self._known:
            # It has replayed nothing since its start, and was behind when it was first looked at.
            return now_s - self._known[0][0]
        return min(bounds, default=None)

    def _remember(self, now_s: float, end: int) -> None:
        self._known.append((now_s, end))
        if len(self._known) > _MOST_REMEMBERED:
            self._known = self._known[::2]


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample: the facts, the lag of a replica, and the first value of the query's first row."""

    facts: Facts
    lag_s: float | None
    latency_ms: float
    rows: int = 0
    value: str | None = None


def judge(answer: Answer, settings: PostgresqlSettings) -> Outcome:
    """The worst finding decides."""
    return verdict(_findings(answer, settings), _well(answer), {"postmaster_start": answer.facts.started}, _all(answer))


def _findings(answer: Answer, settings: PostgresqlSettings) -> Iterator[Finding]:
    facts = answer.facts
    yield from _of_role(facts, settings)
    if facts.in_recovery:
        yield from _of_replica(answer, settings)
    yield from unexpected(answer.rows, answer.value, settings.expect)
    words = f"{{}} % of the connections in use, {facts.connections} of {facts.max_connections}"
    yield from over(words, _share(facts), limit_of(settings, "connections_{}_percent"), " %")
    yield from slow(answer.latency_ms, settings.slow_ms)


def _of_role(facts: Facts, settings: PostgresqlSettings) -> Iterator[Finding]:
    if settings.role == "primary" and facts.in_recovery:
        yield Finding("down", "it is a replica (in recovery) and should be the primary")
    elif settings.role == "replica" and not facts.in_recovery:
        yield Finding("down", "it is a primary and should be a replica")
    elif settings.writable and facts.in_recovery:
        yield Finding("down", "it takes no writes: it is a replica (in recovery)")
    elif settings.writable and facts.read_only:
        yield Finding("down", "it takes no writes: default_transaction_read_only is on")


def _of_replica(answer: Answer, settings: PostgresqlSettings) -> Iterator[Finding]:
    facts = answer.facts
    if settings.streaming and not facts.receiving:
        yield Finding("degraded", "replication has stopped: nothing comes from its primary (see the server's log)")
    late = [*over("replication {} s behind", answer.lag_s, limit_of(settings, "lag_{}_s"), " s")]
    late += _behind_bytes(facts, settings)
    if late and facts.paused:
        late.append(Finding("degraded", "replay is paused, SELECT pg_wal_replay_resume() lets it go on"))
    yield from late


def _behind_bytes(facts: Facts, settings: PostgresqlSettings) -> Iterator[Finding]:
    limit = limit_of(settings, "lag_{}_bytes")
    for finding in over("", facts.behind_bytes, limit, ""):
        most = size(int((limit.down if finding.state == "down" else limit.degraded) or 0))
        yield Finding(finding.state, f"replication {size(facts.behind_bytes)} behind (limit {most})")


def _well(answer: Answer) -> str:
    facts = answer.facts
    parts = [f"replica{_behind(answer)}" if facts.in_recovery else "primary"]
    parts.append(f"{facts.connections} of {facts.max_connections} connections")
    return f"{', '.join(parts)}, answered in {answer.latency_ms:.0f} ms"


def _behind(answer: Answer) -> str:
    if answer.lag_s is None:
        return ""
    return f" {answer.lag_s:.1f} s behind" if answer.lag_s else " in step with its primary"


def _share(facts: Facts) -> float:
    return 100 * facts.connections / facts.max_connections


def _all(answer: Answer) -> dict[str, float]:
    values = {"latency_ms": answer.latency_ms, "connections_percent": _share(answer.facts)}
    if answer.facts.in_recovery:
        values["behind_bytes"] = float(answer.facts.behind_bytes)
        if answer.lag_s is not None:
            values["lag_s"] = answer.lag_s
    return values
