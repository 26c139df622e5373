"""A report as a piece of paper: sections of sentences, tables and drawings, without saying how they are set.

It is written once, in one language, and every format that people read is set from it, so that none can say another
thing. Values in tables stay exact until they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import Enum
from fractions import Fraction

from detak_collector.report.drawing import Drawing
from detak_collector.translation.language import Language

Value = str | int | Fraction | None
"""What a cell holds; its column says what it means. None: there is no such value."""

NONE = "\N{EN DASH}"


class Kind(Enum):
    """What the values of a column are."""

    WORDS = "words"
    COUNT = "count"
    NUMBER = "number"
    """A number with its unit, as it was published or set."""

    PERCENT = "percent"
    """A Fraction in percent, shown with four decimals."""

    SHARE = "share"
    """A Fraction of one, shown in percent with three decimals."""

    LENGTH = "length"
    """Milliseconds, shown as hours, minutes and seconds: 1:02:03.4."""

    EXACT = "exact"
    """Milliseconds, shown as such."""

    MOMENT = "moment"
    """Milliseconds UTC, shown in local time."""

    @property
    def is_number(self) -> bool:
        """Whether its values stand at the right."""
        return self not in {Kind.WORDS, Kind.MOMENT}


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, what stands below it, and how wide that is beside the others."""

    heading: str
    kind: Kind = Kind.WORDS
    width: int = 10


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many values as there are columns; `empty` is what to say where there are none."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[Value, ...]]
    caption: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with what it shows."""

    drawing: Drawing
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter. `name` is its anchor, the same in every language."""

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signer:
    """Room for one signature."""

    role: str


@dataclass(frozen=True, slots=True)
class Point:
    """One of the few things that made the figure."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class FirstPage:
    """What a minister reads.

    `tone` is `met` or `missed` where that is proven, else `none`; `counted_ms` is what the figure rests on; `period` is
    empty where the title says it already.
    """

    organisation: str
    title: str
    period: str
    standing: str
    figure: str
    figure_label: str
    counted_ms: int
    target: str
    verdict: str
    tone: str
    summary: str
    gauge: Drawing | None
    points_title: str
    points: tuple[Point, ...]
    points_empty: str
    action_title: str
    action: tuple[str, ...]
    certainty_title: str
    certainty: str
    signers: tuple[Signer, ...] = field(default=())
    signing: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Paper:
    """The whole report."""

    language: Language
    zone: tzinfo
    title: str
    first: FirstPage
    sections: tuple[Section, ...]
    footer: str
    page: str
    """How a page number is told, with `{page}` and `{pages}` in it."""

    @property
    def size(self) -> int:
        """How many rows its tables have."""
        return sum(len(table.rows) for section in self.sections for table in section.tables)


def shown(value: Value, kind: Kind, language: Language, zone: tzinfo) -> str:
    """A cell as people read it."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    if isinstance(value, Fraction):
        return f"{language.decimals(value * 100, 3) if kind is Kind.SHARE else language.decimals(value, 4)} %"
    if kind is Kind.MOMENT:
        return language.stamp(value, zone)
    return language.clock_length(value) if kind is Kind.LENGTH else language.whole(value)
