"""How well what was said fits what was true. Pure: the truth, the sets and the sights come in, the scores go out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.triple import Triple
from lab.truth import Outage
from lab.watching import Sight, first_shown

CLOCKS_MS = 50
"""So far an outage's edges may move between two readings, as a node's clock is known better."""

_FAR_MS = 10**15


@dataclass(frozen=True)
class Shown:
    """An outage as the report lists it."""

    service: str
    begin: int
    end: int
    shown_as: str
    cause: str


@dataclass(frozen=True)
class Said:
    """All that a collector says at the end: the three sets of each service before any exclusion, and its outages."""

    sets: Mapping[str, Triple]
    outages: Sequence[Shown] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)
    """Of each service, how much of the counted time was taken out as planned."""


@dataclass(frozen=True)
class Expected:
    """What is promised of a kind: how its outage is called, empty where it may be anything; what detects it."""

    shown_as: str = "down"
    detected: str | None = "other"


@dataclass(frozen=True)
class Verdict:
    """One outage against what was said of it; lengths in milliseconds.

    `outside`: what is certain and was not so, or was so and is not possible. `error_ms`: counted less true.
    `width_ms`: possible less certain. `seen_ms`: from its begin until it was first shown, None if it never was.
    """

    outage: Outage
    outside: str
    error_ms: int
    width_ms: int
    seen_ms: int | None
    shown_as: str
    wrong: str


@dataclass(frozen=True)
class Scores:
    """Every verdict, and the counted outages that touch no true one."""

    verdicts: Sequence[Verdict]
    false: Sequence[tuple[str, int, int]] = ()
    stray: Sequence[tuple[str, int, int]] = field(default=())
    """What is certain of services that were never broken."""

    @property
    def outside(self) -> int:
        """How many outages leave the bounds, with what is certain where nothing was."""
        return sum(bool(one.outside) for one in self.verdicts) + len(self.stray)

    @property
    def wrong(self) -> list[Verdict]:
        """Those that are called something else than they were."""
        return [one for one in self.verdicts if one.wrong]


def score(
    truth: Sequence[Outage],
    said: Said,
    sights: Sequence[Sight],
    expected: Mapping[str, Expected],
    categories: Mapping[str, str],
) -> Scores:
    """`expected` is by kind, `categories` has the layer of each service, which is the right cause."""
    by_service: dict[str, list[Outage]] = {service: [] for service in said.sets}
    for outage in sorted(truth, key=lambda one: one.begin):
        by_service[outage.service].append(outage)
    verdicts: list[Verdict] = []
    false: list[tuple[str, int, int]] = []
    stray: list[tuple[str, int, int]] = []
    for service, outages in by_service.items():
        sets = said.sets[service]
        outer = Intervals.of((one.begin, one.end) for one in outages)
        false += [(service, *part) for part in sets.counted if not outer.clip(*part)]
        if not outages:
            stray += [(service, *part) for part in sets.certain]
        shown = [one for one in said.outages if one.service == service]
        for outage, window in zip(outages, _windows(outages), strict=True):
            kind = expected.get(outage.kind, Expected())
            verdicts.append(_verdict(outage, window, sets, shown, sights, kind, categories.get(service, "")))
    return Scores(verdicts, false, stray)


def _windows(outages: Sequence[Outage]) -> list[tuple[int, int]]:
    """The time that belongs to each: up to half way to its neighbours."""
    ends = [(one.end + other.begin) // 2 for one, other in pairwise(outages)]
    return list(zip([-_FAR_MS, *ends], [*ends, _FAR_MS], strict=True)) if outages else []


def _verdict(  # noqa: PLR0913, PLR0917 - one outage and all that was said of it
    outage: Outage,
    window: tuple[int, int],
    sets: Triple,
    shown: Sequence[Shown],
    sights: Sequence[Sight],
    expected: Expected,
    category: str,
) -> Verdict:
    certain, counted, possible = (part.clip(*window) for part in (sets.certain, sets.counted, sets.possible))
    outer, inner = Intervals.span(outage.begin, outage.end), Intervals.span(outage.begun, outage.ending)
    outside = "".join(
        f"{name} {begin - outage.begin}..{end - outage.begin} "
        for name, wrong in (("certain", certain - outer), ("not possible", inner - possible))
        for begin, end in wrong
    ).strip()
    near = [one for one in shown if one.begin < outage.end and outage.begin < one.end]
    called = near[0].shown_as if near else ""
    wrong = ""
    if near and expected.shown_as and called != expected.shown_as:
        wrong = f"shown as {called!r}, was {expected.shown_as!r}"
    elif near and near[0].cause != category:
        wrong = f"laid to {near[0].cause!r}, was {category!r}"
    seen = first_shown(sights, outage.service, outage.begin, outage.end)
    return Verdict(
        outage, outside, counted.total - true_ms(outage), possible.total - certain.total,
        None if seen is None or expected.detected is None else seen - outage.begin, called, wrong,
    )  # fmt: skip


def wrongly_excluded(said: Said, windows: Sequence[tuple[str, int, int]]) -> list[str]:
    """The services of which more or less was taken out than was counted in what people had excluded."""
    found = []
    for service, sets in said.sets.items():
        window = Intervals.of((begin, end) for name, begin, end in windows if name == service)
        should, did = (window & sets.counted).total, said.excluded.get(service, 0)
        if abs(should - did) > CLOCKS_MS:
            found.append(f"{service}: {did} ms are excluded as planned, and should be {should}")
    return found


def true_ms(outage: Outage) -> int:
    """How long it was down: between what it surely was, and what it was at most."""
    return ((outage.end - outage.begin) + (outage.ending - outage.begun)) // 2


def mean(numbers: Iterable[int]) -> float:
    """Of none: 0."""
    every = list(numbers)
    return sum(every) / len(every) if every else 0.0


def at_most(numbers: Iterable[int], percent: float) -> int | None:
    """The least of them that this share does not exceed; None of none."""
    ordered = sorted(numbers)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else None
