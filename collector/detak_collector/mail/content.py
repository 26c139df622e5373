"""What a summary mail says, in one language and as plain data: its text and its HTML are set from this. No markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detak_collector.report.drawing import Drawing
from detak_collector.report.paper import Point
from detak_collector.translation.language import Language


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with a name that is its own within the mail."""

    name: str
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Share:
    """A row of a ranking; `percent` is a whole number, of all."""

    label: str
    text: str
    percent: int


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of texts, all but the first at the right. `more`: what is left out."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One outage: when and for how long, of which service, why, and what the checks said."""

    title: str
    text: str
    said: str


@dataclass(frozen=True, slots=True)
class Around:
    """What stands beside the figures: where the whole report is, what is attached, why it comes to this address."""

    link: str
    attached: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    reason: str = ""
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """All that a summary mail says. `tone`: `met` or `missed` where that is proven, else `none`."""

    language: Language
    subject: str
    organisation: str
    title: str
    dates: str
    standing: str
    figure: str
    figure_label: str
    verdict: str
    tone: str
    target: str
    so_far: str
    sentence: str
    certainty_title: str
    certainty: str
    gauge: Picture | None
    months_title: str
    months: Picture | None
    points_title: str
    points: tuple[Point, ...]
    causes_title: str
    causes: tuple[Share, ...]
    services: Table
    outages_title: str
    outages: tuple[Event, ...]
    outages_more: str
    waiting: str
    link: str
    link_words: str
    notes: tuple[str, ...]
    footer: tuple[str, ...]
    head: str
    head_words: str
    pictures: tuple[Picture, ...] = ()
