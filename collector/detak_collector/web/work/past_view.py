"""An import of past outages as pages and programs are told of it, and what somebody may do with it now. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from detak_collector.accounts.roles import Right
from detak_collector.decisions.corrections import windows_of
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.register import Matter, State
from detak_collector.downtime.catalogue import Correction
from detak_collector.past.batch import Batch
from detak_collector.report.numbers import iso_utc
from detak_collector.web.session import Person
from detak_collector.web.work.exclusions_acts import is_own
from detak_collector.web.work.past_wish import TOOLS

SHOWN = 200
"""So many of its outages are listed; all of them are declarations like others."""


@dataclass(frozen=True, slots=True)
class OutageRow:
    """One outage of it; `one` is None of a record of another version."""

    matter: Matter
    one: Correction | None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """An import. Times are UTC milliseconds; `down_ms` is declared down by what of it is in force.

    `ending`: of so many that are in force the end is proposed.
    """

    batch: Batch
    outages: tuple[OutageRow, ...]
    states: Mapping[State, int]
    begin: int | None
    end: int | None
    down_ms: int
    ending: int

    @property
    def tool(self) -> str:
        """Which program wrote the file, for people; empty where that is not known, or it was none of these."""
        return TOOLS.get(self.batch.source.tool, "")

    @property
    def first(self) -> Matter:
        """What was proposed first of it."""
        return self.batch.matters[0]

    @property
    def document(self) -> str:
        """The document that ordered it."""
        return str((self.first.proposal.body.record or {}).get("document", ""))


def row_of(batch: Batch) -> BatchRow:
    """It with all its outages, in the order of time."""
    rows = [OutageRow(one, next(iter(windows_of(one, 0)), None)) for one in batch.proposed]
    known = [one.one for one in rows if one.one is not None]
    in_force = [one.one for one in rows if one.one is not None and one.matter.state is State.IN_FORCE]
    return BatchRow(
        batch,
        tuple(sorted(rows, key=lambda one: (0 if one.one is None else one.one.begin, one.matter.name))),
        Counter(one.matter.state for one in rows),
        min((one.begin for one in known), default=None),
        max((one.end for one in known), default=None),
        sum(one.end - one.begin for one in in_force),
        sum(one.is_withdrawal for one in batch.pending),
    )


def acts_of(batch: Batch, person: Person | None) -> tuple[str, ...]:
    """What somebody may do with all of it now: `approve`, `reject`, `withdraw`."""
    if person is None:
        return ()
    pending, found = batch.pending, list[str]()
    if pending and Right.APPROVE in person.rights and not any(is_own(one, person) for one in pending):
        found += ["approve", "reject"]
    if Right.PROPOSE in person.rights and _may_end(batch, person):
        found.append("withdraw")
    return tuple(found)


def _may_end(batch: Batch, person: Person) -> bool:
    """Its proposer takes back what is pending; the end of what is in force anybody may propose."""
    waiting = [one for one in batch.pending if not one.is_withdrawal]
    if any(not same_person(person.account.name, one.proposal.author) for one in waiting):
        return False
    return bool(waiting) or bool(standing(batch))


def standing(batch: Batch) -> list[Matter]:
    """What of it is in force and not about to end."""
    ending = {one.target.name for one in batch.pending if one.is_withdrawal and one.target is not None}
    return [one for one in batch.in_force if one.name not in ending]


def missing(batch: Batch, action: str, reason: str, document: str) -> list[str]:
    """What has to be said for that, and is not."""
    found = [] if reason or action == "approve" else ["reason"]
    return [*found, "document"] if action == "withdraw" and standing(batch) and not document else found


def batch_json(row: BatchRow) -> dict[str, object]:
    """It without its outages."""
    source, entry = row.batch.source, row.first.proposal.entry
    return {
        "import": source.name,
        "digest": source.digest,
        "tool": source.tool or None,
        "file": source.file or None,
        "outages": len(row.outages),
        "states": {state.value: count for state, count in row.states.items()},
        "from": None if row.begin is None else iso_utc(row.begin),
        "to": None if row.end is None else iso_utc(row.end),
        "down_ms": row.down_ms,
        "end_proposed": row.ending,
        "document": row.document,
        "proposed_by": entry.author,
        "proposed_at": iso_utc(entry.recorded_utc),
    }


def outage_json(row: OutageRow) -> dict[str, object]:
    """One outage of it."""
    record = row.matter.proposal.body.record or {}
    return {
        "id": row.matter.name,
        "state": row.matter.state.value,
        "service": None if row.one is None else row.one.scope,
        "from": record.get("from"),
        "to": record.get("to"),
        "reason": record.get("reason"),
    }
