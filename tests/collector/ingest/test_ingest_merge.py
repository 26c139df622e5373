import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from detak_collector.ingest.held import HeldSpan, RunState, opened
from detak_collector.ingest.merge import Closed, Merged, held_version, merge, merge_quiet
from detak_collector.ingest.numbers import beyond_mark, mark
from detak_collector.ingest.validation import InvalidRecordError
from detak_wire.messages import Exchange, Gap, Part, Span
from evidence_builders import RUN, beat, exchange, gap, growth, opening, span

FRESH = opened(opening())
NOTHING_CLOSED = dict[int, Closed]().get


class Fold:
    """A run's state with the closed records beside it, as a store keeps them."""

    def __init__(self) -> None:
        self.state: RunState = FRESH
        self.closed: dict[int, Closed] = {}
        self.conflicts: list[Closed] = []

    def add(self, part: Part, sent: int = 100_000) -> Merged:
        merged = merge(self.state, part, sent, self.closed.get)
        self.state = merged.state
        for record in merged.closed:
            assert record.number not in self.closed
            self.closed[record.number] = record
        self.conflicts += merged.conflicts
        return merged


def folded(*parts: Part) -> Fold:
    fold = Fold()
    for part in parts:
        fold.add(part)
    return fold


@st.composite
def histories(draw: st.DrawFn) -> list[list[Span] | Exchange | Gap]:
    """Numbered records of one run; of a span, all its versions in the order in which it grew."""
    records: list[list[Span] | Exchange | Gap] = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        kind = draw(st.sampled_from(["span", "span", "span", "exchange", "gap"]))
        if kind == "exchange":
            records.append(exchange(number, sent=3_000 * number))
        elif kind == "gap":
            records.append(gap(number, number + 100, number + 101))
        else:
            sizes = sorted(draw(st.sets(st.integers(1, 9), min_size=1, max_size=4)))
            check = draw(st.sampled_from(["alive", "web"]))
            versions = [span(number, check, first=10_000 * number, samples=size) for size in sizes]
            if draw(st.booleans()):
                versions.append(span(number, check, first=10_000 * number, samples=sizes[-1], closed=True))
            records.append(versions)
    return records


def pieces_of(records: list[list[Span] | Exchange | Gap]) -> list[Part]:
    parts: list[Part] = []
    for record in records:
        if isinstance(record, list):
            parts += [Part(RUN, spans=[version]) for version in record]
            parts += [Part(RUN, growths=[growth(version, 100_000)]) for version in record if not version.closed]
        elif isinstance(record, Exchange):
            parts.append(Part(RUN, exchanges=[record]))
        else:
            parts.append(Part(RUN, gaps=[record]))
    return parts


def joined(pieces: list[Part]) -> Part:
    """All of it in one message."""
    return Part(
        RUN,
        spans=[span for piece in pieces for span in piece.spans],
        growths=[growth for piece in pieces for growth in piece.growths],
        exchanges=[exchange for piece in pieces for exchange in piece.exchanges],
        gaps=[gap for piece in pieces for gap in piece.gaps],
    )


@given(histories(), st.data())
def test_a_quiet_message_has_the_same_outcome_on_the_short_way(
    records: list[list[Span] | Exchange | Gap], data: st.DataObject
) -> None:
    pieces = pieces_of(records)
    fold = folded(*pieces[: data.draw(st.integers(0, len(pieces)))])
    of = [span for record in records if isinstance(record, list) for span in record]
    growths = [growth(one, 100_000) for one in data.draw(st.lists(st.sampled_from(of), max_size=4))] if of else []
    part = Part(RUN, growths=growths)
    quiet = merge_quiet(fold.state, part, beat(part, sent=100_000))
    assert quiet is None or quiet == merge(fold.state, part, 100_000, fold.closed.get)


@pytest.mark.parametrize(
    "part",
    [
        Part(RUN, opening()),
        Part(RUN, spans=[span(3, "web")]),
        Part(RUN, exchanges=[exchange(3)]),
        Part(RUN, gaps=[gap(3, 4, 5)]),
        Part(RUN, growths=[growth(span(3, "web", samples=2), 10_000)]),
        Part(RUN, growths=[growth(span(1, "alive", samples=1), 10_000)]),
        Part(RUN[::-1], growths=[growth(span(1, "alive", samples=2), 10_000)]),
    ],
)
def test_what_says_more_than_that_open_spans_grow_does_not_go_the_short_way(part: Part) -> None:
    state = folded(Part(RUN, spans=[span(1, "alive"), span(2, "web")])).state
    assert merge_quiet(state, part, beat(part)) is None


@pytest.mark.parametrize(
    ("changed", "plain"),
    [
        ({}, True),
        ({"samples": 3}, False),
        ({"last_begin_ago": 3_000 + 5_000}, False),
        ({"last_end_ago": 3_000 + 5_001}, False),
        ({"largest_gap": 999}, False),
    ],
)
def test_a_growth_that_is_less_in_one_respect_is_not_plain(changed: dict[str, int], plain: bool) -> None:
    first = span(1, "alive", first=3_000, samples=3)
    state = folded(Part(RUN, spans=[first])).state
    assert (first.last_begin, first.last_end, first.largest_gap) == (5_000, 5_003, 1_000)
    later = structs.replace(growth(span(1, "alive", first=3_000, samples=4), 13_000), **changed)
    part = Part(RUN, growths=[later])
    assert (merge_quiet(state, part, beat(part, sent=13_000)) is not None) is plain


def test_a_quiet_message_goes_the_short_way_and_brings_liveness_on() -> None:
    state = folded(Part(RUN, spans=[span(1, "alive"), span(2, "web")])).state
    part = Part(RUN, growths=[growth(span(1, "alive", samples=4), 10_000), growth(span(2, "web", samples=2), 10_000)])
    quiet = merge_quiet(state, part, beat(part))
    assert quiet is not None
    assert quiet.alive_grew
    assert not quiet.news
    assert [one.samples for one in quiet.state.reached().values()] == [4, 2]


@given(histories(), st.randoms(use_true_random=False))
def test_order_repetition_and_splitting_over_messages_change_nothing(
    records: list[list[Span] | Exchange | Gap], random_: random.Random
) -> None:
    pieces = pieces_of(records)
    in_order = folded(*pieces)
    shuffled = [*pieces, *random_.choices(pieces, k=len(pieces))]
    random_.shuffle(shuffled)
    cuts = sorted(random_.randint(0, len(shuffled)) for _ in range(3))
    slices = [shuffled[begin:end] for begin, end in pairwise([0, *cuts, len(shuffled)])]
    other = folded(*(joined(pieces) for pieces in slices), *pieces)
    assert other.state == in_order.state
    assert other.closed == in_order.closed
    assert not in_order.conflicts
    assert not other.conflicts


@given(histories())
def test_the_last_version_of_every_span_is_what_is_held(records: list[list[Span] | Exchange | Gap]) -> None:
    fold = folded(*pieces_of(records))
    for record in records:
        last = held_version(record[-1]) if isinstance(record, list) else record
        assert fold.closed.get(last.number, fold.state.reached().get(last.number)) == last
        assert (last.number in fold.closed) != (last.number in fold.state.open)


def test_growth_moves_the_end_of_an_open_span_and_is_no_news() -> None:
    fold = folded(Part(RUN, spans=[span(1, "alive"), span(2)]))
    merged = fold.add(Part(RUN, growths=[growth(span(1, "alive", samples=4), 9_000)]), sent=9_000)
    assert fold.state.reached()[1].last_begin == 5_000
    assert fold.state.reached()[1].samples == 4
    assert merged.alive_grew
    assert not merged.news


def test_a_replayed_beat_is_not_growth_of_alive() -> None:
    fold = folded(Part(RUN, spans=[span(1, "alive")]))
    beat = Part(RUN, growths=[growth(span(1, "alive", samples=4), 9_000)])
    assert fold.add(beat, sent=9_000).alive_grew
    assert not fold.add(beat, sent=9_000).alive_grew
    assert not fold.add(Part(RUN, spans=[span(1, "alive", samples=2)])).alive_grew


def test_a_new_alive_span_that_follows_the_old_one_is_growth_of_alive() -> None:
    fold = folded(Part(RUN, spans=[span(1, "alive", samples=4, closed=True)]))
    assert fold.add(Part(RUN, spans=[span(2, "alive", first=6_000)])).alive_grew


def test_a_change_of_state_is_news() -> None:
    fold = folded(Part(RUN, spans=[span(1)]))
    assert fold.add(Part(RUN, spans=[span(1, samples=3, closed=True), span(2, state="down", first=5_000)])).news


@pytest.mark.parametrize(
    "version",
    [
        span(1, samples=4, state="down"),
        span(1, samples=4, first=2_001),
        span(1, samples=4, message="other"),
        span(1, "alive", samples=4),
        Span(1, "web", "up", 2_000, 2_003, 6_000, 6_003, 3, 2_000),
        Span(1, "web", "up", 2_000, 2_003, 4_000, 4_003, 4, 1_000),
        Span(1, "web", "up", 2_000, 2_003, 3_000, 3_003, 9, 1_000),
    ],
    ids=["state", "first", "message", "check", "later with no sample more", "more samples before", "mixed"],
)
def test_a_version_that_contradicts_is_kept_apart_and_the_first_one_stands(version: Span) -> None:
    first = span(1, samples=3)
    fold = folded(Part(RUN, spans=[first]), Part(RUN, spans=[version]))
    if fold.conflicts:
        assert fold.conflicts == [held_version(version)]
        assert fold.state.reached()[1] == held_version(first)
    else:
        assert fold.state.reached()[1].samples == version.samples == 4


def test_a_closed_span_never_grows() -> None:
    closed, longer = span(1, samples=3, closed=True), span(1, samples=4, closed=True)
    fold = folded(Part(RUN, spans=[closed]), Part(RUN, spans=[longer]))
    assert fold.closed == {1: held_version(closed)}
    assert fold.conflicts == [held_version(longer)]


def test_a_closed_version_shorter_than_what_was_seen_closes_the_span_as_it_was_seen() -> None:
    fold = folded(Part(RUN, spans=[span(1, samples=5)]), Part(RUN, spans=[span(1, samples=3, closed=True)]))
    assert isinstance(fold.closed[1], HeldSpan)
    assert fold.closed[1].samples == 5
    assert not fold.state.open
    assert len(fold.conflicts) == 1


def test_a_number_cannot_be_two_kinds_of_record() -> None:
    fold = folded(Part(RUN, exchanges=[exchange(1)]), Part(RUN, spans=[span(1, closed=True)]))
    assert fold.closed == {1: exchange(1)}
    assert len(fold.conflicts) == 1


def test_lost_numbers_count_as_received_but_are_no_evidence() -> None:
    fold = folded(Part(RUN, spans=[span(1, closed=True)], gaps=[gap(4, 2, 3)]))
    assert (mark(fold.state.held), beyond_mark(fold.state.held)) == (1, ((4, 4),))
    assert fold.state.lost == ((2, 3),)
    late = span(2, first=8_000, closed=True)
    fold.add(Part(RUN, spans=[late]))
    assert fold.closed[2] == held_version(late)


def test_growth_of_a_span_that_is_not_known_is_left_out() -> None:
    fold = folded(Part(RUN, growths=[growth(span(7), 9_000)]))
    assert fold.state == FRESH


def test_a_check_that_the_run_did_not_open_with_is_refused_by_name() -> None:
    with pytest.raises(InvalidRecordError, match="check 'stranger' is not among") as refused:
        folded(Part(RUN, spans=[span(1, "stranger")]))
    assert (refused.value.run, refused.value.number) == (RUN, 1)


def test_a_span_keeps_when_its_first_version_arrived_however_it_grows_and_ends() -> None:
    parts = [
        Part(RUN, spans=[span(2)]),
        Part(RUN, growths=[growth(span(2, samples=3), 100_000)]),
        Part(RUN, spans=[span(2, samples=4)]),
        Part(RUN, spans=[span(2, samples=4, closed=True), span(3, first=9_000, closed=True)]),
    ]
    state = FRESH
    arrivals: dict[int, int | None] = {}
    for arrived, part in enumerate(parts, start=1_000):
        merged = merge(state, part, 100_000, NOTHING_CLOSED, arrived)
        state = merged.state
        arrivals |= {record.number: record.heard_utc for record in merged.closed if isinstance(record, HeldSpan)}
    assert arrivals == {2: 1_000, 3: 1_003}


def test_a_version_that_contradicts_ends_a_span_as_of_its_own_first_arrival() -> None:
    state = merge(FRESH, Part(RUN, spans=[span(2, samples=3)]), 100_000, NOTHING_CLOSED, 1_000).state
    merged = merge(state, Part(RUN, spans=[span(2, state="down", closed=True)]), 100_000, NOTHING_CLOSED, 2_000)
    (kept,) = merged.closed
    assert isinstance(kept, HeldSpan)
    assert (kept.state, kept.heard_utc) == ("up", 1_000)
