"""What a target is to be told now, by what it was told before and what is seen. Pure: it is given everything.

Each outage is opened once. It is closed once, unless it is told in between that it goes on after all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from detak_collector.notify.items import (
    OUTAGE,
    Event,
    Fate,
    Item,
    Message,
    Seen,
    Sighting,
    Why,
    cause_of,
    message_of,
    number_of,
)

LATE_MS = 600_000
"""What ended longer ago when it becomes known is no alarm any more: summaries and reports tell of it."""
SETTLE_MS = 60_000
"""So long an outage must be gone before it is said that it never was: its evidence may still be on its way."""
MOST_ITEMS = 500

Told = Mapping[str, Item]
"""The latest item of each matter."""

_ORDER = list(Event)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a target wants. `after_ms`: the least length of an outage; `services`: only these, None: all.

    `gather_ms`: how long it is waited for what has the same cause.
    """

    name: str
    after_ms: int = 30_000
    gather_ms: int = 10_000
    services: frozenset[str] | None = None
    counted_only: bool = False
    observation: bool = True
    only_unacknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What need not outlive the process: since when something is due, and since when a matter is gone."""

    due: Mapping[tuple[str, Event], int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The messages, in the order in which they are to be sent."""

    messages: tuple[Message, ...]
    memory: Memory


def decide(choice: Choice, told: Told, seen: Seen, memory: Memory) -> Decision:
    """What this target is to be told now."""
    gone = {
        matter: memory.gone.get(matter, seen.now)
        for matter, last in told.items()
        if not last.over and matter not in seen.sightings
    }
    news = [one for one in _candidates(choice, told, seen, gone) if one is not None]
    due = {(one.matter, one.event): memory.due.get((one.matter, one.event), seen.now) for one in news}
    groups: dict[tuple[Event, str], list[Item]] = {}
    for one in news:
        groups.setdefault((one.event, cause_of(one)), []).append(one)
    messages: list[Message] = []
    for _, items in sorted(groups.items(), key=lambda group: (_ORDER.index(group[0][0]), group[0][1])):
        if seen.now - min(due[one.matter, one.event] for one in items) < choice.gather_ms:
            continue
        items.sort(key=lambda one: (one.begin, one.matter))
        messages += [message_of(choice.name, piece, seen.now) for piece in _pieces(items)]
        for one in items:
            del due[one.matter, one.event]
    return Decision(tuple(messages), Memory(due, gone))


def would_tell(choice: Choice, one: Sighting, now: int) -> bool:
    """Whether the target wants to know of it at all, was it told before or not."""
    if one.quiet or (choice.services is not None and one.services.isdisjoint(choice.services)):
        return False
    if one.kind != OUTAGE:
        is_old = one.end is not None and now - one.end > LATE_MS
        return choice.observation and not is_old and (one.end or now) - one.begin >= one.after_ms
    if choice.counted_only and not one.in_figure:
        return False
    if one.end is not None:
        lasted = one.end - one.begin >= choice.after_ms
        return lasted and now - one.end <= LATE_MS and not choice.only_unacknowledged
    return now - one.begin >= choice.after_ms and not (choice.only_unacknowledged and one.acknowledged)


def _pieces(items: list[Item]) -> Iterator[list[Item]]:
    return (items[at : at + MOST_ITEMS] for at in range(0, len(items), MOST_ITEMS))


def _candidates(choice: Choice, told: Told, seen: Seen, gone: Mapping[str, int]) -> Iterator[Item | None]:
    for matter, one in seen.sightings.items():
        last = told.get(matter)
        if last is None or (last.over and one.kind != OUTAGE and one.end is None):
            yield _first(one, last, seen.now) if would_tell(choice, one, seen.now) else None
        else:
            yield _next(one, last, seen.now)
    for matter, since in gone.items():
        yield _of_gone(told[matter], since, seen)


def _first(one: Sighting, last: Item | None, now: int) -> Item:
    if one.end is None:
        return _item(one, last, now, Event.OPENED)
    return _item(one, last, now, Event.CLOSED, over=True)


def _next(one: Sighting, last: Item, now: int) -> Item | None:
    """What is new of a matter that was told of."""
    if one.end is None:
        if last.over:
            return _item(one, last, now, Event.RECLASSIFIED, why=Why.GOES_ON)
        return _change(one, last, now)
    if not last.over:
        return _item(one, last, now, Event.CLOSED, over=True)
    if last.why is Why.WITHDRAWN:
        return _item(one, last, now, Event.RECLASSIFIED, over=True, why=Why.WAS_DOWN)
    return _recounted(one, last, now)


def _change(one: Sighting, last: Item, now: int) -> Item | None:
    recounted = _recounted(one, last, now)
    if recounted is not None:
        return recounted
    if one.cause != last.cause:
        return _item(one, last, now, Event.CAUSE_CHANGED)
    if one.proven and not last.proven:
        return _item(one, last, now, Event.CONFIRMED)
    return None


def _recounted(one: Sighting, last: Item, now: int) -> Item | None:
    if one.kind != OUTAGE or one.counts == last.counts:
        return None
    why = Why.COUNTED if one.counts else Why.NOT_COUNTED
    return _item(one, last, now, Event.RECLASSIFIED, over=last.over, why=why)


def _item(
    one: Sighting, last: Item | None, now: int, event: Event, *, over: bool = False, why: Why | None = None
) -> Item:
    return Item(
        matter=one.matter, event=event, kind=one.kind, subject=one.subject, name=one.name, at=now, begin=one.begin,
        end=one.end, over=over, cause=one.cause, shown_as=one.shown_as, detail=one.detail, proven=one.proven,
        counts=one.counts, number=one.number, counted_ms=one.counted_ms, certain_ms=one.certain_ms,
        possible_ms=one.possible_ms, why=why, before=None if last is None else last.at,
    )  # fmt: skip


def _of_gone(last: Item, since: int, seen: Seen) -> Item | None:
    """What became of a matter that was running when it was told of last, and is not seen now."""
    if number_of(last.matter) is None:
        return _ended(last, seen.now, seen.now) if seen.looked else None
    fate = seen.fates.get(last.matter)
    if fate is None or last.subject in seen.blind:
        return None
    if fate.merged_into is not None:
        return _reclassified(last, seen.now, Why.MERGED, fate.merged_into)
    if last.subject not in seen.services:
        return _ended(last, max(fate.end, last.begin), seen.now)
    if seen.now - since < SETTLE_MS:
        return None
    return _told_by_register(last, fate, seen)


def _told_by_register(last: Item, fate: Fate, seen: Seen) -> Item:
    """Withdrawn where it would be seen had it ended; else it ended before anything that is seen."""
    if last.begin >= seen.whole_since:
        return _reclassified(last, seen.now, Why.WITHDRAWN, None)
    return _ended(last, max(fate.end, last.begin), seen.now)


def _ended(last: Item, end: int, now: int) -> Item:
    return _again(last, now, Event.CLOSED, end=end)


def _reclassified(last: Item, now: int, why: Why, other: int | None) -> Item:
    return _again(last, now, Event.RECLASSIFIED, why=why, other=other)


def _again(
    last: Item, now: int, event: Event, *, end: int | None = None, why: Why | None = None, other: int | None = None
) -> Item:
    return Item(
        matter=last.matter, event=event, kind=last.kind, subject=last.subject, name=last.name, at=now,
        begin=last.begin, end=end, over=True, cause=last.cause, proven=last.proven, counts=last.counts,
        number=last.number, counted_ms=last.counted_ms, certain_ms=last.certain_ms, possible_ms=last.possible_ms,
        why=why, other=other, before=last.at,
    )  # fmt: skip
