"""HAProxy's statistics as it writes them (its management guide, 9.1), read into rows. Pure."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass

FIRST = "# pxname,"
"""What the line with the names of the columns begins with."""

FRONTEND, BACKEND = "FRONTEND", "BACKEND"
UNCHECKED = "no check"


class NotStatisticsError(Exception):
    """What came is something else."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a frontend, a backend as a whole, or one of its servers. None where HAProxy says nothing."""

    proxy: str
    name: str
    status: str
    sessions: int = 0
    limit: int | None = None
    queued: int = 0
    times_down: int | None = None
    unchanged_s: int | None = None
    why: str = ""

    @property
    def up(self) -> bool:
        """Whether a server takes new requests; one that HAProxy does not check is taken to do so, as HAProxy does."""
        return self.status.startswith("UP") or self.status == UNCHECKED

    @property
    def set_aside(self) -> bool:
        """Whether a person took a server out."""
        return self.status.startswith(("MAINT", "DRAIN"))

    @property
    def shown(self) -> str:
        """A server and its state for people."""
        return f"{self.name} {self.status}" + (f" ({self.why})" if self.why and not self.set_aside else "")


@dataclass(frozen=True, slots=True)
class Process:
    """The process that answered. `connections` and `most_connections` are of all its frontends together."""

    pid: int
    uptime_s: int
    started_s: int | None
    stopping: bool
    connections: int
    most_connections: int


def rows_of(text: str) -> list[Row]:
    """The rows of the CSV; NotStatisticsError if it is none."""
    if not text.startswith(FIRST):
        raise NotStatisticsError
    try:
        return [_row(told) for told in csv.DictReader(text.removeprefix("# ").splitlines())]
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise NotStatisticsError from error


def _row(told: Mapping[str, str]) -> Row:
    return Row(
        proxy=told["pxname"],
        name=told["svname"],
        status=told["status"],
        sessions=_number(told, "scur") or 0,
        limit=_number(told, "slim"),
        queued=_number(told, "qcur") or 0,
        times_down=_number(told, "chkdown"),
        unchanged_s=_number(told, "lastchg"),
        why=_why(told),
    )


def _number(told: Mapping[str, str], key: str) -> int | None:
    text = told.get(key)
    return int(text) if text else None


def _why(told: Mapping[str, str]) -> str:
    """What the last health check met; older releases have fewer columns."""
    description = " ".join(filter(None, (told.get("check_desc") or told.get("check_status"), told.get("check_code"))))
    return ": ".join(filter(None, (description, told.get("last_chk"))))


def process_of(text: str) -> Process:
    """The process from the lines of `show info`; NotStatisticsError if they are something else."""
    told = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    try:
        return Process(
            pid=int(told["Pid"]),
            uptime_s=int(told["Uptime_sec"]),
            started_s=int(told["Start_time_sec"]) if "Start_time_sec" in told else None,
            stopping=told.get("Stopping", "0") != "0",
            connections=int(told["CurrConns"]),
            most_connections=int(told["Maxconn"]),
        )
    except (KeyError, ValueError) as error:
        raise NotStatisticsError from error
