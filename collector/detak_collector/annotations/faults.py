"""Why something that was entered is not taken: which field, and a sentence that pages translate. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detak_collector.translation.language import mark

EMPTY = mark("Say something: nothing was filled in.")
TOO_LONG = mark("At most {most} characters (these are {number}).")
UNSHOWN = mark("It has characters that cannot be shown, such as control characters: type it anew.")
NO_LINE_BREAK = mark("One line only.")
TOO_MANY = mark("At most {most} lines.")
NO_TIME = mark('Line {line}: begin with the time, such as "10:05" or "2026-11-28 10:05" (got "{got}").')
NO_SUCH_TIME = mark('Line {line}: there is no such time (got "{got}").')
NO_EVENT = mark("Line {line}: say what happened at that time.")
NO_SUCH_DAY = mark('There is no such day: write it as "2026-12-31" (got "{got}").')
NO_TASK = mark("Say what is to be done.")
NO_OUTAGE = mark("No outage has this number.")
MEANWHILE = mark("Somebody has written a newer version meanwhile. Yours is below: compare both, and save again.")
UNCHANGED = mark("It says the same as before: nothing was saved.")
NO_KIND = mark("Only PDF files, pictures (PNG, JPEG, WebP, GIF) and plain text in UTF-8 are taken.")
EMPTY_FILE = mark("The file is empty.")
LARGE_FILE = mark("A file may have at most {most} (this one is larger).")
MANY_FILES = mark("An outage has at most {most} attachments.")
FULL = mark("All attachments together may have at most {most}: there is no room for this one.")
THERE_ALREADY = mark("This very file is attached already.")
NOT_THERE = mark("This file is not attached, or not any longer.")
NO_NOTE = mark("There is no such note, or it was taken back already.")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the field `where`. `text` is a sentence in English, with `named` values for its braces."""

    where: str
    text: str
    named: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.where}: {self.text.format(**self.named) if self.named else self.text}"


class FaultsError(Exception):
    """What was entered is not taken, for all these reasons."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class UnknownOutageError(FaultsError):
    """There is no outage of that number."""

    def __init__(self) -> None:
        super().__init__([Fault("outage", NO_OUTAGE)])


class MeanwhileError(FaultsError):
    """Somebody else has written a newer version than the one that this one was made from."""

    def __init__(self) -> None:
        super().__init__([Fault("version", MEANWHILE)])
