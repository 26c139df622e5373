"""What two stores of a pair learn from each other: all that agents do not bring, once, and to the same facts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from random import Random

import pytest

from contracts.kinds import OpenStore
from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Reading
from detak_collector.downtime.facts import Facts, Span
from detak_collector.downtime.history import Published
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.numbering import FOREVER, Found
from detak_collector.pair.client import Client
from detak_collector.pair.fetching import Fetching
from detak_collector.pair.messages import PAIR_PROTOCOL, Ask, Marks, Records, Wanted
from detak_collector.pair.promotion import NUMBERS_APART, promote
from detak_collector.store.base import Arrival
from detak_collector.store.holdings import last_change, records_of
from detak_collector.store.learning import Learned, learn, mark_records
from detak_collector.store.parts import Store
from detak_collector.store.peers import Peer
from detak_collector.store.telling import answer, stale_runs
from detak_wire.codec import decode, encode
from detak_wire.messages import Part
from evidence_builders import (
    NODE,
    RUN,
    START_UTC,
    beat,
    exchange,
    first_beat,
    gap,
    later_beat,
    opening,
    reading,
    span,
)  # fmt: skip
from late_delivery import DAY, NODES, SEASON, deliveries

NOW = reading(SEASON + 40 * DAY)
ALL = (0, FOREVER)


@pytest.fixture
def two(new_store: Callable[[], OpenStore]) -> Iterator[tuple[Store, Store]]:
    with closing(new_store()()) as dc, closing(new_store()()) as drc:
        for one, other in ((dc, drc), (drc, dc)):
            one.instance.read()
            one.peers.put(Peer(other.collector, "http://127.0.0.1:1", "secret"), other.collector.encode(), 0)
        yield dc, drc


def enrol(store: Store, node: str) -> None:
    store.registry.issue(node, node.encode(), START_UTC + DAY, reading(0))
    store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))


class Direct(Client):
    """Asks a store without a network between."""

    def __init__(self, teller: Store) -> None:
        super().__init__("http://127.0.0.1:1", "", None)
        self._teller = teller

    async def records(self, wanted: Wanted) -> Records:
        with self._teller.database.reading() as connection:
            return decode(encode(Records(records_of(connection, wanted.runs))), Records)


def follow(
    asker: Store, teller: Store, *, asker_leads: bool = False, both_lead: bool = False, now: Reading = NOW
) -> Learned:
    """One look of `asker`, with all that comes of it."""
    peer = asker.peers.peer()
    assert peer is not None
    own_epoch = asker.instance.read().epoch
    marks, epoch = peer.marks, teller.instance.read().epoch
    if (marks.own_epoch, marks.epoch) != (own_epoch, epoch):
        marks = Marks(epoch, own_epoch)
    with asker.database.reading() as here, teller.database.reading() as there:
        stale = stale_runs(here, now)
        ask = Ask(PAIR_PROTOCOL, asker.collector, asker_leads, "", marks, last_change(there), stale)
        told = answer(there, ask, now, leads=both_lead or not asker_leads, services="")
    with asker.database.writing() as connection:
        learned = learn(connection, told, own_epoch, leads=asker_leads)
    with ThreadPoolExecutor(1) as thread:
        asyncio.run(Fetching(asker, thread, lambda: now, Pulse()).fetch(Direct(teller), told))
    with asker.database.writing() as connection:
        mark_records(connection, told, own_epoch)
    return learned


def facts(store: Store, now: Reading = NOW) -> Facts:
    return store.evidence.facts(START_UTC, START_UTC + SEASON, now)


def published(year: int, percent: str) -> Published:
    return Published(0, year, Fraction(percent), None, "ND-1", "", "ani", START_UTC)


def test_entries_come_over_once_and_in_order(two: tuple[Store, Store]) -> None:
    dc, drc = two
    for year in (2021, 2022, 2023):
        dc.history.add(published(year, "0.5"))
    assert follow(drc, dc).entries == 3
    dc.history.add(published(2022, "0.6"))
    assert follow(drc, dc).entries == 1
    assert follow(drc, dc).entries == 0
    assert drc.history.entries() == dc.history.entries()
    assert follow(dc, drc, asker_leads=True).entries == 0


def test_what_both_entered_while_apart_reads_the_same_at_both(two: tuple[Store, Store]) -> None:
    dc, drc = two
    dc.history.add(published(2022, "0.5"))
    drc.history.add(published(2022, "0.7"))
    follow(drc, dc)
    follow(dc, drc, asker_leads=True)
    assert dc.history.entries() == drc.history.entries()
    assert len(dc.history.entries()) == 2


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_store_that_heard_a_part_gets_all_evidence_and_tells_the_same_facts(
    two: tuple[Store, Store], share: float
) -> None:
    dc, drc = two
    random = Random(7)
    messages = deliveries(random)
    openings = [one for one in messages if one.evidence.parts[0].opening]
    for store, told in ((dc, messages), (drc, [*openings, *(one for one in messages if random.random() < share)])):
        if store is drc and not share:
            break
        for node in NODES:
            enrol(store, node)
        for at in range(0, len(told), 100):
            store.evidence.commit(told[at : at + 100])
    while follow(drc, dc).entries or _differ(dc, drc):
        pass
    follow(dc, drc, asker_leads=True)
    assert {name: node.runs for name, node in facts(drc).nodes.items()} == {
        name: node.runs for name, node in facts(dc).nodes.items()
    }
    assert [row.enrolled for row in drc.registry.listing(NOW)] == [share > 0] * 2


def _differ(dc: Store, drc: Store) -> bool:
    """Whether there is more to follow; each look brings some, so that it ends."""
    known = facts(drc).nodes
    return any(known.get(name) is None or known[name].runs != node.runs for name, node in facts(dc).nodes.items())


def heard(store: Store, tick: int) -> None:
    evidence = later_beat(tick) if tick else first_beat()
    (outcome,) = store.evidence.commit([Arrival(NODE, evidence, reading(3_000 + 1_000 * tick))])
    assert not isinstance(outcome, Exception), outcome


def test_neither_says_that_a_node_was_silent_which_the_other_one_heard(two: tuple[Store, Store]) -> None:
    dc, drc = two
    for store in two:
        enrol(store, NODE)
        heard(store, 0)
    for tick in range(1, 200):
        heard(dc if tick < 60 or tick > 120 else drc, tick)
    for store in two:
        heard(store, 200)
    now = reading(203_500)
    alone = [facts(store, now).silences(NODE).total for store in two]
    assert min(alone) > 50_000
    follow(drc, dc, now=now)
    follow(dc, drc, asker_leads=True, now=now)
    assert [facts(store, now).silences(NODE).total for store in two] == [0, 0]
    assert {facts(store, now).nodes[NODE].heard_utc for store in two} == {now.utc}


def test_of_a_node_that_fell_silent_for_good_both_know_when_either_heard_it_last(two: tuple[Store, Store]) -> None:
    dc, drc = two
    for store in two:
        enrol(store, NODE)
        heard(store, 0)
    for tick in range(1, 40):
        heard(dc, tick)
    now = reading(500_000)
    for _ in range(2):
        follow(drc, dc, now=now)
        follow(dc, drc, asker_leads=True, now=now)
    told = [facts(store, now) for store in two]
    assert dict(told[0].unheard) == dict(told[1].unheard) == {NODE: told[0].unheard[NODE]}
    assert list(told[1].unheard[NODE]) == [(START_UTC + 42_000, START_UTC + 500_000)]
    assert {one.nodes[NODE].heard_utc for one in told} == {START_UTC + 42_000}
    assert told[0].nodes[NODE].runs == told[1].nodes[NODE].runs


def test_of_a_node_that_reaches_only_one_of_them_both_say_the_same(two: tuple[Store, Store]) -> None:
    dc, drc = two
    enrol(dc, NODE)
    for tick in (0, 1, 2, 90, 91):
        heard(dc, tick)
    now = reading(95_000)
    follow(drc, dc, now=now)
    follow(dc, drc, asker_leads=True, now=now)
    told = [facts(store, now) for store in two]
    assert told[0].silences(NODE) == told[1].silences(NODE)
    assert list(told[1].silences(NODE)) == [(START_UTC + 5_000, START_UTC + 93_000)]
    assert told[0].nodes[NODE].runs == told[1].nodes[NODE].runs


def test_time_in_which_either_was_there_was_watched(two: tuple[Store, Store]) -> None:
    dc, drc = two
    for store, begin, end in ((dc, 0, 50_000), (drc, 40_000, 90_000)):
        row = store.watch.begin(reading(begin))
        store.watch.extend(row, reading(end))
        store.watch.end(row, "stop")
    follow(drc, dc)
    follow(dc, drc, asker_leads=True)
    assert list(facts(dc).watched) == list(facts(drc).watched) == [(START_UTC, START_UTC + 90_000)]


def test_who_follows_takes_the_numbers_of_who_leads_and_never_the_other_way_round(two: tuple[Store, Store]) -> None:
    dc, drc = two
    outages = [Found("s", 10, 20), Found("s", 30, 40)]
    assert dc.outages.number(outages, ALL, reading(0)) == (1, 2)
    assert follow(drc, dc).outages == 2
    assert drc.outages.recall(outages, ALL) == (1, 2)
    dc.outages.number([Found("s", 10, 40)], ALL, reading(0))
    follow(drc, dc)
    assert drc.outages.merged() == {2: 1}
    assert follow(dc, drc, asker_leads=True).outages == 0


def test_who_is_promoted_gives_no_number_that_the_other_one_may_have_given_meanwhile(two: tuple[Store, Store]) -> None:
    dc, drc = two
    dc.outages.number([Found("s", 10, 20)], ALL, reading(0))
    follow(drc, dc)
    dc.outages.number([Found("s", 10, 20), Found("s", 30, 40)], ALL, reading(0))
    promote(drc, "ani", "a drill", START_UTC)
    assert drc.outages.number([Found("s", 10, 20), Found("t", 30, 50)], ALL, reading(0)) == (1, NUMBERS_APART + 2)
    assert follow(drc, dc, asker_leads=True).outages == 1
    assert drc.outages.known(2) is not None
    assert follow(dc, drc) == Learned(1, 3)
    assert dc.outages.known(NUMBERS_APART + 2) == drc.outages.known(NUMBERS_APART + 2)


def test_a_number_that_both_gave_is_told_of_and_the_leaders_stands(two: tuple[Store, Store]) -> None:
    dc, drc = two
    dc.outages.number([Found("s", 10, 20)], ALL, reading(0))
    drc.outages.number([Found("t", 50, 60)], ALL, reading(0))
    assert follow(drc, dc).clashes == (1,)
    known = drc.outages.known(1)
    assert known is not None
    assert known.service == "s"


def test_who_leads_too_keeps_its_own_numbers_and_takes_those_that_it_has_not(two: tuple[Store, Store]) -> None:
    dc, drc = two
    dc.outages.number([Found("s", 10, 20)], ALL, reading(0))
    drc.outages.number([Found("t", 50, 60), Found("t", 70, 80)], ALL, reading(0))
    assert follow(dc, drc, asker_leads=True, both_lead=True) == Learned(0, 1, (1,))
    known = [dc.outages.known(number) for number in (1, 2)]
    assert [one.service for one in known if one is not None] == ["s", "t"]


OTHER_RUN = Part(RUN, opening(opened=1_500))
VERSIONS = {
    "spans": (Part(RUN, spans=[span(3, samples=8, closed=True)]), Part(RUN, spans=[span(3, first=9_000, samples=5)])),
    "closed spans": (
        Part(RUN, spans=[span(3, samples=8, closed=True)]),
        Part(RUN, spans=[span(3, samples=40, every=900, closed=True, state="down")]),
    ),
    "openings": (Part(RUN, opening()), OTHER_RUN),
    "exchanges": (Part(RUN, exchanges=[exchange(3)]), Part(RUN, exchanges=[exchange(3, sent=4_000)])),
    "gaps": (Part(RUN, gaps=[gap(3, 4, 5)]), Part(RUN, gaps=[gap(3, 4, 6)])),
    "a span and a gap": (Part(RUN, spans=[span(3, samples=8, closed=True)]), Part(RUN, gaps=[gap(3, 4, 6)])),
}


def take(store: Store, *parts: Part) -> None:
    for part in parts:
        (outcome,) = store.evidence.commit([Arrival(NODE, beat(part, sent=50_000), reading(50_010))])
        assert not isinstance(outcome, Exception), outcome


def flagged(store: Store) -> dict[str | None, Intervals]:
    """The time of which the run says two things, by check."""
    found = {}
    (run,) = facts(store).nodes[NODE].runs
    for check in (one.check for one in run.contradicted):
        found[check] = Intervals.of((one.begin, one.end) for one in run.contradicted if one.check == check)
    return found


def spans_of(store: Store) -> tuple[Span, ...]:
    (run,) = facts(store).nodes[NODE].runs
    return run.spans


@pytest.mark.parametrize("versions", VERSIONS.values(), ids=VERSIONS)
@pytest.mark.parametrize(("dc_heard", "drc_heard"), [((0, 1), ()), ((0, 1), (1,)), ((0,), (1, 0))], ids=str)
def test_what_an_agent_says_twice_and_not_alike_is_flagged_at_both_whoever_heard_what_first(
    two: tuple[Store, Store], versions: tuple[Part, Part], dc_heard: tuple[int, ...], drc_heard: tuple[int, ...]
) -> None:
    dc, drc = two
    for store, heard_first in ((dc, dc_heard), (drc, drc_heard)):
        enrol(store, NODE)
        heard(store, 0)
        take(store, *(versions[which] for which in heard_first))
    for _ in range(3):
        follow(drc, dc)
        follow(dc, drc, asker_leads=True)
    assert flagged(dc) == flagged(drc)
    if all(one.spans for one in versions):
        assert spans_of(dc) == spans_of(drc)
    kept = [{row.name: row.conflicts for row in store.registry.listing(NOW)} for store in two]
    assert [one[NODE] > 0 for one in kept] == [True] * 2


def test_of_a_store_that_its_database_set_back_all_is_asked_again(
    two: tuple[Store, Store], new_store: Callable[[], OpenStore]
) -> None:
    dc, drc = two
    for year in (2021, 2022, 2023):
        dc.history.add(published(year, "0.5"))
    assert follow(drc, dc).entries == 3
    with closing(new_store()()) as copy:
        copy.instance.read()
        with copy.database.writing() as connection:
            connection.execute("UPDATE collector SET identity = ?", (dc.collector,))
        copy.history.add(published(2020, "0.4"))
        assert follow(drc, copy).entries == 1
    assert sorted(one.year for one in drc.history.entries()) == [2020, 2021, 2022, 2023]
