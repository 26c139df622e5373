"""The difference between two views of a period: as JSON (`docs/difference.schema.json`), and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from fractions import Fraction
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.catalogue import Correction, Declaration
from detak_collector.downtime.derive import Result
from detak_collector.downtime.difference import Difference, OutageChange
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.outages import Outage
from detak_collector.report.document import document
from detak_collector.report.numbers import clock_text, decimal_text, iso_utc
from detak_collector.report.tables import local_text, percent_text, plain_table
from detak_collector.report.terminal import printable

SCHEMA_VERSION = 1
COLOURS = {"appeared": "red", "vanished": "green", "changed": "yellow"}


def difference_document(found: Difference, recorded: Mapping[str, int]) -> dict[str, Any]:
    """The difference as plain JSON values, in the words of the report. `recorded`: spans recorded between, by node."""
    before, after = document(found.before), document(found.after)
    changed = [one.service for one in found.services]
    return {
        "schema_version": SCHEMA_VERSION,
        "rule_version": RULE_VERSION,
        "period": after["period"],
        "since": before["as_of"],
        "until": after["as_of"],
        "equal": found.equal,
        "target_percent": {"before": before["target_percent"], "after": after["target_percent"]},
        "figure": {"before": before["figure"], "after": after["figure"]},
        "services": [
            {"id": name, "before": _service(before, name), "after": _service(after, name)} for name in changed
        ],
        "outages": [_outage_change(one, before, after) for one in found.outages],
        "corrections": _corrections(found, before, after),
        "spans_recorded": dict(recorded),
    }


def _service(told: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """A service's numbers out of a report's JSON."""
    found = next((one for one in told["services"] if one["id"] == name), None)
    return None if found is None else {key: value for key, value in found.items() if key not in {"id", "outages"}}


def _outage_change(one: OutageChange, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "service": one.service,
        "change": one.kind,
        "before": [_outage(before, outage) for outage in one.before],
        "after": [_outage(after, outage) for outage in one.after],
    }


def _outage(told: Mapping[str, Any], outage: Outage) -> dict[str, Any]:
    return next(
        one
        for service in told["services"]
        if service["id"] == outage.service
        for one in service["outages"]
        if one["from"] == iso_utc(outage.begin)
    )


def _corrections(found: Difference, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As the later view has them; as the earlier one does where the later one has them not."""
    told = []
    for one in found.corrections:
        key = "declarations" if isinstance(one, Declaration) else "exclusions"
        named = (one.id, iso_utc(one.begin))
        known = [entry for view in (after, before) for entry in view[key] if (entry["id"], entry["from"]) == named]
        told.append({"kind": key[:-1], **known[0]})
    return told


def print_difference(found: Difference, recorded: Mapping[str, int], zone: tzinfo, console: Console) -> None:
    """Everything a reader at a terminal wants to know of it."""
    for part in (_headline(found, zone), *_services(found), *_outages(found, zone), _causes(found, recorded)):
        console.print(part)
        console.print()


def _headline(found: Difference, zone: tzinfo) -> RenderableType:
    period = found.after.period
    title = f"{period.name}: {'no difference' if found.equal else 'what has changed'}"
    table = plain_table(title, "", "before", "after", right=())
    table.add_row("as known at", local_text(found.before.as_of, zone), local_text(found.after.as_of, zone))
    for what, *told in _rows(found.before, found.after):
        table.add_row(what, told[0], Text(told[1], style="bold" if told[0] != told[1] else ""))
    return table


def _rows(before: Result, after: Result) -> Iterator[tuple[str, str, str]]:
    earlier, later = before.figure, after.figure
    yield "figure", percent_text(earlier.percent), percent_text(later.percent)
    yield "verdict", _verdict(before), _verdict(after)
    yield "counted", clock_text(earlier.counted_ms), clock_text(later.counted_ms)
    yield "certain - possible", _bounds(earlier), _bounds(later)
    yield "coverage", _coverage(earlier), _coverage(later)
    yield "service time", clock_text(earlier.service_time_ms), clock_text(later.service_time_ms)


def _verdict(result: Result) -> str:
    target = result.target_percent
    return f"{result.figure.standing(target) or '-'}, proof: {result.figure.proof(target) or '-'}"


def _bounds(totals: Totals | None) -> str:
    return "-" if totals is None else f"{clock_text(totals.certain_ms)} - {clock_text(totals.possible_ms)}"


def _coverage(totals: Totals | None) -> str:
    share: Fraction | None = None if totals is None else totals.coverage
    return "-" if share is None else f"{decimal_text(share * 100, 3)} %"


def _counted(totals: Totals | None) -> str:
    return "-" if totals is None else clock_text(totals.counted_ms)


def _services(found: Difference) -> Iterator[RenderableType]:
    if not found.services:
        return
    table = plain_table(
        "Services that differ", "service", "", "counted", "certain - possible", "coverage",
        right=("counted", "certain - possible", "coverage"),
    )  # fmt: skip
    for one in found.services:
        table.add_row(one.service, "before", _counted(one.before), _bounds(one.before), _coverage(one.before))
        table.add_row("", "after", _counted(one.after), _bounds(one.after), _coverage(one.after))
    yield table


def _outages(found: Difference, zone: tzinfo) -> Iterator[RenderableType]:
    if not found.outages:
        return
    table = plain_table(
        "Outages that differ", "", "", "from", "counted", "certain - possible", "what",
        right=("counted", "certain - possible"),
    )  # fmt: skip
    for one in sorted(found.outages, key=lambda change: (change.begin, change.service)):
        _add_outages(table, one, zone)
    yield table


def _add_outages(table: Table, change: OutageChange, zone: tzinfo) -> None:
    kind = Text(change.kind, style=COLOURS[change.kind])
    sides = [*(("before", one) for one in change.before), *(("after", one) for one in change.after)]
    for place, (side, outage) in enumerate(sides):
        table.add_row(
            "" if place else kind,
            side,
            local_text(outage.begin, zone),
            clock_text(outage.counted_ms) + ("+" if outage.running else ""),
            f"{clock_text(outage.certain_ms)} - {clock_text(outage.possible_ms)}",
            f"{outage.service}: {outage.shown_as}, {outage.cause}",
        )


def _causes(found: Difference, recorded: Mapping[str, int]) -> RenderableType:
    """What came to be known between the two moments."""
    lines = [f"{one.category} {one.label}, document {one.document}: {_reason(one)}" for one in found.corrections]
    lines += [f"{node}: {count} span{'' if count == 1 else 's'} recorded" for node, count in recorded.items()]
    lines = lines or ["no span of this period, no exclusion, no declaration"]
    return Text("\n").join([Text("Came between", style="bold"), *map(Text, lines)])


def _reason(one: Correction) -> str:
    return f"{printable(one.reason)} (proposed by {one.proposed_by}, approved by {one.approved_by})"
