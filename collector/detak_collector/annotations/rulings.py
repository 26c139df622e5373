"""Whether a ruling on incidents may be made: which outages belong together, or not. It never changes a figure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from detak_collector.annotations.faults import Fault
from detak_collector.downtime.incidents import MERGE, UNDO, Ruling, in_force
from detak_collector.downtime.numbering import Known
from detak_collector.translation.language import mark

OUTAGE, RULING = "NUMBER", "RULING"
TOO_FEW = mark("two different outages at least (got {got})")
NO_OUTAGE = mark("no outage has it (got {got})")
PART_OF = mark("late evidence made it part of outage {other}: name that one (got {got})")
NO_RULING = mark("there is none of that number (got {got})")
IS_UNDOING = mark("it takes back ruling {other}; rule that anew instead (got {got})")
UNDONE = mark("it was taken back already (got {got})")


def fault_of(ruling: Ruling, known: Callable[[int], Known | None], rulings: Sequence[Ruling]) -> Fault | None:
    """Why it may not be; None where it may. `rulings` are all that were made so far."""
    if ruling.kind == UNDO:
        return _undoing_fault(ruling.undoes, rulings)
    if ruling.kind == MERGE and len(set(ruling.outages)) < 2:
        return Fault(OUTAGE, TOO_FEW, {"got": " ".join(map(str, ruling.outages)) or "-"})
    for number in ruling.outages:
        found = known(number)
        if found is None:
            return Fault(OUTAGE, NO_OUTAGE, {"got": str(number)})
        if found.merged_into is not None:
            return Fault(OUTAGE, PART_OF, {"other": str(found.merged_into), "got": str(number)})
    return None


def _undoing_fault(undone: int | None, rulings: Sequence[Ruling]) -> Fault | None:
    got = {"got": str(undone)}
    named = next((one for one in rulings if one.id == undone), None)
    if named is None:
        return Fault(RULING, NO_RULING, got)
    if named.kind == UNDO:
        return Fault(RULING, IS_UNDOING, {"other": str(named.undoes), **got})
    if named not in in_force(rulings):
        return Fault(RULING, UNDONE, got)
    return None


def touching(rulings: Iterable[Ruling], numbers: Collection[int | None]) -> list[Ruling]:
    """The rulings on any of these outages, and what took them back."""
    known = list(rulings)
    found = {one.id for one in known if any(number in numbers for number in one.outages)}
    return [one for one in known if one.id in found or one.undoes in found]


def standing(rulings: Iterable[Ruling]) -> Mapping[int, bool]:
    """By ruling, whether it is in force."""
    every = list(rulings)
    in_effect = {one.id for one in in_force(every)}
    return {one.id: one.id in in_effect for one in every}
