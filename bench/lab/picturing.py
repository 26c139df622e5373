"""The picture of the proof as SVG: a row for each tool, a dot for each outage, the further right the further off. Pure.

It is read as an image of its own, on pages of either theme: so it brings its ground, and its colours for both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from lab.standing import Held, Standing
from lab.telling import seconds

WIDTH, ROW, TOP, BOTTOM = 800, 88, 104, 84
LEFT, RIGHT, ASIDE = 138, 596, 614
"""Where the axis begins and ends, and the words beside it begin."""

DOT, PITCH, HALF_ROW = 2.6, 5.6, 34.0
LEAST_MS, MOST_MS = 10, 100_000
"""What is less is drawn at the begin of the axis, which reaches at least so far."""

_TITLE = "How far off is the downtime that each tool counts?"
_STYLE = """
svg{--ground:#fff;--edge:#d0d7de;--ink:#1f2328;--soft:#59636e;--line:#e4e8ec;--ours:#1f5f8b;--others:#8b949e;--bad:#c0392b}
@media(prefers-color-scheme:dark){svg{--ground:#0d1117;--edge:#30363d;--ink:#e6edf3;--soft:#9198a1;--line:#242a31;
--ours:#6cb6f0;--others:#8b949e;--bad:#ff7b72}}
text{font-family:system-ui,-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;font-size:12.5px}
text{fill:var(--ink)}
.big{font-size:17px;font-weight:600}.tool{font-size:15px;font-weight:600}.soft{fill:var(--soft)}.bad{fill:var(--bad)}
.ground{fill:var(--ground);stroke:var(--edge)}.line{stroke:var(--line)}.limit{stroke:var(--soft);stroke-dasharray:4 3}
.ours{fill:var(--ours)}.others{fill:var(--others)}.missed{fill:none;stroke:var(--bad);stroke-width:1.6}
.mark{stroke:var(--ink);stroke-width:2.4;stroke-linecap:round}.far{stroke-width:1.3;stroke-dasharray:3 3}
"""


@dataclass(frozen=True)
class Axis:
    """Milliseconds on a logarithmic scale, until a power of ten."""

    end_ms: int

    @staticmethod
    def reaching(errors: Sequence[int]) -> Axis:
        """One that holds them all."""
        return Axis(max(MOST_MS, 10 ** math.ceil(math.log10(max([1, *errors])))))

    def at(self, length_ms: float) -> float:
        """Where it is."""
        share = math.log(max(length_ms, LEAST_MS) / LEAST_MS) / math.log(self.end_ms / LEAST_MS)
        return LEFT + share * (RIGHT - LEFT)

    @property
    def ticks(self) -> list[int]:
        """The powers of ten."""
        return [10**power for power in range(1, round(math.log10(self.end_ms)) + 1)]


def picture(tools: Sequence[Standing], interval_ms: int, occasion: str) -> str:
    """The whole, for the tools that could be asked; `occasion` is a line about when and where."""
    rows = [one for one in tools if one.held]
    axis = Axis.reaching([error for one in rows for error in one.errors])
    height, foot = TOP + ROW * len(rows) + BOTTOM, TOP + ROW * len(rows)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">',
        f'<title id="t">{_TITLE}</title><desc id="d">{escape(in_words(rows))}</desc><style>{_STYLE}</style>',
        f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        *_head(max((len(one.held) for one in rows), default=0)),
        *_grid(axis, interval_ms, foot),
    ]
    for number, one in enumerate(rows):
        lines += _row(one, axis, TOP + ROW * number + ROW / 2, "others" if number else "ours")
    return "\n".join([*lines, *_foot(foot, occasion), "</svg>"]) + "\n"


def in_words(tools: Sequence[Standing]) -> str:
    """The same for who cannot see it."""
    return " ".join(
        f"{one.tool}: half of {len(one.held)} outages within {seconds(one.error_ms(50))}, nine in ten within "
        f"{seconds(one.error_ms(90))}, {one.missed} not noticed, {one.made_up} made up."
        for one in tools
        if one.held
    )


def _head(outages: int) -> Iterator[str]:
    yield _text(24, 32, _TITLE, "big")
    yield _text(24, 54, f"Each dot is one of {outages} undisturbed outages: counted less true downtime, either "
                        "way. Left is better.", "soft")  # fmt: skip


def _grid(axis: Axis, interval_ms: int, foot: float) -> Iterator[str]:
    for tick in axis.ticks:
        x = axis.at(tick)
        yield _line(x, TOP - 4, foot + 6, "line")
        label = f"{tick} ms" if tick < 1_000 else f"{tick // 1_000} s"
        yield _text(x, foot + 22, f"≤ {label}" if tick == LEAST_MS else label, "soft", "middle")
    x = axis.at(interval_ms)
    yield _line(x, TOP - 10, foot + 6, "limit")
    yield _text(x, TOP - 16, f"check interval, {interval_ms / 1_000:g} s", "soft", "middle")


def _row(one: Standing, axis: Axis, middle: float, its: str) -> Iterator[str]:
    yield _text(24, middle + 5, one.tool, "tool")
    for x, y, held in _swarm(one.held, axis):
        if held.is_noticed:
            yield f'<circle class="{its}" cx="{x:.1f}" cy="{middle + y:.1f}" r="{DOT}"/>'
        else:
            yield f'<path class="missed" d="M{x - 3:.1f} {middle + y - 3:.1f}l6 6m0 -6l-6 6"/>'
    for percent, looks in ((50, "mark"), (90, "mark far")):
        yield _line(axis.at(one.error_ms(percent)), middle - HALF_ROW - 4, middle + HALF_ROW + 4, looks)
    yield _text(ASIDE, middle - 14, f"half within {seconds(one.error_ms(50))}", "tool")
    yield _text(ASIDE, middle + 4, f"90 % within {seconds(one.error_ms(90))}")
    wrong = [f"{number} {what}" for number, what in ((one.missed, "not noticed"), (one.made_up, "made up")) if number]
    yield _text(ASIDE, middle + 22, ", ".join(wrong) or "all noticed, none made up", "bad" if wrong else "soft")


def _swarm(held: Sequence[Held], axis: Axis) -> Iterator[tuple[float, float, Held]]:
    """Where each dot goes, from the middle of its row: those of one place stand above and below each other."""
    places: dict[int, list[Held]] = {}
    for one in sorted(held, key=lambda one: (one.is_noticed, abs(one.error_ms))):
        places.setdefault(round((axis.at(abs(one.error_ms)) - LEFT) / PITCH), []).append(one)
    for place, these in places.items():
        apart = min(PITCH, 2 * HALF_ROW / len(these))
        for number, one in enumerate(these):
            yield LEFT + place * PITCH, apart * ((number + 1) // 2) * (1 if number % 2 else -1), one


def _foot(foot: float, occasion: str) -> Iterator[str]:
    y = foot + 50
    yield _line(28, y - 11, y + 1, "mark")
    yield _text(38, y, "half of the outages are left of it", "soft")
    yield _line(268, y - 11, y + 1, "mark far")
    yield _text(278, y, "nine in ten are", "soft")
    yield f'<path class="missed" d="M396 {y - 8}l6 6m0 -6l-6 6"/>'
    yield _text(412, y, "not noticed: off by its whole length", "soft")
    yield _text(24, y + 20, occasion, "soft")


def _line(x: float, top: float, end: float, looks: str) -> str:
    return f'<line class="{looks}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{end:.1f}"/>'


def _text(x: float, y: float, words: str, looks: str = "", anchor: str = "start") -> str:
    its = f' class="{looks}"' if looks else ""
    return f'<text{its} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
