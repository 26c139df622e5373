"""What holds of every reading, whatever the evidence: order, losses, more evidence, another time."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.downtime.facts import ALIVE, Facts, Lost, Node, Run, Span, Stated
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.downtime.stated import read_stated
from true_history import EPOCH_MS, History, Node1

SEEDS = st.integers(0, 2**48)
DEADLINE_MS = 15_000


def reading_of(history: History, facts: Facts | None = None, now: int | None = None) -> Reading:
    known = facts or history.facts
    window = Window(EPOCH_MS, history.end, history.end + DEADLINE_MS + 1 if now is None else now)
    return read_sampled("c", history_of(known.nodes["n"], known), known, window)


def played(seed: int, lives: int = 4) -> History:
    """A history whose runs number their spans as they began, over all checks."""
    history = Node1(seed).play(lives)
    (node,) = history.facts.nodes.values()
    return replace(history, facts=_with_runs(history.facts, [_numbered(run) for run in node.runs]))


def _numbered(run: Run) -> Run:
    begun = sorted(run.spans, key=lambda span: span.first_end)
    return replace(run, spans=tuple(replace(span, number=place) for place, span in enumerate(begun, start=1)))


def _with_runs(facts: Facts, runs: list[Run]) -> Facts:
    (node,) = facts.nodes.values()
    return replace(facts, nodes={"n": replace(node, runs=tuple(runs))})


def with_losses(facts: Facts, random: Random, share: float) -> Facts:
    """The same with some records of the checks gone, some of them told by a gap record."""
    (node,) = facts.nodes.values()
    return _with_runs(facts, [_losing(run, random, share) for run in node.runs])


def _losing(run: Run, random: Random, share: float) -> Run:
    gone = {span.number for span in run.spans if span.check != ALIVE and random.random() < share}
    kept = tuple(span for span in run.spans if span.number not in gone)
    reach = max(span.number for span in kept)
    lost = tuple(_lost(number, kept, random) for number in sorted(gone) if number < reach)
    complete_to = min(run.complete_to, reach) if run.spans[-1].number in gone else run.complete_to
    return replace(run, spans=kept, lost=lost, complete_to=complete_to)


def _lost(number: int, kept: tuple[Span, ...], random: Random) -> Lost:
    after = max((span.first_begin for span in kept if span.number < number), default=None)
    before = min((span.first_end for span in kept if span.number > number), default=None)
    return Lost(number, number, after, before, told=random.random() < 0.5)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.sampled_from([0.1, 0.4, 0.8]), st.booleans())
def test_the_truth_lies_between_certain_and_possible_whatever_was_lost(
    seed: int, share: float, at_once: bool
) -> None:  # fmt: skip
    history = played(seed)
    facts = with_losses(history.facts, Random(seed), share)
    down = reading_of(history, facts, history.end if at_once else None).down
    assert down.possible.covers(history.down), history.down - down.possible
    assert history.down.covers(down.certain), down.certain - history.down
    assert down.is_nested


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.sampled_from([0.1, 0.4, 0.8]))
def test_more_evidence_never_widens_the_bounds(seed: int, share: float) -> None:
    history = played(seed)
    more, less = reading_of(history), reading_of(history, with_losses(history.facts, Random(seed), share))
    assert less.down.possible.covers(more.down.possible), more.down.possible - less.down.possible
    assert more.down.certain.covers(less.down.certain), less.down.certain - more.down.certain


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_the_order_of_facts_and_how_often_they_are_told_change_nothing(seed: int) -> None:
    history, random = played(seed), Random(seed)
    (node,) = history.facts.nodes.values()
    runs = [_shuffled(run, random) for run in random.sample(node.runs, len(node.runs))]
    assert reading_of(history, _with_runs(history.facts, runs)) == reading_of(history)


def _shuffled(run: Run, random: Random) -> Run:
    exchanges = [*run.exchanges, *random.choices(run.exchanges, k=3)]
    return replace(
        run,
        spans=tuple(random.sample(run.spans, len(run.spans))),
        exchanges=tuple(random.sample(exchanges, len(exchanges))),
    )


STATES = st.sampled_from(["up", "down", "degraded", "unknown"])


def stated(state: str, begin: int, length: int) -> Stated:
    return Stated("c", state, begin, begin + length)


STATED = st.lists(st.builds(stated, STATES, st.integers(0, 50), st.integers(1, 20)), max_size=8)


@given(STATED, st.randoms(use_true_random=False))
def test_the_order_of_stated_facts_and_how_often_they_are_told_change_nothing(
    facts: list[Stated], random: Random
) -> None:
    again = [*facts, *facts[:3]]
    random.shuffle(again)
    once, twice = read_stated("n/c", facts, 0, 60), read_stated("n/c", again, 0, 60)
    assert (once.down, once.unobserved, once.degraded) == (twice.down, twice.unobserved, twice.degraded)


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(-(10**12), 10**12))
def test_at_another_time_the_same_evidence_says_the_same(seed: int, by: int) -> None:
    history = played(seed)
    facts = history.facts
    here = reading_of(history)
    shifted = replace(_later(facts, by), watched=Intervals.of((begin + by, end + by) for begin, end in facts.watched))
    window = Window(EPOCH_MS + by, history.end + by, history.end + by + DEADLINE_MS + 1)
    there = read_sampled("c", history_of(shifted.nodes["n"], shifted), shifted, window)
    assert there.down == here.down.map(lambda one: Intervals.of((begin + by, end + by) for begin, end in one))
    assert there.unobserved.total == here.unobserved.total
    assert [(one.begin - by, one.end - by, one.shown_as) for one in there.passages] == [
        (one.begin, one.end, one.shown_as) for one in here.passages
    ]


def _later(facts: Facts, by: int) -> Facts:
    (node,) = facts.nodes.values()
    runs = [
        replace(
            run,
            claim=replace(run.claim, utc=run.claim.utc + by),
            exchanges=tuple(
                one._replace(arrived_utc=one.arrived_utc + by, answered_utc=one.answered_utc + by)
                for one in run.exchanges
            ),
        )
        for run in node.runs
    ]
    assert node.heard_utc is not None
    return replace(facts, nodes={"n": Node("n", tuple(runs), heard_utc=node.heard_utc + by)})
