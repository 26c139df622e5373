"""Drawings as lists of shapes in points, from the top left: one set of charts for HTML and PDF. No markup here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Ink(Enum):
    """What a colour stands for, and the colour. Each also differs in lightness, and words always say the same."""

    TEXT = "#1b2733"
    QUIET = "#5b6875"
    GRID = "#d5dbe1"
    PALE = "#eef1f4"
    MET = "#1f6f5c"
    MISSED = "#b23a1e"
    LEFT = "#8ea3b5"
    GROSS = "#3d5a73"


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    ink: Ink


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    ink: Ink
    width: float = 0.75
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Text on one line; `y` is its baseline, `anchor` is `start`, `middle` or `end`."""

    x: float
    y: float
    text: str
    ink: Ink = Ink.TEXT
    size: float = 8
    anchor: str = "start"
    bold: bool = False


Shape = Box | Stroke | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing of a size; `told` says in words what it shows, for who cannot see it."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    told: str
