"""What the columns of a file of past outages mean: mappings that come with the program, or one of a user's own."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from typing import Final, Literal

import msgspec
from msgspec import Struct

from detak_collector.catalogue.moments import zone_name
from detak_collector.catalogue.place import CatalogueError, Place

OUTAGES: Final = "outages"
EVENTS: Final = "events"
Rows = Literal["csv", "nagios"]
ISO, EPOCH, EPOCH_MS = "iso", "epoch", "epoch-ms"


class Columns(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which column says what. Of outages `begin` and `end` or `minutes`, of events `time` and `state`.

    `object` is what was down, `reason` is told of it; of several columns the texts are joined.
    """

    begin: str = ""
    end: str = ""
    minutes: str = ""
    time: str = ""
    state: str = ""
    object: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()

    def named(self) -> list[str]:
        """Every column that must be there."""
        single = (self.begin, self.end, self.minutes, self.time, self.state)
        return list(dict.fromkeys(one for one in (*single, *self.object, *self.reason) if one))


class States(Struct, frozen=True, forbid_unknown_fields=True):
    """What the states of events are called. One of `keep` says nothing: the state before it goes on."""

    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """How to read a file: a row an outage, or a row an event that says how something was from then on.

    `times` are tried in order: `iso`, `epoch`, `epoch-ms`, or a pattern such as `%d/%m/%Y %H:%M`. `timezone` is that of
    times that name none, the organisation's where it is empty. `only` keeps the rows that have one of these values.
    `services` says by what is in `object`, or a pattern of it, which service that was.
    """

    rows: Literal["outages", "events"]
    columns: Columns
    format: Rows = "csv"
    delimiter: str = ""
    encoding: str = "utf-8"
    times: tuple[str, ...] = (ISO,)
    timezone: str = ""
    states: States = States()
    only: dict[str, tuple[str, ...]] = {}
    services: dict[str, str] = {}

    def service_of(self, what: str) -> str | None:
        """Which service is meant by an object; a name before a pattern, of patterns the first."""
        if what in self.services:
            return self.services[what]
        return next((service for pattern, service in self.services.items() if fnmatchcase(what, pattern)), None)


MAPPINGS: Final[dict[str, Mapping]] = {
    "zabbix": Mapping(
        rows=OUTAGES,
        columns=Columns(begin="Time", end="Recovery time", object=("Host",), reason=("Problem",)),
        delimiter=",",
        times=(ISO, "%Y-%m-%d %I:%M:%S %p"),
    ),
    "uptime-kuma": Mapping(
        rows=EVENTS,
        columns=Columns(time="time", state="status", object=("monitor",), reason=("msg",)),
        times=(ISO, EPOCH_MS),
        timezone="UTC",
        states=States(down=("0",), up=("1", "3"), keep=("2",)),
    ),
    "nagios": Mapping(
        rows=EVENTS,
        columns=Columns(time="time", state="state", object=("object",), reason=("output",)),
        format="nagios",
        times=(EPOCH,),
        states=States(
            down=("DOWN", "UNREACHABLE", "CRITICAL"), up=("UP", "OK", "WARNING"), keep=("UNKNOWN", "PENDING")
        ),
    ),
}
"""By the name of the program that wrote the file."""


def read_mapping(content: bytes, file: str) -> Mapping:
    """A mapping of one's own, as TOML; raises CatalogueError."""
    try:
        read = msgspec.convert(tomllib.loads(content.decode("utf-8")), Mapping)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise CatalogueError([f"{file}: {error}"]) from None
    place = Place(file, [])
    for line in _missing(read):
        place.say(line)
    if read.timezone:
        zone_name(read.timezone, place.key("timezone"))
    place.settle()
    return read


def _missing(read: Mapping) -> list[str]:
    columns, found = read.columns, []
    if read.rows == OUTAGES:
        if not columns.begin or bool(columns.end) == bool(columns.minutes):
            found.append("columns: of outages required: begin, and one of end and minutes")
        if columns.time or columns.state:
            found.append('columns: time and state are of events; say rows = "events", or leave them out')
    else:
        if not columns.time or not columns.state:
            found.append("columns: of events required: time and state")
        if not read.states.down or not read.states.up:
            found.append("states: of events required: down and up, such as down = ['0'] and up = ['1']")
        if columns.begin or columns.end or columns.minutes:
            found.append('columns: begin, end and minutes are of outages; say rows = "outages", or leave them out')
    if "" in (*columns.object, *columns.reason, *read.only):
        found.append("a column's name is empty: say which one, or leave it out")
    if len(read.delimiter) > 1:
        found.append(f"delimiter: one character, or none to find it out (got {read.delimiter!r})")
    if not read.times:
        found.append("times: required: at least one of iso, epoch, epoch-ms, or a pattern")
    return found
