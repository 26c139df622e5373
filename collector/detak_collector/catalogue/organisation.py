"""services.toml as a whole: from its text to a Catalogue, or to every reason why it is none."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from detak_collector.catalogue.calendars import Beside, read_calendar
from detak_collector.catalogue.dated import Scalars
from detak_collector.catalogue.groups import shared_group
from detak_collector.catalogue.moments import Zone, zone_name
from detak_collector.catalogue.place import CatalogueError, Place, resembling
from detak_collector.catalogue.references import check_references
from detak_collector.catalogue.services import Surroundings, read_node, read_service
from detak_collector.catalogue.table import Reading, Table
from detak_collector.catalogue.values import distinct, flag, name, one_of, percent, text, whole
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, HA_RULES, Catalogue, Dated, Unit

T = TypeVar("T")

FILE_BYTES = 32 * 1024 * 1024
DAY_MS = 86_400_000
_LENGTH = whole(0, DAY_MS)


def load(path: Path) -> Catalogue:
    """The catalogue in a file; its messages name the file as `path` does."""
    return load_with_texts(path)[0]


def load_with_texts(path: Path) -> tuple[Catalogue, str, dict[str, str]]:
    """The same with the text of the file, and those of the tables that it names."""
    content = text_of(path)
    if content is None:
        reason = f"not a readable text file of at most {FILE_BYTES} bytes" if path.exists() else "no such file"
        raise CatalogueError([f"{path}: {reason}"])
    tables: dict[str, str] = {}

    def beside(called: str) -> str | None:
        found = text_of(path.parent / called)
        if found is not None:
            tables[called] = found
        return found

    return parse_beside(content, str(path), beside), content, tables


def parse(content: str, file: str = "services.toml", folder: Path | None = None) -> Catalogue:
    """The catalogue in a text; the tables of holidays that it names are looked for in `folder`."""
    return parse_beside(content, file, lambda called: text_of(folder / called) if folder else None)


def parse_beside(content: str, file: str, beside: Beside) -> Catalogue:
    """The same, where the files beside it lie anywhere."""
    top = Place(file, [])
    try:
        document = tomllib.loads(content, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CatalogueError([f"{file}: not TOML: {error}"]) from None
    found = _catalogue(Table(document, top), beside)
    top.settle()
    return found


def text_of(path: Path) -> str | None:
    """The text of a file of ordinary size; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES + 1)
        return content.decode() if len(content) <= FILE_BYTES else None
    except (OSError, ValueError):
        return None


def _catalogue(top: Table, beside: Beside) -> Catalogue:
    called = top.required("timezone", zone_name)
    scalars = Scalars(Zone(ZoneInfo(called or "UTC")))
    rules = _rules(top, str(called), scalars)
    calendars, groups, units = (top.tables(key, "id") for key in ("calendar", "group", "unit"))
    services, nodes = top.tables("service", "id"), top.tables("node", "name")
    if not top.content.get("service"):
        top.place.key("service").refuse("at least one [[service]] is required", top.content.get("service"))
    found_calendars = [read_calendar(entry, scalars.zone, beside) for entry in calendars]
    around = Surroundings(
        {str(entry.content.get("id")): shared_group(entry, scalars) for entry in groups},
        frozenset(str(entry.content.get("id")) for entry in calendars),
    )
    found_nodes = [read_node(entry, scalars) for entry in nodes]
    found_services = [read_service(entry, around, scalars) for entry in services]
    known = frozenset(str(entry.content.get("id")) for entry in services)
    found_units = [_unit(entry, known, scalars) for entry in units]
    top.finish()
    check_references(services, groups)
    return replace(
        rules,
        services=tuple(service for service in found_services if service is not None),
        nodes=tuple(node for node in found_nodes if node is not None),
        units=tuple(unit for unit in found_units if unit is not None),
        calendars=tuple(calendar for calendar in found_calendars if calendar is not None),
    )


def _rules(top: Table, timezone: str, scalars: Scalars) -> Catalogue:
    """The organisation and its rules, still without services and nodes."""

    def dated(key: str, reading: Reading[T], default: Dated[T]) -> Dated[T]:
        return top.optional(key, scalars.dated(reading), default)

    standard = Catalogue(Dated.always(""), timezone, ())
    return replace(
        standard,
        organisation=top.required("organisation", scalars.dated(text), standard.organisation),
        target_percent=dated("target_percent", percent, standard.target_percent),
        counted_criticality=top.optional("counted_criticality", distinct(text, least=1), standard.counted_criticality),
        planned_in_denominator=dated("planned_in_denominator", flag, standard.planned_in_denominator),
        ha_rule=dated("ha_rule", one_of(HA_RULES), standard.ha_rule),
        counted_exclusions=top.optional(
            "counted_exclusions", distinct(one_of(EXCLUSION_CATEGORIES)), standard.counted_exclusions
        ),
        incident_gap_ms=dated("incident_gap_ms", _LENGTH, standard.incident_gap_ms),
        minimum_outage_ms=dated("minimum_outage_ms", _LENGTH, standard.minimum_outage_ms),
        freeze_degraded_below_ms=dated("freeze_degraded_below_ms", _LENGTH, standard.freeze_degraded_below_ms),
    )


def _unit(entry: Table, services: frozenset[str], scalars: Scalars) -> Unit | None:
    """A [[unit]]: a part of the organisation with a figure of its own."""

    def service(value: object, place: Place) -> str | None:
        if isinstance(value, str) and value in services:
            return value
        hint = resembling(value, services) if isinstance(value, str) else ""
        place.refuse(f"the id of a [[service]]{hint}", value)
        return None

    before = len(entry.place.lines)
    key = entry.required("id", name)
    called = entry.optional("name", text, key)
    members = entry.required("services", distinct(service, least=1))
    target = entry.optional("target_percent", scalars.dated(percent))
    entry.finish()
    return Unit(str(key), str(called), members or (), target) if len(entry.place.lines) == before else None
