"""What somebody asks for beside the file when outages of before are imported, whichever way he asks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from msgspec import structs

from detak_collector.catalogue.moments import zone_name
from detak_collector.catalogue.place import Place
from detak_collector.past.mapping import Mapping
from detak_collector.past.outages import Wanted

Pairs = Sequence[tuple[str, str]]


class AskedError(ValueError):
    """Something that was asked for cannot be; `field` is one of Asked."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class Asked:
    """`mapped` are pairs of an object and its service, `only` of a column and a value; what is empty asks nothing."""

    mapped: Pairs = ()
    only: Pairs = ()
    service: str = ""
    ignoring: bool = False
    timezone: str = ""
    encoding: str = ""

    def applied(self, read: Mapping) -> Mapping:
        """The mapping with what is asked beside it; raises AskedError."""
        only = dict(read.only)
        for column in dict.fromkeys(name for name, _ in self.only):
            only[column] = tuple(value for name, value in self.only if name == column)
        zone = self.timezone or read.timezone
        if zone:
            wrong = Place("timezone", [])
            if zone_name(zone, wrong) is None:
                raise AskedError("timezone", wrong.lines[0].partition(": ")[2])
        return structs.replace(
            read,
            only=only,
            services={**dict(self.mapped), **read.services},
            timezone=zone,
            encoding=self.encoding or read.encoding,
        )

    def wanted(self, services: Sequence[str], zone: ZoneInfo) -> Wanted:
        """Of which services outages are read; raises AskedError. `zone`: the organisation's."""
        for field, name in [("service", self.service), *(("mapped", name) for _, name in self.mapped)]:
            if name and name not in services:
                raise AskedError(field, f"no such service; one of {', '.join(services)} (got {name!r})")
        return Wanted(services, self.service or None, self.ignoring, zone)


def parted(text: str) -> tuple[str, str] | None:
    """Two texts with an equals sign between them, of which the last one divides; None where it is not that."""
    before, sign, after = text.rpartition("=")
    return (before.strip(), after.strip()) if sign and before.strip() and after.strip() else None
