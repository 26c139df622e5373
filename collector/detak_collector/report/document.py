"""The machine-readable report: the JSON that others build on, versioned and described in `docs/report.schema.json`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.outages import Outage
from detak_collector.report.numbers import decimal_text, iso_utc

SCHEMA_VERSION = 1


def document(result: Result) -> dict[str, Any]:
    """The result as plain JSON values; every number is an exact integer or a decimal string."""
    period = result.period
    return {
        "schema_version": SCHEMA_VERSION,
        "rule_version": RULE_VERSION,
        "period": {"name": period.name, "from": iso_utc(period.begin), "to": iso_utc(period.end)},
        "as_of": iso_utc(result.as_of),
        "running": result.running,
        "target_percent": _trimmed(result.target_percent),
        "figure": _figure(result),
        "services": [_service(one, result.target_percent) for one in result.services],
    }


def _figure(result: Result) -> dict[str, Any]:
    figure = result.figure
    percent = figure.percent
    return {
        "percent": None if percent is None else decimal_text(percent, 12),
        "percent_shown": None if percent is None else decimal_text(percent, 4),
        **_totals(figure, result.target_percent),
        "remaining_ms": figure.remaining_ms(result.target_percent),
        "services": sum(one.in_figure is not None for one in result.services),
    }


def _totals(totals: Totals, target: Fraction) -> dict[str, Any]:
    coverage = totals.coverage
    return {
        "counted_ms": totals.counted_ms,
        "certain_ms": totals.certain_ms,
        "possible_ms": totals.possible_ms,
        "gross_ms": totals.gross_ms,
        "excluded_ms": dict(totals.excluded_ms or {}),
        "service_time_ms": totals.service_time_ms,
        "unobserved_ms": totals.unobserved_ms,
        "presumed_ms": totals.presumed_ms,
        "degraded_ms": totals.degraded_ms,
        "coverage": None if coverage is None else decimal_text(coverage, 12),
        "verdict": totals.verdict(target),
        "proof": totals.proof(target),
    }


def _service(one: ServiceResult, target: Fraction) -> dict[str, Any]:
    percent = one.totals.percent
    return {
        "id": one.service.id,
        "name": one.service.name,
        "criticality": one.criticality,
        "in_figure": one.in_figure is not None,
        "percent": None if percent is None else decimal_text(percent, 12),
        **_totals(one.totals, target),
        "all_down_ms": one.all_down_ms,
        "worst_member_ms": one.worst_member_ms,
        "causes_ms": dict(one.causes),
        "outages": [_outage(outage) for outage in one.outages],
    }


def _outage(outage: Outage) -> dict[str, Any]:
    return {
        "id": outage.id,
        "incident": outage.incident,
        "from": iso_utc(outage.begin),
        "to": iso_utc(outage.end),
        "running": outage.running,
        "counted_ms": outage.counted_ms,
        "certain_ms": outage.certain_ms,
        "possible_ms": outage.possible_ms,
        "cause": outage.cause,
        "shown_as": outage.shown_as,
        "detail": outage.detail,
    }


def _trimmed(value: Fraction) -> str:
    text = decimal_text(value, 12).rstrip("0")
    return text + "0" if text.endswith(".") else text
