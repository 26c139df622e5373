"""The exclusions and declarations that the log comes to, as the engine takes them: in force, or pending. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from detak_collector.catalogue.corrections import Entered, read_declaration, read_exclusion
from detak_collector.catalogue.place import CatalogueError
from detak_collector.decisions.proposal import EXCLUSION, Proposal
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.catalogue import Catalogue, Correction, Declaration, Exclusion
from detak_collector.pair.entry import Entry
from detak_collector.report.numbers import iso_utc

UTC = ZoneInfo("UTC")
"""Stored records name the zone in which they recur: it stays the same whatever becomes of the organisation's."""

SOMEBODY = "-"
"""Approves where it is only imagined: a name that no person can have."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a figure is derived under. Those that are pending have nobody who approved them, and no effect."""

    exclusions: tuple[Exclusion, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    drills: frozenset[str] = frozenset()
    """The exclusions that are drills, which changes nothing of what is derived."""


def known(entries: Iterable[Entry], moment: int, until: int | None = None) -> Corrections:
    """As they stood at a moment; of those that recur the windows that begin before `until`, which is that moment."""
    return corrections_of(Register.of(entries, moment), moment if until is None else until)


def corrections_of(register: Register, until: int) -> Corrections:
    """What is in force or pending, in the order in which it was proposed."""
    exclusions: list[Exclusion] = []
    declarations: list[Declaration] = []
    for matter in register.matters.values():
        if matter.live and not matter.is_withdrawal:
            found = windows_of(matter, until)
            exclusions += [one for one in found if isinstance(one, Exclusion)]
            declarations += [one for one in found if isinstance(one, Declaration)]
    drills = frozenset(one.name for one in register.matters.values() if one.live and is_drill(one))
    return Corrections(tuple(exclusions), tuple(declarations), drills)


def is_drill(matter: Matter) -> bool:
    """Whether it is a drill that was declared before it began, or stands in the place of one."""
    if not matter.proposal.body.drill:
        return False
    is_late = any(one.late for one in windows_of(matter, 0)[:1])
    return not is_late or (matter.target is not None and is_drill(matter.target))


def with_approved(register: Register, names: Collection[str], at: int) -> Corrections:
    """The same if what is proposed under these names were approved at this moment."""
    matters = [one for one in register.matters.values() if one.name in names]
    ended = [register.root_of(one).in_force for one in matters]
    gone = {one.name for one in (*matters, *ended) if one is not None}
    now = corrections_of(register, at)
    added = [
        _approved(one, SOMEBODY, at)
        for matter in matters
        if not matter.is_withdrawal
        for one in windows_of(matter, at)
    ]  # fmt: skip
    exclusions = [one for one in now.exclusions if one.id not in gone]
    declarations = [one for one in now.declarations if one.id not in gone]
    return Corrections(
        (*exclusions, *(one for one in added if isinstance(one, Exclusion))),
        (*declarations, *(one for one in added if isinstance(one, Declaration))),
    )


def windows_of(matter: Matter, until: int) -> tuple[Exclusion, ...] | tuple[Declaration, ...]:
    """What a proposal's record comes to; nothing where it cannot be read, which is so of another version's only."""
    try:
        read = read_record(matter.proposal)
        found = read.windows(until) if isinstance(read, Entered) else (read,)
    except CatalogueError:
        return ()
    if matter.state is not State.IN_FORCE or matter.approval is None:
        return found
    approval = matter.approval.entry
    return tuple(_approved(one, approval.author, approval.recorded_utc) for one in found)  # type: ignore[return-value]


def read_record(proposal: Proposal, catalogue: Catalogue | None = None) -> Entered | Declaration:
    """The record as nobody approved it yet; with a catalogue its scope must be there. Raises CatalogueError."""
    record = {
        **(proposal.body.record or {}),
        "id": proposal.name,
        "proposed_by": proposal.author,
        "proposed_at": iso_utc(proposal.entry.recorded_utc),
    }
    if proposal.body.about == EXCLUSION:
        return read_exclusion(record, UTC, catalogue, proposal.name)
    return read_declaration(record, catalogue, proposal.name)


def _approved(one: Correction, by: str, at: int) -> Correction:
    return replace(one, approved_by=by, approved_at=at)
