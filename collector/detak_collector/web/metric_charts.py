"""A node's metrics as drawings: one line of means over a band up to the greatest.

A drawing needs no script. Beside it stand its numbers, of which static/charts.js makes a chart with axes. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from detak_collector.metrics import Moment, columns
from detak_collector.translation.language import Language, mark

WIDTH, HEIGHT = 600, 90
POINTS = 300
MOST_LABELS = 12
"""Of one series so many labels are drawn: a node may have a hundred checks or mount points."""

SECOND_MS = 1_000
LEAST_GAP_MS = 10_000
REACH = 50
"""Beside a gap so small a part of the window still points at the value: one that stands alone can be pointed at."""

GAP = 3
"""Points further apart than so many of their usual distances are not joined."""

NAMES = {
    "cpu_percent": (mark("Processor"), "%"),
    "cpu_iowait_percent": (mark("Waiting for disks"), "%"),
    "load_1": (mark("Load"), ""),
    "memory_used_percent": (mark("Memory used"), "%"),
    "swap_used_percent": (mark("Swap used"), "%"),
    "disk_used_percent": (mark("Disk used"), "%"),
    "latency_ms": (mark("Latency of check"), "ms"),
    "network_received_bytes_per_second": (mark("Network received"), "B/s"),
    "network_sent_bytes_per_second": (mark("Network sent"), "B/s"),
    "journal_bytes": (mark("Journal (backlog)"), "B"),
    "agent_memory_bytes": (mark("Agent's memory"), "B"),
}


Point = tuple[int, float, float]
"""UTC ms, mean and greatest."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One series. `line` and `band` are SVG paths in a box of WIDTH by HEIGHT; the numbers beside it are words.

    `course` is what `_course` says.
    """

    title: str
    label: str
    line: str
    band: str
    top: str
    latest: str
    mean: str
    greatest: str
    unit: str
    course: str


def charts(moments: Sequence[Moment], begin: int, end: int, language: Language) -> tuple[Chart, ...]:
    """What is known of a node over [begin, end), in the order of NAMES."""
    told = columns(moments)
    order = list(NAMES)
    wanted = [one for one in told["series"] if one["name"] in NAMES]
    wanted.sort(key=lambda one: order.index(one["name"]))
    drawn: dict[str, int] = {}
    found = []
    for one in wanted:
        drawn[one["name"]] = drawn.get(one["name"], 0) + 1
        if drawn[one["name"]] <= MOST_LABELS:
            found.append(_chart(one, told["utc"], (begin, end), language))
    return tuple(found)


def latency_chart(moments: Sequence[Moment], check: str, begin: int, end: int, language: Language) -> Chart | None:
    """How long the samples of one check took over [begin, end); None where nothing tells."""
    told = columns(moments)
    for one in told["series"]:
        if (one["name"], one["label"]) == ("latency_ms", check):
            return _chart(one, told["utc"], (begin, end), language)
    return None


def _chart(series: Mapping[str, Any], utc: Sequence[int], span: tuple[int, int], language: Language) -> Chart:
    title, unit = NAMES[series["name"]]
    known = [one for one in zip(utc, series["mean"], series["greatest"], strict=True) if one[1] is not None]
    most = max((high for _, _, high in known), default=0.0)
    usual = _usual_step(known)
    top = 100.0 if unit == "%" and most <= 100 else most or 1.0

    def x(at: int) -> str:
        return f"{(at - span[0]) / (span[1] - span[0]) * WIDTH:.1f}"

    def y(value: float) -> str:
        return f"{HEIGHT - value / top * (HEIGHT - 2) - 1:.1f}"

    lines, bands = [], []
    for part in _parts(known, GAP * usual):
        # A single point is drawn as a dot.
        drawn = part if len(part) > 1 else part * 2
        lines.append("M" + "L".join(f"{x(at)} {y(mean)}" for at, mean, _ in drawn))
        if any(mean != high for _, mean, high in part):
            above = [f"{x(at)} {y(high)}" for at, _, high in part]
            below = [f"{x(at)} {y(mean)}" for at, mean, _ in part[::-1]]
            bands.append("M" + "L".join([*above, *below]) + "z")
    return Chart(
        language.say(title),
        series["label"],
        "".join(lines),
        "".join(bands),
        amount(top, unit, language),
        amount(known[-1][1], unit, language) if known else "",
        amount(sum(mean for _, mean, _ in known) / len(known), unit, language) if known else "",
        amount(most, unit, language),
        unit,
        _course(known, span, usual),
    )


def _usual_step(known: Sequence[Point]) -> int:
    steps = sorted(after[0] - before[0] for before, after in pairwise(known))
    return steps[len(steps) // 2] if steps else 0


def _parts(known: Sequence[Point], longest: int) -> list[list[Point]]:
    """Points that follow each other without a hole, which is longer than `longest` ms."""
    parts: list[list[Point]] = []
    for one in known:
        if parts and one[0] - parts[-1][-1][0] <= longest:
            parts[-1].append(one)
        else:
            parts.append([one])
    return parts


def _course(known: Sequence[Point], span: tuple[int, int], usual: int) -> str:
    """The same as JSON: `from` and `to` (UTC seconds), `steps` in seconds from `from` to the first point and on.

    `mean` and `greatest` have one value a point, null at both ends of what was not measured. `greatest` is empty where
    it is the mean all along.
    """
    points: list[tuple[int, float | None, float | None]] = []
    edges = [(span[0], None, None), *known, (span[1], None, None)]
    near = max(usual, (span[1] - span[0]) // REACH)
    for before, after in pairwise(edges):
        gap = after[0] - before[0]
        if gap > max(GAP * usual, LEAST_GAP_MS):
            room = min(near, gap // 3)
            begin = before[0] + (0 if before[1] is None else room)
            end = after[0] - (0 if after[1] is None else room)
            points += [(begin, None, None), (end, None, None)]
        if after[1] is not None:
            points.append(after)
    seconds = [span[0] // SECOND_MS, *(at // SECOND_MS for at, _, _ in points)]
    is_one = all(mean == greatest for _, mean, greatest in points)
    told = {
        "from": seconds[0],
        "to": span[1] // SECOND_MS,
        "steps": [after - before for before, after in pairwise(seconds)],
        "mean": [_short(mean) for _, mean, _ in points],
        "greatest": [] if is_one else [_short(greatest) for _, _, greatest in points],
    }
    return json.dumps(told, separators=(",", ":"))


def _short(value: float | None) -> float | None:
    return int(value) if value is not None and value == int(value) else value


def plot_words(language: Language, zone: ZoneInfo) -> str:
    """What the script says by itself, as JSON: the language of numbers and dates, the zone of the axis, its words."""
    told = {
        "locale": str(language.locale).replace("_", "-"),
        "zone": zone.key,
        "time": language.say("Time"),
        "mean": language.say("Mean"),
        "greatest": language.say("Greatest"),
        "unknown": language.say("not measured"),
        "hint": language.say("Drag to zoom in, double-click for all of it; arrow keys go from value to value."),
    }
    return json.dumps(told, ensure_ascii=False)


def amount(value: float, unit: str, language: Language) -> str:
    """A value with its unit, bytes in the greatest that fits."""
    if unit.startswith("B"):
        for prefix in ("", "Ki", "Mi", "Gi", "Ti"):
            if abs(value) < 1024 or prefix == "Ti":
                return f"{_decimals(value, language, 0 if not prefix else 1)} {prefix}{unit}"
            value /= 1024
    return f"{_decimals(value, language, 1)} {unit}".strip()


def _decimals(value: float, language: Language, places: int) -> str:
    return f"{value:,.{places}f}".translate(str.maketrans(",.", language.group + language.decimal))
