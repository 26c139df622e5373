"""Where in a file something stands, and the list of everything found wrong so far: one line for each problem."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches

SHOWN_CHARACTERS = 60


class CatalogueError(Exception):
    """Everything wrong with what a person wrote, one line each: `file: key path: reason (got value)`."""

    exit_code = 2

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file. All places of one reading share `lines`, into which each of them writes its refusals."""

    file: str
    lines: list[str]
    path: str = ""

    def key(self, name: str) -> Place:
        """The place of a key of the table that stands here."""
        name = name if name.isprintable() and name else json.dumps(name)
        return Place(self.file, self.lines, f"{self.path}.{name}" if self.path else name)

    def item(self, label: str) -> Place:
        """The place of one entry of the array that stands here: `[impor]`, or `[#2]` for the second."""
        return Place(self.file, self.lines, f"{self.path}[{label}]")

    def refuse(self, reason: str, got: object = None) -> None:
        """Note a problem; None as `got` means that nothing was there."""
        self.say(f"{reason} (got {shown(got)})")

    def say(self, reason: str) -> None:
        """Note a problem for which there is no value to show."""
        self.lines.append(f"{self.file}: {self.path}: {reason}" if self.path else f"{self.file}: {reason}")

    def settle(self) -> None:
        """Raise what was noted, if anything was."""
        if self.lines:
            raise CatalogueError(self.lines)


def shown(value: object) -> str:
    """A value as a person would recognise it, on one line and never long."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            text = json.dumps(value, ensure_ascii=not value.isprintable())
        case datetime() | date():
            text = value.isoformat()
        case Mapping():
            return "a table"
        case Sequence():
            return f"an array of {len(value)}" if value else "an empty array"
        case _:
            text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def resembling(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt word: `; did you mean "members"?`, or nothing where none of `known` is close."""
    close = get_close_matches(word[:SHOWN_CHARACTERS], list(known), n=1, cutoff=0.7)
    return f"; did you mean {shown(close[0])}?" if close else ""
