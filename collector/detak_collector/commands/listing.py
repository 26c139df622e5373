"""Exclusions and declarations as a terminal shows them: in a line, in a table, with their history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from detak_collector.catalogue.corrections import Entered
from detak_collector.catalogue.place import CatalogueError
from detak_collector.decisions.corrections import is_drill, read_record
from detak_collector.decisions.proposal import APPROVE, REJECT, REPLACE, Decision, Proposal
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.catalogue import Correction
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable

STYLES = {State.PENDING: "yellow", State.IN_FORCE: "green"}
_VERDICTS = {APPROVE: "approved", REJECT: "rejected"}


def words(matter: Matter, zone: tzinfo) -> str:
    """What a proposal is, in a sentence."""
    body = matter.proposal.body
    about = matter.target.name if matter.target is not None else ""
    if matter.is_withdrawal:
        return f"the withdrawal of {about}, {body.document}: {printable(body.because)}"
    one = first_of(matter.proposal)
    if one is None:
        return "a record of another version"
    told = f"{_category(matter, one)}, {scope_text(one)}, {_times(matter.proposal, one, zone)}, {one.document}"
    late = ". It was entered late, after its time had begun" if one.late else ""
    return f"{told}{f', in place of {about}' if body.action == REPLACE else ''}{late}"


def first_of(proposal: Proposal) -> Correction | None:
    """The record, or the first window of one that recurs."""
    try:
        read = read_record(proposal)
    except CatalogueError:
        return None
    return read.first if isinstance(read, Entered) else read


def _category(matter: Matter, one: Correction) -> str:
    return f"{one.category} (drill)" if is_drill(matter) else one.category


def scope_text(one: Correction) -> str:
    """What it is about."""
    return f"{one.scope_kind} {one.scope}" if one.scope else "every service"


def matters_table(shown: Iterable[Matter], zone: tzinfo) -> Table:
    """A line for each."""
    headings = ("id", "state", "category", "about", "time", "document and reason", "proposed by", "decided by")
    table = Table(*headings, box=None, pad_edge=False)
    for matter in shown:
        state = Text(matter.state.value, style=STYLES.get(matter.state, "dim"))
        by = matter.proposal.author
        table.add_row(
            matter.name, state, *_told(matter, zone), by, _decided(matter), style="" if matter.live else "dim"
        )
    return table


def print_history(register: Register, matter: Matter, zone: tzinfo, console: Console) -> None:
    """The proposal, and every step of all that belongs to it."""
    console.print(f"{matter.name} is {matter.state.value}: {words(matter, zone)}")
    one = None if matter.is_withdrawal else first_of(matter.proposal)
    if one is not None:
        console.print(Text(printable(one.reason)))
    table = Table("when", "id", "what", "by", "why", box=None, pad_edge=False)
    for _, row in sorted(_steps(register, matter, zone), key=lambda step: step[0]):
        table.add_row(*row)
    console.print()
    console.print(table)


def _steps(register: Register, matter: Matter, zone: tzinfo) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    for place, one in enumerate(register.root_of(matter).matters):
        entry, body = one.proposal.entry, one.proposal.body
        why = " ".join(part for part in (body.document, printable(body.because)) if part)
        who = _signed(entry.author, body.login)
        yield (entry.recorded_utc, place), (
            local_text(entry.recorded_utc, zone), one.name, f"proposed: {words(one, zone)}", who, why,
        )  # fmt: skip
        for decision in one.decisions:
            yield (decision.entry.recorded_utc, place), _decision_row(decision, one, zone)


def _decision_row(decision: Decision, matter: Matter, zone: tzinfo) -> tuple[str, ...]:
    body, entry = decision.body, decision.entry
    what = _VERDICTS.get(body.verdict, "taken back")
    if entry is not matter.closed_by and decision is not matter.approval:
        what += " (does not count)"
    why = " ".join(part for part in (body.document, printable(body.reason)) if part)
    return local_text(entry.recorded_utc, zone), matter.name, what, _signed(entry.author, body.login), why


def _signed(author: str, login: str) -> str:
    return author if author == login else f"{author} (login {login})"


def _told(matter: Matter, zone: tzinfo) -> tuple[str | Text, ...]:
    if matter.is_withdrawal:
        body = matter.proposal.body
        about = matter.target.name if matter.target is not None else ""
        return "withdrawal", f"of {about}", "", Text(f"{body.document}: {printable(body.because)}")
    one = first_of(matter.proposal)
    if one is None:
        return "", "", "", "a record of another version"
    late = " (late)" if one.late else ""
    place = f" (in place of {matter.target.name})" if matter.target is not None else ""
    told = Text(f"{one.document}: {printable(one.reason)}{place}")
    return _category(matter, one), scope_text(one), f"{_times(matter.proposal, one, zone)}{late}", told


def _times(proposal: Proposal, one: Correction, zone: tzinfo) -> str:
    record = proposal.body.record or {}
    times = f"{local_text(one.begin, zone)} to {local_text(one.end, zone)}"
    if not record.get("recurrence"):
        return times
    less = f" less {len(record['except'])}" if record.get("except") else ""
    return f"{times}, again by {record['recurrence']}{less}"


def _decided(matter: Matter) -> str:
    if matter.approval is not None:
        return matter.approval.author
    return matter.closed_by.author if matter.closed_by is not None else "-"
