"""Whether the catalogue and the corrections of a bundle are those that people entered, by the chained entries. Pure.

What has effect must have been proposed by one and approved by another, in those words and at those times. An approval
that stands alone must have effect. What was amended, withdrawn or entered at two collectors at once is not judged anew
here: of that only what has effect is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from detak_collector.bundle.manifest import SERVICES, Corrections, Manifest
from detak_collector.catalogue.corrections import read_declaration, read_exclusion
from detak_collector.catalogue.place import CatalogueError
from detak_collector.downtime.catalogue import Correction, Exclusion
from detak_collector.downtime.periods import to_ms
from detak_collector.report.numbers import iso_utc

EXCLUSION, DECLARATION = "exclusion", "declaration"
RECURS = ("recurrence", "timezone", "except")
Entry = Mapping[str, Any]


def disagreements(
    entries: Sequence[Entry], manifest: Manifest, texts: Mapping[str, str], corrections: Corrections, zone: ZoneInfo
) -> Iterator[str]:
    """What does not agree, each as a line for people."""
    known = [
        one for one in entries if one.get("recorded_utc", 0) <= manifest.as_of and isinstance(one.get("body"), dict)
    ]
    if manifest.catalogue is not None:
        yield from _of_catalogue(known, manifest.catalogue.digest, texts)
    proposals = [one for one in known if one.get("kind") == "proposal"]
    approvals: dict[str, list[Entry]] = {}
    for one in known:
        if one.get("kind") == "decision":
            approvals.setdefault(str(one["body"].get("on")), []).append(one)
    applied: dict[str, list[Correction]] = {EXCLUSION: [], DECLARATION: []}
    applied[EXCLUSION] += [one for one in corrections.exclusions if one.in_force]
    applied[DECLARATION] += [one for one in corrections.declarations if one.in_force]
    for about, every in applied.items():
        of_kind = [one for one in proposals if one["body"].get("about") == about]
        for correction in every:
            said = (one for one in of_kind if _is(correction, one, approvals.get(str(one.get("id")), ()), zone))
            proposal = next(said, None)
            if proposal is None:
                yield f"{about} {correction.label}: is not as it was proposed and approved in the ledger"
            elif corrections.drills is not None and about == EXCLUSION:
                is_drill = _is_drill(correction, proposal, of_kind, zone)
                if is_drill != (correction.id in corrections.drills):
                    told = "a drill in the ledger" if is_drill else "no drill that was declared ahead in the ledger"
                    yield f"{about} {correction.label}: is {told}, and the bundle says otherwise"
        names = {one.id for one in every}
        yield from _left_out(about, of_kind, approvals, names, manifest.as_of)


def _of_catalogue(entries: Sequence[Entry], digest: str, texts: Mapping[str, str]) -> Iterator[str]:
    versions = [one["body"] for one in entries if one.get("kind") == "catalogue"]
    if not any(one.get("digest") == digest and one.get("files") == texts for one in versions):
        yield f"{SERVICES}: is no version of the catalogue in the ledger"


def _is(correction: Correction, proposal: Entry, decisions: Sequence[Entry], zone: ZoneInfo) -> bool:
    """Whether that proposal and one of its approvals say just this."""
    if correction.id.partition("-")[0] != proposal["body"].get("name"):
        return False
    first = _first(correction, proposal, zone)
    by = (correction.approved_by, correction.approved_at)
    approved = any((one.get("author"), one.get("recorded_utc")) == by for one in decisions if _approves(one))
    if first is None or not approved:
        return False
    first = replace(first, approved_by=by[0], approved_at=by[1])
    if not isinstance(first, Exclusion) or not isinstance(correction, Exclusion) or correction.window is None:
        return first == correction
    is_as_long = correction.end - correction.begin == first.end - first.begin and correction.begin >= first.begin
    window = replace(first, begin=correction.begin, end=correction.end, window=correction.window)
    return is_as_long and "recurrence" in proposal["body"]["record"] and window == correction


def _is_drill(correction: Correction, proposal: Entry, proposals: Sequence[Entry], zone: ZoneInfo) -> bool:
    """Whether it was declared as a drill before it began, or stands in the place of one that was."""
    seen: set[object] = set()
    one: Entry | None = proposal
    while one is not None and one.get("id") not in seen and one["body"].get("drill") is True:
        first = _first(correction, one, zone)
        if first is not None and not first.late:
            return True
        seen.add(one.get("id"))
        target = one["body"].get("target")
        one = None if target is None else next((other for other in proposals if other.get("id") == target), None)
    return False


def _first(correction: Correction, proposal: Entry, zone: ZoneInfo) -> Correction | None:
    """What the proposal says, of one that recurs its first window: which others there are needs a library."""
    record, at = proposal["body"].get("record"), proposal.get("recorded_utc")
    if not isinstance(record, dict) or type(at) is not int:
        return None
    told = {key: value for key, value in record.items() if key not in RECURS}
    told |= {"id": correction.id, "proposed_by": proposal.get("author"), "proposed_at": iso_utc(at)}
    try:
        if isinstance(correction, Exclusion):
            return read_exclusion(told, zone, None, correction.id).first
        return read_declaration(told, None, correction.id)
    except (CatalogueError, OverflowError):
        return None


def _instant(value: object) -> int | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if moment is None or moment.tzinfo is None else to_ms(moment)


def _approves(decision: Entry) -> bool:
    return bool(decision["body"].get("verdict") == "approve")


def _left_out(
    about: str, proposals: Sequence[Entry], approvals: Mapping[str, Sequence[Entry]], names: set[str], as_of: int
) -> Iterator[str]:
    """Approved once, by somebody else, never touched again, begun by now, and not applied."""
    by_root: dict[str, list[Entry]] = {}
    for one in proposals:
        by_root.setdefault(str(one["body"].get("root")), []).append(one)
    for matters in by_root.values():
        decisions = approvals.get(str(matters[0].get("id")), ())
        if len(matters) != 1 or len(decisions) != 1 or not _approves(decisions[0]):
            continue
        author, approver = str(matters[0].get("author")), str(decisions[0].get("author"))
        begin = _instant((matters[0]["body"].get("record") or {}).get("from"))
        name = matters[0]["body"].get("name")
        is_other = author.strip().casefold() != approver.strip().casefold()
        if is_other and begin is not None and begin < as_of and name not in names:
            yield f"{about} {name}: approved in the ledger, and left out"
