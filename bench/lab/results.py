"""What a run leaves: the truth and what every tool said, in one file from which all that is told of it is derived.

Nothing that can be derived is kept: tables, scores and the picture are made from this, now and later.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from lab.scores import Expected, Said
from lab.things import Pace
from lab.truth import Interval, Outage
from lab.verdicts import Evidence
from lab.watching import Sight

FILE_NAME = "results.json"


class UnreadableError(Exception):
    """A file that does not hold the results of a run."""


class PeerSaid(msgspec.Struct, frozen=True):
    """What another monitor claims; `trouble` says why it could not be asked, and is empty where it could."""

    tool: str
    version: str = ""
    trouble: str = ""
    claims: Sequence[Interval] = ()


class Run(msgspec.Struct, frozen=True):
    """When and where it was, in UTC milliseconds. `arguments` play the same again; `load` was read after each fault."""

    began: int
    ended: int
    arguments: str
    machine: str
    load: Sequence[float] = ()


class Results(msgspec.Struct, frozen=True):
    """Everything of one run. `alone` are the outages that nothing disturbed, `mixed` those beside other faults."""

    run: Run
    pace: Pace
    alone: Sequence[Outage]
    mixed: Sequence[Outage]
    said: Said
    sights: Sequence[Sight]
    """Of what collector A showed as down."""

    expected: Mapping[str, Expected]
    """By kind of fault."""

    categories: Mapping[str, str]
    """The layer of each service."""

    evidence: Evidence
    failed: Sequence[str] = ()
    """The faults that the laboratory could not play."""

    told: Sequence[str] = ()
    """The services that the other monitors were told of."""

    peers: Sequence[PeerSaid] = ()

    @property
    def every(self) -> list[Outage]:
        """All true outages."""
        return [*self.alone, *self.mixed]

    def write(self, path: Path) -> None:
        """Into a file of about a kilobyte an outage."""
        path.write_bytes(msgspec.json.encode(self) + b"\n")

    @staticmethod
    def read(path: Path) -> Results:
        """From a file; raises UnreadableError with what is wrong with it."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=Results)
        except (OSError, msgspec.MsgspecError) as error:
            raise UnreadableError(f"{path} does not hold the results of a run: {error}") from error


def machine() -> str:
    """This one, in a line."""
    size_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {size_gib:.0f} GiB, {platform.machine()}, "
        f"Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    )
