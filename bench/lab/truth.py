"""What was really down, written by those who broke it: the measure that every monitor is held against.

Times are UTC in whole milliseconds, of this machine's one clock, which every host of the laboratory shares.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

FILE_NAME = "truth.jsonl"


class Interval(msgspec.Struct, frozen=True, order=True):
    """A service was down from `begin` until `end`."""

    service: str
    begin: int
    end: int


class Outage(msgspec.Struct, frozen=True, order=True):
    """One outage as it was injected: by which kind of fault, and of which service.

    Nobody breaks or mends a thing in no time: it was surely down in [begun, ending], and surely not outside of
    [begin, end]. The difference is mostly a few milliseconds.
    """

    service: str
    kind: str
    begin: int
    end: int
    begun: int
    ending: int


@dataclass(frozen=True)
class Truth:
    """The file in which outages stand, one a line, in the order in which they ended."""

    path: Path

    @staticmethod
    def within(folder: Path) -> Truth:
        """That of a run in this folder."""
        return Truth(folder / FILE_NAME)

    def add(self, outages: Iterable[Outage]) -> None:
        """Outages that are over; each begins before it ends."""
        with self.path.open("ab") as file:
            for one in outages:
                assert one.begin <= one.begun < one.ending <= one.end, one
                file.write(msgspec.json.encode(one) + b"\n")

    def read(self) -> list[Outage]:
        """All of them so far."""
        if not self.path.exists():
            return []
        return [msgspec.json.decode(line, type=Outage) for line in self.path.read_bytes().splitlines()]


def now_ms() -> int:
    """This moment."""
    return time.time_ns() // 1_000_000
