"""One check by itself: what it is, what it says now, what it was over a stretch of time, and what rests on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from detak_collector.board.board import Condition
from detak_collector.board.boards import condition_at
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Service
from detak_collector.downtime.evidence import read_these
from detak_collector.downtime.facts import ALIVE, Node, Settings
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.lives import History, history_of
from detak_collector.downtime.outages import PROBE_ONLY
from detak_collector.downtime.reading import Passage, Reading

MOST_SAID = 20
Kind = Literal["down", "presumed", "degraded", "unobserved"]
KINDS: tuple[Kind, ...] = ("down", "presumed", "degraded", "unobserved")
"""What a stretch in which a check was not simply up is, as a filter names it."""

_BEGINNINGS: Mapping[str, Kind] = {"presumed": "presumed", "degraded": "degraded", "not observed": "unobserved"}


@dataclass(frozen=True, slots=True)
class Said:
    """One word of the check: the state it told from its first sample to its last (UTC ms), and its message."""

    state: str
    begin: int
    end: int
    message: str
    samples: int


@dataclass(frozen=True, slots=True)
class Use:
    """What rests on the check: a service by `id` with its name, and by which of its groups; none for a probe."""

    id: str
    name: str
    group: str
    category: str


@dataclass(frozen=True, slots=True)
class OneCheck:
    """A check as of `now` (UTC ms). `settings` None: no run that is known ran it. `marks` are those it told last.

    `timeline` is its reading over one window, `over` that of another, over [begin, end). `witnesses` are the nodes of
    which it bears witness, or that it is a reference of.
    """

    name: str
    now: int
    condition: Condition
    since: int | None
    message: str
    settings: Settings | None
    marks: tuple[tuple[str, str], ...]
    said: tuple[Said, ...]
    timeline: Reading
    over: Reading
    uses: tuple[Use, ...]
    witnesses: tuple[str, ...]


def is_known(check: str, case: Case) -> bool:
    """Whether anything tells of it: an agent that ran it, a statement, or a catalogue that counts on it."""
    name, _, called = check.partition("/")
    node = case.facts.nodes.get(name, Node(name))
    ran = any(called in {ALIVE, *(one.name for one in run.checks)} for run in node.runs)
    stated = any(one.check == called for one in node.stated)
    needed = any(check in service.checks() for service in case.catalogue.services)
    return ran or stated or needed or bool(witnesses_of(check, case.catalogue))


def one_check(check: str, case: Case, day: Interval, timeline: Reading, over: Reading) -> OneCheck:
    """What the evidence of `day`, the last one, says of it now; its readings of other stretches are given."""
    reading = reading_of(check, case, day)
    name, _, called = check.partition("/")
    history = history_of(case.facts.nodes.get(name, Node(name)), case.facts)
    sightings = history.seen.get(called, ())
    condition = condition_at(reading, case.as_of - 1)
    latest = reading.latest
    since, message = (None, "") if latest is None else (latest.since, latest.message)
    if condition in {Condition.PRESUMED_DOWN, Condition.UNOBSERVED}:
        unseen = [one for one in reading.passages if one.touches(case.as_of - 1, case.as_of)]
        since, message = (unseen[-1].begin, unseen[-1].shown_as) if unseen else (since, message)
    return OneCheck(
        name=check,
        now=case.as_of,
        condition=condition,
        since=since,
        message=message,
        settings=_settings(called, history),
        marks=next((one.span.marks for one in reversed(sightings) if one.span.marks), ()),
        said=tuple(_said(history, called)),
        timeline=timeline,
        over=over,
        uses=uses_of(check, case.catalogue, case.as_of - 1),
        witnesses=witnesses_of(check, case.catalogue),
    )


def reading_of(check: str, case: Case, window: Interval) -> Reading:
    """The check over a window as figures read it, up to now."""
    begin, end = window
    return read_these(case, [check], begin, max(begin, min(end, case.as_of)))[check]


def _settings(called: str, history: History) -> Settings | None:
    return next((found for one in reversed(history.lives) if (found := one.settings(called)) is not None), None)


def _said(history: History, called: str) -> Iterator[Said]:
    """The latest first; records in a row that say the same are one."""
    kept: list[Said] = []
    for one in reversed(history.seen.get(called, ())):
        span = one.span
        word = Said(span.state, one.first, one.last, span.message, span.samples)
        if kept and (kept[-1].state, kept[-1].message) == (word.state, word.message):
            later = kept.pop()
            word = Said(word.state, word.begin, later.end, word.message, word.samples + later.samples)
        elif len(kept) == MOST_SAID:
            break
        kept.append(word)
    yield from kept


def uses_of(check: str, catalogue: Catalogue, instant: int) -> tuple[Use, ...]:
    """The groups and services that rest on it at an instant."""
    return tuple(use for service in catalogue.services for use in _uses(check, service, instant))


def _uses(check: str, service: Service, instant: int) -> Iterator[Use]:
    name = service.name.value_at(instant)
    parts = [(group.name, group.category.value_at(instant), group.members) for group in service.groups]
    for group, category, members in (*parts, ("", PROBE_ONLY, service.probes)):
        if any(check in one.checks and one.in_force(instant) for one in members):
            yield Use(service.id, name, group, category)


def witnesses_of(check: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The nodes of which it tells whether they are reached, or by which they tell whether they reach others."""
    return tuple(node.name for node in catalogue.nodes if check in {*node.witnesses, *node.references})


def kind_of(passage: Passage) -> Kind:
    """What such a stretch is."""
    return next((kind for words, kind in _BEGINNINGS.items() if passage.shown_as.startswith(words)), "down")


def stretches(reading: Reading, window: Interval, kind: str) -> list[Passage]:
    """Where it was not simply up inside the window, latest first; only those of a kind where one is named."""
    found = [one for one in reading.passages if one.touches(*window) and kind in {"", kind_of(one)}]
    return sorted(found, key=lambda one: (-one.begin, -one.end))


def counts_by_kind(reading: Reading, window: Interval) -> Mapping[Kind, int]:
    """How many stretches there are of each of KINDS."""
    counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    for one in stretches(reading, window, ""):
        counts[kind_of(one)] += 1
    return counts
