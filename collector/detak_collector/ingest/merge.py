"""Folds the parts of messages into what is held of a run: in any order, any number of times, with one outcome.

A later version of a span may only grow it. A version that contradicts an earlier one is kept apart, and the first
one stands. Pure: earlier closed records are asked of `lookup`.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import intern

from msgspec import Struct, structs

from detak_collector.downtime.facts import ALIVE
from detak_collector.ingest.held import HeldSpan, RunState, alive_among, packed_begun
from detak_collector.ingest.numbers import contains, united, with_numbers
from detak_collector.ingest.reach import Reach, grown, packed
from detak_collector.ingest.validation import InvalidRecordError
from detak_wire.messages import Evidence, Exchange, Gap, Growth, Part, Span

NUL = "\0"
Closed = HeldSpan | Exchange | Gap
Lookup = Callable[[int], Closed | None]


class Merged(Struct, frozen=True):
    """The new state, the records that are new and closed, the versions that contradict, and what became of it all.

    `news` is false where open spans grew and nothing else was learnt.
    """

    state: RunState
    closed: tuple[Closed, ...] = ()
    conflicts: tuple[Closed, ...] = ()
    alive_grew: bool = False
    news: bool = False


def held_version(span: Span) -> HeldSpan:
    """A span off the wire as it is held."""
    number, check, *rest = structs.astuple(span)
    held = HeldSpan(number, intern(check), *rest)
    return structs.replace(held, message=_keepable(held.message)) if NUL in held.message else held


def _keepable(text: str) -> str:
    """Not every database keeps the character NUL. It is replaced before anything is compared, so once and for all."""
    return text.replace(NUL, "\N{REPLACEMENT CHARACTER}")


def merge(state: RunState, part: Part, sent_agent: int, lookup: Lookup, arrived_utc: int | None = None) -> Merged:
    """The outcome of adding `part` to `state`; raises InvalidRecordError where a span is of a check the run has not."""
    folding = _Folding(state, lookup, part.run, arrived_utc)
    for span in part.spans:
        folding.add_span(span)
    folding.grow(part.growths, sent_agent)
    for exchange in part.exchanges:
        folding.add_record(exchange)
    for gap in part.gaps:
        folding.add_record(structs.replace(gap, reason=_keepable(gap.reason)))
    return folding.outcome()


def merge_quiet(state: RunState, part: Part, evidence: Evidence) -> Merged | None:
    """The outcome where open spans of the speaking run grow and nothing else is said; None where it is not so plain.

    It tells what `merge` tells, in a fifth of the time: it runs for every check of every beat.
    """
    if part.run != evidence.run or part.opening is not None or part.spans or part.exchanges or part.gaps:
        return None
    plain = grown(state.reach, part.growths, evidence.sent_agent, state.alive)
    if plain is None:
        return None
    reach, alive_end = plain
    alive_reach = max(state.alive_reach, alive_end)
    changed = RunState(
        state.checks,
        state.begun,
        reach,
        state.held,
        state.lost,
        alive_reach,
        state.alive,
        state.stopped,
        state.stopped_agent,
        state.stopped_utc,
    )
    return Merged(changed, alive_grew=alive_reach > state.alive_reach)


def grows(known: HeldSpan, version: HeldSpan) -> bool | None:
    """True: `version` is later than `known`; False: it says nothing new; None: the two contradict each other."""
    if _fixed(known) != _fixed(version):
        return None
    before, after = _reach(known)[1:], _reach(version)[1:]
    if before == after:
        return version.closed and not known.closed
    if all(mine <= theirs for mine, theirs in zip(before, after, strict=True)):
        return True if not known.closed and version.samples > known.samples else None
    if all(mine >= theirs for mine, theirs in zip(before, after, strict=True)):
        return False if not version.closed and version.samples < known.samples else None
    return None


def _fixed(span: HeldSpan) -> tuple[object, ...]:
    return (span.check, span.state, span.first_begin, span.first_end, span.message, span.marks)


def _reach(span: HeldSpan) -> Reach:
    return (span.number, span.last_begin, span.last_end, span.samples, span.largest_gap)


def _grown(known: HeldSpan, growth: Growth, sent_agent: int) -> HeldSpan:
    return HeldSpan(
        known.number,
        known.check,
        known.state,
        known.first_begin,
        known.first_end,
        sent_agent - growth.last_begin_ago,
        sent_agent - growth.last_end_ago,
        growth.samples,
        growth.largest_gap,
        False,  # noqa: FBT003 - by position, as all of them
        known.message,
        known.marks,
        known.heard_utc,
    )


class _Folding:
    """The work of one merge; it owns copies of all it changes."""

    def __init__(self, state: RunState, lookup: Lookup, run: str, arrived_utc: int | None) -> None:
        self._state = state
        self._lookup = lookup
        self._run = run
        self._arrived_utc = arrived_utc
        self._open = state.reached()
        self._opened_before = frozenset(self._open)
        self._closed: dict[int, Closed] = {}
        self._conflicts: list[Closed] = []
        self._alive_reach = state.alive_reach
        self._news = False

    def add_span(self, span: Span) -> None:
        if span.check not in self._state.checks:
            reason = f"check {span.check!r} is not among those that the run opened with"
            raise InvalidRecordError(reason, self._run, span.number)
        version = held_version(span)
        known = self._open.get(span.number) or self._known(span.number)
        if known is None and not contains(self._state.held, span.number):
            self._keep(version)
        elif known is None:
            return  # It was here, and was disposed of.
        elif not isinstance(known, HeldSpan):
            self._contradict(version)
        else:
            self._compare(known, version)

    def grow(self, growths: list[Growth], sent_agent: int) -> None:
        for growth in growths:
            known = self._open.get(growth.number)
            if known is None:
                self._grow_closed(growth, sent_agent)
                continue
            self._compare(known, _grown(known, growth, sent_agent))

    def add_record(self, record: Exchange | Gap) -> None:
        known = self._open.get(record.number) or self._known(record.number)
        if known is None and contains(self._state.held, record.number):
            return  # It was here, and was disposed of.
        if known is None:
            self._closed[record.number] = record
            self._news = self._news or isinstance(record, Gap)
        elif known != record:
            self._contradict(record)

    def outcome(self) -> Merged:
        state, spans = self._state, self._open
        is_same = self._opened_before == spans.keys()
        gaps = [record for record in self._closed.values() if isinstance(record, Gap)]
        lost = [(gap.first_number, gap.last_number) for gap in gaps]
        changed = RunState(
            state.checks,
            state.begun if is_same else packed_begun(spans.values()),
            packed(sorted(_reach(span) for span in spans.values())),
            with_numbers(state.held, self._closed) if self._closed else state.held,
            united((*state.lost, *lost)) if lost else state.lost,
            self._alive_reach,
            state.alive if is_same else alive_among(spans.values()),
            state.stopped,
            state.stopped_agent,
            state.stopped_utc,
        )
        alive_grew = self._alive_reach > state.alive_reach
        news = self._news or bool(self._conflicts)
        return Merged(changed, tuple(self._closed.values()), tuple(self._conflicts), alive_grew, news)

    def _known(self, number: int) -> Closed | None:
        if number in self._closed:
            return self._closed[number]
        return self._lookup(number) if contains(self._state.held, number) else None

    def _grow_closed(self, growth: Growth, sent_agent: int) -> None:
        """A growth that comes after the end of its span; of a span that is not known, the agent will be told so."""
        known = self._known(growth.number)
        if isinstance(known, HeldSpan):
            self._compare(known, _grown(known, growth, sent_agent))

    def _compare(self, known: HeldSpan, version: HeldSpan) -> None:
        growing = grows(known, version)
        if growing is None:
            self._contradict(version)
        elif growing:
            self._keep(version, new=version.closed)

    def _keep(self, version: HeldSpan, *, new: bool = True) -> None:
        known = self._open.get(version.number)
        heard_utc = self._arrived_utc if known is None else known.heard_utc
        version = structs.replace(version, heard_utc=heard_utc)
        if version.closed:
            self._open.pop(version.number, None)
            self._closed[version.number] = version
        else:
            self._open[version.number] = version
        if version.check == ALIVE:
            self._alive_reach = max(self._alive_reach, version.last_end)
        else:
            self._news = self._news or new

    def _contradict(self, version: Closed) -> None:
        """The first version stands. Where this one ends the span, the first is as complete as it will ever be."""
        self._conflicts.append(version)
        known = self._open.get(version.number)
        if known is not None and (not isinstance(version, HeldSpan) or version.closed):
            self._keep(structs.replace(known, closed=True))
