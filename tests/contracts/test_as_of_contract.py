"""What every store promises of earlier moments: what had arrived by then is known, and nothing that came later."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from msgspec.structs import replace

from contracts.kinds import OpenStore
from detak_collector.downtime.facts import Lost, Node
from detak_collector.store.base import Arrival, EvidenceStore
from detak_wire.messages import Evidence, Part, PreviousRun
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
)

DAY_MS = 86_400_000
NEXT_RUN = "aaaa0002"
BEATS_MS = 10_000
"""Two beats of the node."""


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[EvidenceStore]:
    with closing(open_store()) as opened:
        opened.registry.issue(NODE, b"t" * 32, START_UTC + DAY_MS, reading(0))
        opened.registry.redeem(b"t" * 32, NODE, b"k" * 32, reading(0))
        yield opened.evidence


def taken(store: EvidenceStore, evidence: Evidence, at: int) -> None:
    """The message, arrived at this many milliseconds of agent time."""
    (outcome,) = store.commit([Arrival(evidence.node, evidence, reading(at))])
    assert not isinstance(outcome, Exception)


def known(store: EvidenceStore, at: int) -> Node:
    """The node as it was known then."""
    now = reading(DAY_MS)
    return store.facts(START_UTC, START_UTC + DAY_MS, now, known_at=START_UTC + at).nodes[NODE]


def as_it_is(store: EvidenceStore, at: int) -> Node:
    """The node as it is known, at this moment."""
    return store.facts(START_UTC, START_UTC + DAY_MS, reading(at)).nodes[NODE]


def told(node: Node, run: int = 0) -> list[tuple[str, str, int, bool]]:
    return [(one.check, one.state, one.last_begin, one.closed) for one in node.runs[run].spans]


def beats(store: EvidenceStore, ticks: Sequence[int]) -> None:
    for tick in ticks:
        taken(store, later_beat(tick), 3_010 + 1_000 * tick)


def test_before_its_first_message_nothing_is_known_of_a_node(store: EvidenceStore) -> None:
    taken(store, first_beat(), 3_010)
    assert known(store, 3_009) == Node(NODE)
    assert [run.run for run in known(store, 3_010).runs] == [RUN]


def test_a_span_that_has_closed_since_is_known_as_open_and_without_what_came_later(store: EvidenceStore) -> None:
    taken(store, first_beat(), 3_010)
    beats(store, range(1, 60))
    closing = [span(2, samples=60, closed=True), span(3, first=62_000, state="down")]
    taken(store, beat(Part(RUN, spans=closing), sent=63_000), 63_010)
    now = as_it_is(store, 63_010)
    assert known(store, 63_010) == now
    (alive, web) = known(store, 50_000).runs[0].spans
    assert (web.state, web.closed) == ("up", False)
    for one in (alive, web):
        surely = 50_000 - 10 - BEATS_MS - 1_000
        assert surely - 1_000 <= one.last_begin <= 49_000


def test_what_is_told_of_a_healthy_node_never_goes_beyond_what_was_known(store: EvidenceStore) -> None:
    taken(store, first_beat(), 3_010)
    views = []
    for tick in range(1, 40):
        taken(store, later_beat(tick), 3_010 + 1_000 * tick)
        views.append((3_010 + 1_000 * tick, as_it_is(store, 3_010 + 1_000 * tick)))
    for at, view in views:
        for then, now in zip(view.runs[0].spans, known(store, at).runs[0].spans, strict=True):
            assert then.last_begin - BEATS_MS - 2 * then.largest_gap <= now.last_begin <= then.last_begin
            assert (now.number, now.first_begin, now.closed) == (then.number, then.first_begin, then.closed)


@pytest.mark.parametrize("at", [21_000, 100_000, 200_009])
def test_in_a_silence_everything_is_known_exactly_as_it_was(store: EvidenceStore, at: int) -> None:
    taken(store, first_beat(), 3_010)
    beats(store, range(1, 18))
    before = as_it_is(store, at)
    assert before.heard_utc == START_UTC + 20_010
    late = [
        span(1, "alive", samples=198, closed=False),
        span(2, samples=100, closed=True),
        span(3, first=102_000, samples=50, state="down", closed=True),
        span(4, first=152_000, samples=48),
    ]
    taken(store, beat(Part(RUN, spans=late), sent=200_000), 200_010)
    assert known(store, at) == before
    assert len(known(store, 200_010).runs[0].spans) == 4


def test_what_a_silence_hid_is_not_known_at_its_end_unless_it_was_delivered(store: EvidenceStore) -> None:
    taken(store, first_beat(), 3_010)
    taken(store, beat(Part(RUN, spans=[span(1, "alive", samples=198)]), sent=200_000), 200_010)
    before = as_it_is(store, 201_000)
    backlog = [span(2, samples=100, closed=True), span(3, first=102_000, samples=98)]
    taken(store, beat(Part(RUN, spans=backlog), sent=201_100), 201_110)
    assert [one for one in told(known(store, 201_000)) if one[0] == "web"] == [("web", "up", 2_000, False)]
    assert told(before)[1] == ("web", "up", 2_000, False)


def test_a_node_that_never_came_back_is_known_as_it_is(store: EvidenceStore) -> None:
    taken(store, first_beat(), 3_010)
    beats(store, range(1, 10))
    for at in (12_500, 13_000, 1_000_000):
        assert known(store, at) == as_it_is(store, at)


def test_a_run_is_known_as_its_successor_found_it_however_soon_that_came(store: EvidenceStore) -> None:
    taken(store, first_beat(), 3_010)
    beats(store, [1, 2, 3])
    before = as_it_is(store, 7_500)
    after = PreviousRun(RUN, opening().boot, 6_900, 3, stopped=None)
    taken(store, first_beat(NEXT_RUN, sent=8_000, previous=after), 8_010)
    middle = as_it_is(store, 8_500)
    ending = [span(1, "alive", samples=5, closed=True), span(2, samples=5, closed=True)]
    taken(store, beat(Part(RUN, spans=ending), sent=9_000, run=NEXT_RUN), 9_010)
    assert told(known(store, 7_500)) == told(before)
    assert [told(known(store, 8_500), run) for run in (0, 1)] == [told(middle, run) for run in (0, 1)]
    assert [run.complete_to for run in known(store, 8_500).runs] == [run.complete_to for run in middle.runs]


def test_records_that_came_later_leave_the_numbers_incomplete(store: EvidenceStore) -> None:
    taken(store, beat(Part(RUN, opening(), [span(1, "alive"), span(3, closed=True)]), sent=3_000), 3_010)
    before = as_it_is(store, 3_500)
    late = Part(RUN, spans=[span(2, first=2_500, closed=True)], exchanges=[exchange(4)], gaps=[gap(5, 6, 7)])
    taken(store, beat(late, sent=4_000), 4_010)
    then, now = known(store, 3_500).runs[0], known(store, 4_010).runs[0]
    assert (then.complete_to, len(then.exchanges)) == (before.runs[0].complete_to, 0) == (3, 0)
    assert then.lost == before.runs[0].lost == (Lost(2, 2, after=2_000, before=2_003),)
    assert (now.complete_to, len(now.exchanges), now.lost) == (5, 1, ())


def test_a_stop_is_known_from_when_its_word_came(store: EvidenceStore) -> None:
    taken(store, first_beat(), 3_010)
    stop = replace(later_beat(1), stopping="shutdown", stopping_agent=3_900)
    taken(store, stop, 4_010)
    assert known(store, 4_009).runs[0].stopped is None
    assert (known(store, 4_010).runs[0].stopped, known(store, 4_010).runs[0].stopped_at) == ("shutdown", 3_900)


def test_a_span_in_a_silence_of_another_agent_with_its_name_goes_on(store: EvidenceStore) -> None:
    """Two agents with one identity: the one that spoke all the time was not silent when the other began."""
    taken(store, first_beat(), 3_010)
    beats(store, range(1, 10))
    taken(store, first_beat(NEXT_RUN, sent=12_500), 12_510)
    beats(store, range(10, 60))
    (alive, _) = known(store, 50_000).runs[0].spans
    assert alive.last_begin > 30_000


def test_the_collector_is_known_to_have_watched_no_longer_than_until_then(open_store: OpenStore) -> None:
    opened = open_store()
    row = opened.watch.begin(reading(1_000))
    opened.watch.extend(row, reading(50_000))
    facts = opened.evidence.facts(START_UTC, START_UTC + DAY_MS, reading(60_000), known_at=START_UTC + 20_000)
    assert list(facts.watched) == [(START_UTC + 1_000, START_UTC + 20_000)]
    opened.close()


def test_a_step_of_the_collectors_clock_is_known_once_it_watches_again(open_store: OpenStore) -> None:
    opened = open_store()
    row = opened.watch.begin(reading(1_000))
    opened.watch.end(row, "stepped")
    opened.watch.begin(reading(5_000))
    now = reading(60_000)
    before, after = (
        opened.evidence.facts(START_UTC, START_UTC + 9, now, known_at=START_UTC + at) for at in (4_999, 5_000)
    )
    assert (before.stepped_utc, after.stepped_utc) == ((), (START_UTC + 1_000, START_UTC + 5_000))
    opened.close()


def test_spans_are_counted_by_node_where_they_touch_the_time_and_came_between(store: EvidenceStore) -> None:
    assert store.known_since() is None
    taken(store, first_beat(), 3_010)
    assert store.known_since() == START_UTC + 3_010
    taken(store, beat(Part(RUN, spans=[span(2, samples=4, closed=True)]), sent=7_000), 7_010)
    later = [span(3, first=6_000, samples=4, closed=True)]
    taken(store, beat(Part(RUN, spans=later), sent=100_000), 100_010)
    whole, moments = (START_UTC, START_UTC + DAY_MS), [START_UTC + at for at in (3_010, 7_010, 100_010)]
    assert store.recorded(*whole, moments[0], moments[1]) == {NODE: 1}
    assert store.recorded(*whole, moments[0], moments[2]) == {NODE: 2}
    assert store.recorded(START_UTC + 20_000, whole[1], moments[0], moments[2]) == {}


def test_facts_of_a_store_that_noted_no_arrivals_are_taken_to_have_come_as_they_were_sampled(
    open_store: OpenStore,
) -> None:
    opened = open_store()
    opened.registry.issue(NODE, b"t" * 32, START_UTC + DAY_MS, reading(0))
    opened.registry.redeem(b"t" * 32, NODE, b"k" * 32, reading(0))
    store = opened.evidence
    taken(store, beat(Part(RUN, opening(), [span(1, "alive"), span(2), span(3, first=900_000)]), sent=3_000), 3_010)
    taken(store, beat(Part(RUN, spans=[span(2, samples=600, closed=True)]), sent=610_000), 610_010)
    store._connection.execute("UPDATE span SET heard_utc = NULL")
    store._connection.execute("DELETE FROM unheard")
    web = [one for one in known(store, 100_000).runs[0].spans if one.number == 2]
    assert [(one.first_begin, one.last_begin) for one in web] == [(2_000, 100_000 - 10 - BEATS_MS - 1_000)]
    opened.close()
