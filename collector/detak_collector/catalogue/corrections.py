"""exclusions.ndjson and declarations.ndjson: one JSON record a line, checked against the catalogue they correct."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

from detak_collector.catalogue.moments import instant, zone_name
from detak_collector.catalogue.place import CatalogueError, Place, resembling
from detak_collector.catalogue.recurrence import MOST_WINDOWS, Recurrence, excepting, read_parts, recurrence_of
from detak_collector.catalogue.table import Reading, Table
from detak_collector.catalogue.values import distinct, one_of, prose, text
from detak_collector.downtime.catalogue import (
    EXCLUSION_CATEGORIES,
    Catalogue,
    Correction,
    Declaration,
    Exclusion,
    Group,
    Service,
)

LINE_CHARACTERS = 64 * 1024
SCOPES = ("all", "site", "node", "check", "group", "service")
DECLARATION_SCOPES = {"down": ("service",), "up": ("check", "node")}

Scope = tuple[str, str]
Corrected = TypeVar("Corrected", bound=Correction)


@dataclass(frozen=True, slots=True)
class Entered:
    """An exclusion as it was entered: its first window and, if it recurs, when others begin."""

    first: Exclusion
    again: Recurrence | None = None

    def windows(self, until: int) -> tuple[Exclusion, ...]:
        """It, or the windows of it that begin before `until`, the first in any case; raises CatalogueError at too many.

        All have its length to the millisecond, whatever clocks do meanwhile.
        """
        if self.again is None:
            return (self.first,)
        begins = tuple(islice(self.again.begins(until), MOST_WINDOWS + 1))
        if len(begins) > MOST_WINDOWS:
            reason = f"exclusion {self.first.id} recurs more than {MOST_WINDOWS} times; end it with UNTIL"
            raise CatalogueError([f"{reason}, and go on with a new one"])
        length = self.first.end - self.first.begin
        return tuple(
            replace(self.first, begin=begin, end=begin + length, window=number)
            for number, begin in enumerate(begins, start=1)
        )


def parse_exclusions(content: str, catalogue: Catalogue, file: str = "exclusions.ndjson") -> tuple[Entered, ...]:
    """The exclusions in a text, in its order; raises CatalogueError with every problem in it."""
    top = Place(file, [])
    records = _Records(targets_of(catalogue))
    zone = ZoneInfo(catalogue.timezone)
    found = [records.exclusion(entry, zone) for entry in _entries(content, top)]
    top.settle()
    return tuple(one for one in found if one is not None)


def parse_declarations(
    content: str, catalogue: Catalogue, file: str = "declarations.ndjson"
) -> tuple[Declaration, ...]:
    """The declarations in a text, in its order; raises CatalogueError with every problem in it."""
    top = Place(file, [])
    records = _Records(targets_of(catalogue))
    found = [records.declaration(entry, _kinds_of(entry)) for entry in _entries(content, top)]
    top.settle()
    return tuple(one for one in found if one is not None)


def read_exclusion(record: Mapping[str, object], zone: ZoneInfo, catalogue: Catalogue | None, what: str) -> Entered:
    """One exclusion, as `what` has it; without a catalogue its scope may name anything. Raises CatalogueError."""
    top = Place(what, [])
    found = _Records(targets_of(catalogue) if catalogue is not None else None).exclusion(Table(record, top), zone)
    top.settle()
    assert found is not None, record
    return found


def read_declaration(record: Mapping[str, object], catalogue: Catalogue | None, what: str) -> Declaration:
    """One declaration, in the same way."""
    top = Place(what, [])
    entry = Table(record, top)
    found = _Records(targets_of(catalogue) if catalogue is not None else None).declaration(entry, _kinds_of(entry))
    top.settle()
    assert found is not None, record
    return found


def _kinds_of(entry: Table) -> tuple[str, ...]:
    """The kinds of scope that a declaration of its category may have."""
    category = entry.content.get("category")
    return DECLARATION_SCOPES.get(category, SCOPES) if isinstance(category, str) else SCOPES


def _entries(content: str, top: Place) -> Iterator[Table]:
    """The record of each line that is not blank."""
    for number, line in enumerate(content.split("\n"), start=1):
        place = Place(f"{top.file}:{number}", top.lines)
        if len(line) > LINE_CHARACTERS:
            place.say(f"longer than {LINE_CHARACTERS} characters")
        elif line.strip():
            try:
                record = json.loads(line, object_pairs_hook=_each_key_once, parse_constant=_refuse_constant)
            except (ValueError, RecursionError) as error:
                place.say(f"not JSON: {error}")
                continue
            if isinstance(record, dict):
                yield Table(record, place)
            else:
                place.refuse("a JSON object", record)


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a key stands twice")
    return record


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON number")


def targets_of(catalogue: Catalogue) -> Mapping[str, frozenset[str]]:
    """What the catalogue has of each kind of scope."""
    groups = [(service, group) for service in catalogue.services for group in service.groups]
    checks = {check for service in catalogue.services for check in service.checks()}
    checks.update(check for node in catalogue.nodes for check in (*node.witnesses, *node.references))
    nodes = {check.partition("/")[0] for check in checks}.union(node.name for node in catalogue.nodes)
    return {
        "site": frozenset(site for node in catalogue.nodes if node.site is not None for site in node.site.values()),
        "node": frozenset(nodes),
        "check": frozenset(checks),
        "group": frozenset(key for service, group in groups for key in _scopes_of(service, group)),
        "service": frozenset(service.id for service in catalogue.services),
    }


def _scopes_of(service: Service, group: Group) -> tuple[str, ...]:
    """A service's own group has one name; a shared one can be meant everywhere or in this service."""
    return (group.key,) if "/" in group.key else (group.key, f"{service.id}/{group.key}")


@dataclass(frozen=True, slots=True)
class _Records:
    """Reads records one after the other; ids are unique among them. Without `targets` a scope may name anything."""

    targets: Mapping[str, frozenset[str]] | None
    taken: set[str] = field(default_factory=set)

    def exclusion(self, entry: Table, zone: ZoneInfo) -> Entered | None:
        """The exclusion, or None where it was refused. It recurs in `zone` unless it names another."""
        before = len(entry.place.lines)
        first = self._correction(Exclusion, entry, EXCLUSION_CATEGORIES, SCOPES)
        parts = entry.optional("recurrence", read_parts)
        own_zone = entry.optional("timezone", zone_name)
        without = entry.optional("except", distinct(instant))
        entry.finish()
        for key, value in (("timezone", own_zone), ("except", without)):
            if parts is None and value is not None and entry.raw("recurrence") is None:
                entry.place.key(key).refuse("only with recurrence; remove it", entry.content[key])
        if len(entry.place.lines) > before or parts is None:
            return None if len(entry.place.lines) > before else Entered(first)
        zone = ZoneInfo(own_zone) if own_zone else zone
        again = recurrence_of(parts, zone, first.begin, first.end, entry.place.key("recurrence"))
        if again is not None and without:
            again = excepting(again, without, entry.place.key("except"))
        return None if again is None else Entered(first, again)

    def declaration(self, entry: Table, kinds: tuple[str, ...]) -> Declaration | None:
        """The declaration, or None where it was refused."""
        before = len(entry.place.lines)
        found = self._correction(Declaration, entry, tuple(DECLARATION_SCOPES), kinds)
        entry.finish()
        return found if len(entry.place.lines) == before else None

    def _correction(
        self, made: type[Corrected], entry: Table, categories: Iterable[str], kinds: tuple[str, ...]
    ) -> Corrected:
        """What both kinds of records say; where that was refused it is worthless."""
        before = len(entry.place.lines)
        kind, scope = entry.required("scope", self._scope(kinds), ("", ""))
        found = made(
            id=entry.required("id", self._new_id, ""),
            category=entry.required("category", one_of(categories), ""),
            scope_kind=kind,
            scope=scope,
            begin=entry.required("from", instant, 0),
            end=entry.required("to", instant, 0),
            document=entry.required("document", text, ""),
            reason=entry.required("reason", prose, ""),
            proposed_by=entry.required("proposed_by", text, ""),
            proposed_at=entry.required("proposed_at", instant, 0),
            approved_by=entry.optional("approved_by", text),
            approved_at=entry.optional("approved_at", instant),
        )
        if len(entry.place.lines) == before:
            _check_times(found, entry)
        return found

    def _new_id(self, value: object, place: Place) -> str | None:
        called = text(value, place)
        if called in self.taken:
            place.refuse("each id may be used once", value)
            return None
        if called is not None:
            self.taken.add(called)
        return called

    def _scope(self, kinds: tuple[str, ...]) -> Reading[Scope]:
        def read(value: object, place: Place) -> Scope | None:
            if value == "all" and "all" in kinds:
                return "all", ""
            if not isinstance(value, dict) or len(value) != 1:
                place.refuse(f"a table with one of {', '.join(kinds)}", value)
                return None
            [(key, target)] = value.items()
            kind = one_of(kinds)(key, place)
            return None if kind is None else self._target(kind, target, place.key(kind))

        return read

    def _target(self, kind: str, target: object, place: Place) -> Scope | None:
        if kind == "all" and target is True:
            return kind, ""
        known = None if self.targets is None else self.targets.get(kind, frozenset())
        if isinstance(target, str) and (known is None or target in known):
            return kind, target
        hint = resembling(target, known or ()) if isinstance(target, str) else ""
        place.refuse("true" if kind == "all" else f"a {kind} of the catalogue{hint}", target)
        return None


def _check_times(found: Correction, entry: Table) -> None:
    if found.begin >= found.end:
        entry.place.key("to").refuse("later than from", entry.content["to"])
    if found.approved_by is None and found.approved_at is not None:
        entry.place.key("approved_by").refuse("required with approved_at")
