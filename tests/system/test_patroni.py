"""Two collectors behind HAProxy on a Patroni cluster that is killed under load, and made to lie. No fakes."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from installation import service_of, until
from serving_collector import Client
from shared_installation import BY_KEY, Estate, estate
from test_killed_collector import RECORDS, Agent

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.commands.session import Session
from detak_wire.codec import decode
from detak_wire.messages import Answer
from evidence_builders import beat
from peers.patroni_cluster import FAILED_OVER_WITHIN_S, Cluster, ClusterNode, patroni_cluster

pytestmark = [
    pytest.mark.system,
    pytest.mark.peers("pg_ctlcluster", "setpriv", "haproxy", "patroni", "etcd"),
    pytest.mark.skipif(os.environ.get("DETAK_NIGHTLY") != "1", reason="its failovers take minutes, at night only"),
]

NODES = tuple(f"db-{number:02}" for number in range(1, 7))
PAUSE_S = 0.05
TRY_AGAIN_S = 0.3
MANY = 60
"""So many beats are a load that goes on."""

_numbers = count()


class Lasting(Agent):
    """As agents are: what is not acknowledged is sent again, whatever the answer was."""

    def run_until(self, ended: threading.Event, url: str) -> None:
        while not ended.is_set() and not self.wrong:
            with closing(Client(url, self._key)) as client:
                try:
                    self._speak(client, ended)
                except (OSError, http.client.HTTPException):
                    ended.wait(TRY_AGAIN_S)

    def _speak(self, client: Client, ended: threading.Event) -> None:
        while not ended.is_set() and not self.wrong:
            status, body = client.post(beat(self._part(), sent=self._now(), node=self._node))
            if status == 200:
                self._note(decode(body, Answer))
            elif status not in {429, 502, 503, 504}:
                self.wrong.append(f"{status}: {body!r}")
            ended.wait(PAUSE_S if status == 200 else TRY_AGAIN_S)


@dataclass
class Load:
    """Nodes that speak all the time."""

    estate: Estate
    agents: dict[str, Lasting]
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def acknowledged(self) -> int:
        return sum(len(agent.acknowledged) for agent in self.agents.values())

    def goes_on(self, within_s: float = FAILED_OVER_WITHIN_S) -> None:
        """Waits until every node was acknowledged again, and many times."""
        before = {node: len(agent.acknowledged) for node, agent in self.agents.items()}

        def every() -> bool:
            return bool(self.wrong()) or all(
                len(agent.acknowledged) >= before[node] + MANY // len(NODES) * (RECORDS + 1)
                for node, agent in self.agents.items()
            )

        until("all nodes are acknowledged again", every, patience_s=within_s)
        assert not self.wrong()

    def wrong(self) -> list[str]:
        return [fault for agent in self.agents.values() for fault in agent.wrong]

    def is_whole(self) -> None:
        """Everything acknowledged is there, nothing twice, and nothing contradicts anything."""
        assert not self.wrong()
        for node, agent in self.agents.items():
            numbers = held(self.estate, node)
            assert len(numbers) == len(set(numbers))
            assert agent.acknowledged <= set(numbers)
            # One more beat may be there: its answer was lost.
            assert len(numbers) - len(agent.acknowledged) in {0, RECORDS + 1}
        assert self.estate.query("SELECT count(*)::int FROM conflict") == [(0,)]


def held(shared: Estate, node: str) -> list[int]:
    rows = shared.query(
        "SELECT number FROM (SELECT run, number FROM span UNION ALL SELECT run, number FROM exchange) AS record "
        "JOIN run ON run.sequence = record.run JOIN node ON node.id = run.node "
        f"WHERE node.name = '{node}' ORDER BY number"
    )
    return [int(str(number)) for (number,) in rows]


@contextmanager
def load(shared: Estate) -> Iterator[Load]:
    """Ends with every node at rest."""
    session = Session.begin(shared.collectors[0].folder / "collector.toml", debug=False)
    with session.store(session.config()) as store:
        now = session.clock()
        tokens = {node: issue_token(store.registry, node, 60_000, now) for node in NODES}
        keys = {node: redeem(store.registry, node, token, now)[1] for node, token in tokens.items()}
    made = Load(shared, {node: Lasting(node, key) for node, key in keys.items()})
    url = shared.collectors[0].url
    threads = [threading.Thread(target=agent.run_until, args=(made.ended, url)) for agent in made.agents.values()]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with patroni_cluster() as running:
        yield running


@pytest.fixture
def shared(tmp_path: Path, cluster: Cluster) -> Iterator[Estate]:
    name = f"shared_{os.getpid()}_{next(_numbers)}"
    with estate(tmp_path, cluster, name, service_of("db-01/alive"), BY_KEY) as made:
        yield made


def took(begun: float, what: str) -> None:
    print(f"\n{what} after {time.monotonic() - begun:.1f} s")


def serve_again(shared: Estate) -> Callable[[], bool]:
    return lambda: [one.answers() for one in shared.collectors] == [200, 200]


def test_no_acknowledged_span_is_missing_whichever_primary_is_killed(shared: Estate, cluster: Cluster) -> None:
    pids = [one.pid for one in shared.collectors]
    with load(shared) as nodes:
        nodes.goes_on()
        for _ in range(2):
            primary = cluster.until_synchronous()
            nodes.goes_on()
            begun = time.monotonic()
            primary.kill()
            until("the other is primary", cluster.other(primary).takes_writes, FAILED_OVER_WITHIN_S)
            took(begun, "promoted")
            nodes.goes_on()
            took(begun, "all nodes are acknowledged")
            primary.patroni.start()
            cluster.until_synchronous()
            took(begun, "the old one is its standby")
            nodes.goes_on()
    nodes.is_whole()
    assert timeline(cluster.leader()) >= 3
    until("both serve", serve_again(shared))
    assert [one.pid for one in shared.collectors] == pids
    # What is acknowledged is on the other server too, by itself.
    cluster.leader().kill()
    until("the other is primary", lambda: cluster.leader() is not None, FAILED_OVER_WITHIN_S)
    nodes.is_whole()


def timeline(node: ClusterNode) -> int:
    return int(str(node.value("SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int")))


def test_a_primary_that_does_not_know_that_it_was_replaced_is_left_for_the_new_one(
    shared: Estate, cluster: Cluster
) -> None:
    with load(shared) as nodes:
        nodes.goes_on()
        replaced = cluster.until_synchronous()
        begun = time.monotonic()
        replaced.kill_patroni()
        until("the other is primary", cluster.other(replaced).takes_writes, FAILED_OVER_WITHIN_S)
        took(begun, "promoted")
        assert replaced.takes_writes()
        nodes.goes_on()
        took(begun, "all nodes are acknowledged")
        until("both serve", serve_again(shared), FAILED_OVER_WITHIN_S)
        replaced.kill_server()
        replaced.patroni.start()
        cluster.until_synchronous()
        nodes.goes_on()
    nodes.is_whole()


def test_a_strict_primary_without_its_standby_acknowledges_nothing_until_it_is_back(
    shared: Estate, cluster: Cluster
) -> None:
    cluster.be_strict(True)
    with load(shared) as nodes:
        nodes.goes_on()
        standby = cluster.other(cluster.until_synchronous())
        standby.kill()
        until("both say so", lambda: [one.answers() for one in shared.collectors] == [503, 503], 60)
        alone = nodes.acknowledged
        time.sleep(30)
        assert nodes.acknowledged == alone
        standby.patroni.start()
        nodes.goes_on()
        until("both serve", serve_again(shared), FAILED_OVER_WITHIN_S)
    nodes.is_whole()


def test_a_primary_that_goes_on_alone_is_told_of_until_its_standby_is_back(shared: Estate, cluster: Cluster) -> None:
    first = shared.collectors[0]
    with load(shared) as nodes:
        nodes.goes_on()
        standby = cluster.other(cluster.until_synchronous())
        standby.kill()
        until("it is alone", lambda: first.page_says("on one server only"), FAILED_OVER_WITHIN_S)
        assert "no synchronous standby" in first.collector_says("doctor")
        nodes.goes_on()
        standby.patroni.start()
        cluster.until_synchronous()
        until("it is told no more", lambda: not first.page_says("on one server only"), FAILED_OVER_WITHIN_S)
    nodes.is_whole()
