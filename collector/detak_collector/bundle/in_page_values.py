"""What a page shows of a bundle, as plain JSON values: whole milliseconds, exact percentages as text, codes and names.

Instants of outages are texts of the organisation's own clock; everything that a bundle says is made fit to be shown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo
from heapq import nlargest

from detak_collector.bundle.auditor_text import local_text, number_of
from detak_collector.bundle.deriving import Contents
from detak_collector.bundle.evidence import Records, SpanKey, shown
from detak_collector.bundle.manifest import Numbered
from detak_collector.bundle.package import Package
from detak_collector.bundle.sampling import MOST_LINES, evidence_of
from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.derive import Result
from detak_collector.downtime.explain import Explained, Piece
from detak_collector.downtime.outages import Outage
from detak_collector.report.numbers import decimal_text, iso_utc
from detak_collector.report.terminal import printable

Value = str | int | bool | None | Sequence["Value"] | dict[str, "Value"]
"""What JSON holds."""

MOST_OFFERED = 1_000
"""Of corrections to choose from; any other is typed."""

LONGEST = 10
"""Outages that are offered to be explained."""


def manifest_values(package: Package) -> dict[str, Value]:
    """What the bundle says it is."""
    told = package.manifest
    return {
        "period": printable(told.period), "from": iso_utc(told.from_utc), "to": iso_utc(told.to_utc),
        "as_of": iso_utc(told.as_of), "files": len(package.files), "ledger": printable(told.ledger),
        "bundled": printable(told.result),
    }  # fmt: skip


def figure_values(result: Result) -> dict[str, Value]:
    """The figure, its bounds and its verdict; texts are None where there is no service time."""
    figure, target = result.figure, result.target_percent
    return {
        "percent": None if figure.percent is None else decimal_text(figure.percent, 4),
        "target": decimal_text(target, 4),
        "counted_ms": figure.counted_ms, "certain_ms": figure.certain_ms, "possible_ms": figure.possible_ms,
        "gross_ms": figure.gross_ms, "service_time_ms": figure.service_time_ms, "running": result.running,
        "coverage": None if figure.coverage is None else decimal_text(100 * figure.coverage, 2),
        "verdict": figure.standing(target), "proof": figure.proof(target),
    }  # fmt: skip


def corrections_values(contents: Contents) -> list[Value]:
    """Exclusions and declarations in force, each once, to choose from."""
    corrections = contents.corrections
    every = {one.id: one for one in (*corrections.exclusions, *corrections.declarations) if one.in_force}
    return [_correction(every[name], corrections.drills) for name in sorted(every)[:MOST_OFFERED]]


def longest_values(result: Result, contents: Contents) -> list[Value]:
    """The outages of which most is counted."""
    every = (one for service in result.services for one in service.outages)
    numbers = contents.numbering.numbers
    longest = nlargest(LONGEST, every, key=lambda one: one.counted_ms)
    return [_outage(one, numbers, contents.zone) for one in longest]


def outage_values(one: Explained, contents: Contents, records: Records) -> Value:
    """An outage in its pieces, and the lines behind it."""
    lines = evidence_of(one, records)
    return {
        **_outage(one.outage, contents.numbering.numbers, contents.zone),
        "pieces": [_piece(piece, contents.zone, contents.corrections.drills) for piece in one.pieces],
        "lines": [shown(line) for line in lines[:MOST_LINES]],
        "more_lines": max(0, len(lines) - MOST_LINES),
    }


def span_values(key: SpanKey, records: Records) -> Value:
    """A closed span as its record has it."""
    node, run, number = key
    return {"node": printable(node), "run": printable(run), "number": number, "line": shown(records.spans[key].line)}


def _outage(one: Outage, numbers: Sequence[Numbered], zone: tzinfo) -> dict[str, Value]:
    return {
        "number": number_of(one.key, numbers), "id": printable(one.id), "service": printable(one.service),
        "begin": local_text(one.begin, zone), "end": local_text(one.end, zone), "running": one.running,
        "counted_ms": one.counted_ms, "certain_ms": one.certain_ms, "possible_ms": one.possible_ms,
        "cause": one.cause,
    }  # fmt: skip


def _piece(piece: Piece, zone: tzinfo, drills: Collection[str] | None) -> Value:
    return {
        "begin": local_text(piece.begin, zone), "length_ms": piece.end - piece.begin, "fate": piece.fate,
        "cause": piece.cause,
        "layers": [
            {
                "group": printable(one.group), "category": one.category, "rule": one.rule,
                "member": printable(one.stands_for_it or ""),
            }
            for one in piece.layers
        ],
        "evidence": [
            {
                "check": printable(check), "begin": local_text(one.begin, zone), "end": local_text(one.end, zone),
                "shown_as": one.shown_as, "message": printable(one.message),
                "spans": [printable(name) for name in one.evidence],
            }
            for check, one in piece.evidence
        ],
        "corrections": [_correction(one, drills) for one in piece.corrections],
    }  # fmt: skip


def _correction(one: Correction, drills: Collection[str] | None) -> Value:
    return {
        "id": printable(one.id), "label": printable(one.label), "category": one.category,
        "drill": one.id in (drills or ()), "document": printable(one.document), "reason": printable(one.reason),
        "proposed_by": printable(one.proposed_by),
        "approved_by": printable(one.approved_by or ""),
    }  # fmt: skip
