"""Services and nodes: what each entry may say by itself. Whether they fit together is for `references`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detak_collector.catalogue.dated import Scalars
from detak_collector.catalogue.groups import member, own_group, together
from detak_collector.catalogue.moments import Zone
from detak_collector.catalogue.place import Place, resembling
from detak_collector.catalogue.table import Reading, Table
from detak_collector.catalogue.values import array, check, distinct, flag, name, text
from detak_collector.downtime.catalogue import ALWAYS_OPEN, Dated, Group, Member, NodeEntry, Service


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a service may refer to. A shared group or calendar that is itself wrong is None, but known by its id."""

    groups: Mapping[str, Group | None]
    calendars: frozenset[str]


def read_service(entry: Table, around: Surroundings, scalars: Scalars) -> Service | None:
    """A [[service]]."""
    before = len(entry.place.lines)
    key = entry.required("id", name)
    called = entry.optional("name", scalars.dated(text), Dated.always(str(key)))
    criticality = entry.required("criticality", scalars.dated(text, "without gaps"))
    hours = entry.optional("hours", scalars.dated(_hours(around.calendars)), Dated.always(ALWAYS_OPEN))
    public = entry.optional("public", scalars.dated(flag), Dated.always(value=False))
    probes = entry.optional("probes", _probes(scalars.zone), ())
    guard = entry.optional("probe_guard", scalars.dated(flag), Dated.always(value=True))
    uses = entry.optional("uses", distinct(_used_group(around.groups)), ())
    own = [own_group(one, str(key), scalars) for one in entry.tables("group", label="name")]
    entry.finish()
    if len(entry.place.lines) == before:
        _check_whole(entry, [group for group in own if group is not None], uses, probes)
    if len(entry.place.lines) > before or key is None or criticality is None:
        return None
    groups = (*own, *(around.groups[one] for one in uses))
    complete = tuple(group for group in groups if group is not None)
    return Service(key, called, criticality, complete, probes, hours, public, guard)


def read_node(entry: Table, scalars: Scalars) -> NodeEntry | None:
    """A [[node]]."""
    before = len(entry.place.lines)
    called = entry.required("name", name)
    site = entry.optional("site", scalars.dated(text, "anywhen"))
    witnesses = entry.optional("witnesses", distinct(check), ())
    references = entry.optional("references", distinct(check), ())
    retired = entry.optional("retired", scalars.zone.moment)
    entry.finish()
    for number, one in enumerate(witnesses, start=1):
        if one.startswith(f"{called}/"):
            entry.place.key("witnesses").item(f"#{number}").refuse("a check on another node", one)
    for number, one in enumerate(references, start=1):
        if called and not one.startswith(f"{called}/"):
            entry.place.key("references").item(f"#{number}").refuse(f"a check of {called} itself", one)
    if called is None or len(entry.place.lines) > before:
        return None
    return NodeEntry(called, site, witnesses, references, retired)


def _hours(calendars: frozenset[str]) -> Reading[str]:
    def read(value: object, place: Place) -> str | None:
        if value == ALWAYS_OPEN:
            return ALWAYS_OPEN
        if isinstance(value, str) and value in calendars:
            return value
        hint = resembling(value, calendars) if isinstance(value, str) else ""
        place.refuse(f'"{ALWAYS_OPEN}" or the id of a [[calendar]]{hint}', value)
        return None

    return read


def _used_group(groups: Mapping[str, Group | None]) -> Reading[str]:
    def read(value: object, place: Place) -> str | None:
        if isinstance(value, str) and value in groups:
            return value
        hint = resembling(value, groups) if isinstance(value, str) else ""
        place.refuse(f"the id of a [[group]]{hint}", value)
        return None

    return read


def _probes(zone: Zone) -> Reading[tuple[Member, ...]]:
    """Checks that test the service as its users reach it. They observe one thing already: the service."""

    def read(value: object, place: Place) -> tuple[Member, ...] | None:
        probes = array(member(zone))(value, place)
        if probes is None:
            return None
        before = len(place.lines)
        for number, one in enumerate(probes, start=1):
            at = place.item(f"#{number}")
            if len(one.checks) > 1:
                at.say("several probes observe the service together: list each of them by itself")
            elif any(one.checks == other.checks and together(one, other) for other in probes[: number - 1]):
                at.refuse("each may be listed once at any time", one.label)
        return probes if len(place.lines) == before else None

    return read


def _check_whole(entry: Table, own: list[Group], uses: tuple[str, ...], probes: tuple[Member, ...]) -> None:
    for reason in _flaws(own, uses, probes):
        entry.place.say(reason)


def _flaws(own: list[Group], uses: tuple[str, ...], probes: tuple[Member, ...]) -> Iterator[str]:
    if not own and not uses and not probes:
        yield "needs something that can be down: a [[service.group]], a shared group in uses, or probes"
    for group in own:
        if group.name in uses:
            yield f'its own group and a shared group are both called "{group.name}"; rename one'
