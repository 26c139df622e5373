"""What the JSON report says of a seal. The standard library alone: what checks a bundle writes reports too."""

from __future__ import annotations

from typing import Any

from detak_collector.downtime.derive import Result
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.sealed import Disposed, Sealed
from detak_collector.report.numbers import decimal_text, iso_utc


def seal_keys(result: Result) -> dict[str, Any]:
    """The keys of a report that are there only where something is sealed."""
    told: dict[str, Any] = {} if result.seal is None else {"seal": seal_document(result.seal)}
    if result.overtaken:
        told["overtaken_seals"] = [{"period": one.period, **seal_document(one)} for one in result.overtaken]
    return told


def seal_document(seal: Sealed) -> dict[str, Any]:
    """The seal as plain JSON values, in the words of the report."""
    block, _, head = seal.head.partition(":")
    return {
        "number": seal.label,
        "restates": seal.restates,
        "sealed_by": seal.by,
        "approved_by": seal.approved_by,
        "sealed_at": iso_utc(seal.at),
        "evidence_up_to": iso_utc(seal.as_of),
        "ledger": {"block": int(block), "head": head},
        "figure": _figure(seal.figure),
        "by_later_facts": None if seal.now is None else _figure(seal.now),
        "reproduced": seal.reproduced,
        **({} if seal.disposed is None else {"evidence_disposed": _disposed(seal.disposed)}),
    }


def _disposed(told: Disposed) -> dict[str, Any]:
    return {
        "number": told.label,
        "document": told.document,
        "disposed_at": iso_utc(told.at),
        "before": iso_utc(told.until),
    }


def _figure(totals: Totals) -> dict[str, Any]:
    percent = totals.percent
    return {
        "percent": None if percent is None else decimal_text(percent, 12),
        "counted_ms": totals.counted_ms,
        "certain_ms": totals.certain_ms,
        "possible_ms": totals.possible_ms,
        "service_time_ms": totals.service_time_ms,
    }
