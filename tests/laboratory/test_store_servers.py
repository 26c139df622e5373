"""What an agent was promised, read from its journal, and held against what a server has."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.agent_fakes import OTHER_URL, RUN, URL, open_journal, opening, sample
from detak_agent.run import Run
from detak_wire.messages import Stored
from lab.host import Host, NotDoneError
from lab.network import Network
from lab.store_servers import StoreServers, acknowledged


def test_promised_is_what_this_collector_says_it_holds(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, URL, OTHER_URL)
    run = Run(RUN, opening("db"))
    journal.begin_run(run.identity, run.opening, 0)
    for number in range(6):
        run.add(sample(2_000 + number * 1_000, "down" if number % 2 else "up"))
        run.tick(2_000 + number * 1_000)
        taken = run.take()
        journal.commit(taken, 0)
        run.committed(taken)
    journal.outbox.acknowledge(URL, {RUN: Stored(opened=True, mark=1, ranges=[(4, 5)])})
    assert acknowledged([tmp_path], URL) == {(RUN, 1), (RUN, 4), (RUN, 5)}
    assert acknowledged([tmp_path], OTHER_URL) == set()


def test_a_promise_that_was_not_kept_is_named(tmp_path: Path) -> None:
    network = Network("nowhere", ("a", "b"))
    servers = StoreServers(*(Host(name, network, tmp_path) for name in network.names))
    servers.nothing_lost()
    servers.lost |= {("a", 3), ("a", 2)}
    with pytest.raises(NotDoneError, match="2 acknowledged records were lost, such as number 2 of run a"):
        servers.nothing_lost()
