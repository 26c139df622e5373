"""Two collectors that share a PostgreSQL database behind HAProxy: killed, stopped, and cut off from it. No fakes."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from installation import process_check, service_of, sleeper, until
from shared_installation import Estate, estate

from peers.store_server import StoreServer, store_server

pytestmark = [pytest.mark.system, pytest.mark.peers("pg_ctlcluster", "setpriv", "haproxy")]

TAKEN_OVER_WITHIN_S = 10.0
NODES = ("app-1", "app-2")
MEMBERS = [f"{node}/app" for node in NODES]

HEARD = (
    "SELECT max(heard_utc) FROM reach JOIN run ON run.sequence = reach.run JOIN node ON node.id = run.node "
    "WHERE node.name = 'app-1'"
)

_numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[StoreServer]:
    with store_server() as running:
        yield running


@pytest.fixture
def shared(tmp_path: Path, server: StoreServer) -> Iterator[Estate]:
    with estate(
        tmp_path, server, f"shared_{os.getpid()}_{next(_numbers)}", service_of(*MEMBERS, rule="any_down")
    ) as made:
        yield made


@dataclass
class Watched:
    """The estate with an agent on each node, each of which watches a process."""

    estate: Estate
    processes: dict[str, subprocess.Popen[bytes]]

    def is_up(self) -> bool:
        return all(one.condition() == "up" for one in self.estate.collectors if one.answers() == 200)

    def unobserved_ms(self) -> int:
        """Of the last hour; what lies before the agents began leaves it with time."""
        return int(self.estate.collectors[0].report()["unobserved_ms"])


@pytest.fixture
def watched(shared: Estate, tmp_path: Path) -> Iterator[Watched]:
    first, made = shared.collectors[0], Watched(shared, {node: sleeper() for node in NODES})
    try:
        for node, process in made.processes.items():
            pid_file = tmp_path / f"{node}.pid"
            pid_file.write_text(str(process.pid))
            first.add_agent(node, process_check(pid_file))
        until("all is up", made.is_up)
        yield made
    finally:
        for process in made.processes.values():
            process.kill()
            process.wait()


def test_agents_are_heard_whichever_collector_takes_a_beat(watched: Watched) -> None:
    shared = watched.estate
    time.sleep(5)
    assert shared.query("SELECT count(*) FROM conflict") == [(0,)]
    # A busy machine holds a beat up now and then; were each collector deaf to what the other heard, every one would be.
    ((silences,),) = shared.query("SELECT count(*)::int FROM unheard WHERE from_utc IS NOT NULL")
    assert int(str(silences)) <= 2
    assert shared.query("SELECT count(*) FROM watch WHERE ended IS NULL") == [(2,)]
    for one in shared.collectors:
        assert "not heard" not in one.log("collector")
        assert "two agents" not in one.log("collector")
    process = watched.processes["app-1"]
    process.kill()
    process.wait()
    for one in shared.collectors:
        until("it is down", lambda one=one: one.page_says("down"))  # type: ignore[misc]


def test_a_revoked_key_is_void_at_every_collector(watched: Watched) -> None:
    shared = watched.estate
    shared.collectors[0].collector_says("revoke", "app-1")
    refused = "unknown or revoked key"
    until("its agent is refused", lambda: refused in shared.collectors[0].log("app-1"))
    time.sleep(2)
    heard = shared.query(HEARD)
    time.sleep(3)
    assert shared.query(HEARD) == heard


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_another_collector_takes_the_duty_over_within_ten_seconds(watched: Watched, how: signal.Signals) -> None:
    shared = watched.estate
    unobserved, holder = watched.unobserved_ms(), shared.holder()
    other = shared.other(holder)
    holder.signal("collector", how)
    begin = time.monotonic()
    until("the other has the duty", lambda: shared.on_duty() == other.pid)
    took_s = time.monotonic() - begin
    print(f"\ntaken over after {took_s:.1f} s")
    assert took_s < TAKEN_OVER_WITHIN_S
    until("it says so", lambda: "does the common work now" in other.log("collector"))
    if how is signal.SIGKILL:
        holder.start_collector()
    else:
        holder.signal("collector", signal.SIGCONT)
    until("both serve", lambda: [one.answers() for one in shared.collectors] == [200, 200])
    until("all is up", watched.is_up)
    time.sleep(3)
    assert shared.on_duty() == other.pid
    assert watched.unobserved_ms() <= unobserved
    assert watched.estate.query("SELECT count(*) FROM conflict") == [(0,)]


def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(watched: Watched, server: StoreServer) -> None:
    shared = watched.estate
    unobserved, pids = watched.unobserved_ms(), [one.pid for one in shared.collectors]
    with server.postgres.stopped():
        until("both say so", lambda: [one.answers() for one in shared.collectors] == [503, 503])
        time.sleep(4)
    until("both are there again", lambda: [one.answers() for one in shared.collectors] == [200, 200])
    until("all is up", watched.is_up)
    time.sleep(3)
    assert [one.processes["collector"].poll() for one in shared.collectors] == [None, None]
    assert [one.pid for one in shared.collectors] == pids
    assert watched.unobserved_ms() <= unobserved
    assert shared.query("SELECT count(*) FROM conflict") == [(0,)]
