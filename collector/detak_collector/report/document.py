"""The machine-readable report: the JSON that others build on, versioned and described in `docs/report.schema.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.catalogue import Correction, Exclusion
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.history import Published
from detak_collector.downtime.incidents import Incident, homes
from detak_collector.downtime.months import WITHOUT_WATCHDOG
from detak_collector.downtime.outages import Outage, OutageKey
from detak_collector.downtime.periods import year_begin
from detak_collector.downtime.summary import (
    Month,
    UnitFigure,
    achievement,
    colour,
    mean_of_months,
    mean_of_services,
    months_of,
    tally,
    units_of,
    warnings,
)
from detak_collector.report.digests import catalogue_digest
from detak_collector.report.numbers import decimal_text, iso_utc
from detak_collector.report.seal_document import seal_keys
from detak_collector.report.story_document import story_document

SCHEMA_VERSION = 1


def document(result: Result) -> dict[str, Any]:
    """The result as plain JSON values; every number is an exact integer or a decimal string."""
    period = result.period
    strip, home = months_of(result), homes(result.incidents)
    return {
        "schema_version": SCHEMA_VERSION,
        "rule_version": RULE_VERSION,
        "organisation": result.case.catalogue.organisation.value_at(result.last),
        "period": {"name": period.name, "from": iso_utc(period.begin), "to": iso_utc(period.end)},
        "as_of": iso_utc(result.as_of),
        "earlier_view": result.case.earlier,
        "running": result.running,
        "catalogue": _catalogue(result),
        "ledger": _ledger(result.ledger),
        **seal_keys(result),
        "target_percent": _trimmed(result.target_percent),
        "figure": _figure(result, strip),
        "year_to_date": _year_to_date(result, strip),
        "history": [_published(one) for one in result.published],
        "months": [_month(month) for month in strip],
        "units": [_unit(unit) for unit in units_of(result)],
        "warnings": list(warnings(result)),
        "services": [_service(one, result, home) for one in result.services],
        "incidents": [_incident(one) for one in result.incidents],
        "exclusions": [_exclusion(one) for one in result.case.exclusions],
        "declarations": [_correction(one) for one in result.case.declarations],
    }


def _catalogue(result: Result) -> dict[str, Any]:
    version = result.case.version
    return {
        "version": None if version is None else version.number,
        "digest": None if version is None else version.digest,
        "since": None if version is None else iso_utc(version.since),
        "content_digest": catalogue_digest(result.case.catalogue),
    }


def _ledger(head: str | None) -> dict[str, Any] | None:
    if head is None:
        return None
    block, _, digest = head.partition(":")
    return {"block": int(block), "head": digest}


def _figure(result: Result, strip: Sequence[Month]) -> dict[str, Any]:
    figure, counts = result.figure, tally(result)
    percent = figure.percent
    index = achievement(percent, result.target_percent)
    return {
        "percent": _exact(percent),
        "percent_shown": None if percent is None else decimal_text(percent, 4),
        "achievement": _exact(index),
        "colour": colour(index),
        "mean_of_services": _exact(mean_of_services(result)),
        "mean_of_months": _exact(mean_of_months(strip)),
        "beside": {name: _beside(totals) for name, totals in result.beside.items()},
        **_totals(figure, result.target_percent),
        "remaining_ms": figure.remaining_ms(result.target_percent),
        "services": sum(one.in_figure is not None for one in result.services),
        "outages": counts.outages,
        "incidents": counts.incidents,
    }


def _year_to_date(result: Result, strip: Sequence[Month]) -> dict[str, Any] | None:
    """The figure from 1 January to where the period's time ends; None where it has none yet."""
    totals = strip[-1].year_to_date if strip else None
    if totals is None:
        return None
    target = strip[-1].target_percent
    begin = year_begin(strip[-1].begin, result.case.zone)
    return {
        "from": iso_utc(begin),
        "to": iso_utc(strip[-1].end),
        "target_percent": _trimmed(target),
        "percent": _exact(totals.percent),
        "percent_shown": None if totals.percent is None else decimal_text(totals.percent, 4),
        "colour": colour(achievement(totals.percent, target)),
        **_totals(totals, target),
        "remaining_ms": totals.remaining_ms(target),
    }


def _published(one: Published) -> dict[str, Any]:
    return {
        "year": one.year,
        "percent": _trimmed(one.percent),
        "target_percent": None if one.target_percent is None else _trimmed(one.target_percent),
        "verdict": one.verdict,
        "document": one.document,
        "note": one.note,
        "entered_by": one.entered_by,
        "entered_at": iso_utc(one.entered_at),
    }


def _beside(totals: Totals) -> dict[str, Any]:
    return {
        "percent": _exact(totals.percent),
        "counted_ms": totals.counted_ms,
        "certain_ms": totals.certain_ms,
    }


def _month(month: Month) -> dict[str, Any]:
    index = achievement(month.totals.percent, month.target_percent)
    return {
        "name": month.name,
        "from": iso_utc(month.begin),
        "to": iso_utc(month.end),
        "target_percent": _trimmed(month.target_percent),
        "percent": _exact(month.totals.percent),
        "colour": colour(index),
        **_totals(month.totals, month.target_percent),
        "year_to_date": None if month.year_to_date is None else _cumulative(month.year_to_date, month.target_percent),
    }


def _cumulative(totals: Totals, target: Fraction) -> dict[str, Any]:
    return {
        "percent": _exact(totals.percent),
        "counted_ms": totals.counted_ms,
        "certain_ms": totals.certain_ms,
        "possible_ms": totals.possible_ms,
        "service_time_ms": totals.service_time_ms,
        "verdict": totals.verdict(target),
        "proof": totals.proof(target),
    }


def _unit(one: UnitFigure) -> dict[str, Any]:
    return {
        "id": one.unit.id,
        "name": one.unit.name,
        "services": list(one.unit.services),
        "target_percent": _trimmed(one.target_percent),
        "percent": _exact(one.totals.percent),
        **_totals(one.totals, one.target_percent),
    }


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else decimal_text(value, 12)


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
        "coverage": _exact(coverage),
        "verdict": totals.verdict(target),
        "proof": totals.proof(target),
    }


def _service(one: ServiceResult, result: Result, home: Mapping[OutageKey, Incident]) -> dict[str, Any]:
    return {
        "id": one.service.id,
        "name": one.service.name.value_at(result.last),
        "criticality": one.criticality,
        "in_figure": one.in_figure is not None,
        "percent": _exact(one.totals.percent),
        **_totals(one.totals, result.target_percent),
        "declared_down_ms": sum(month.declared_down_ms for month in one.months),
        "declared_up_ms": sum(month.declared_up_ms for month in one.months),
        "without_reserve_ms": sum(month.without_reserve_ms for month in one.months),
        **{f"{name}_ms": totals.counted_ms for name, (totals, _) in one.beside.items() if name != WITHOUT_WATCHDOG},
        f"{WITHOUT_WATCHDOG}_certain_ms": one.beside[WITHOUT_WATCHDOG][0].certain_ms,
        "causes_ms": dict(one.causes),
        "outages": [
            {**_outage(each, result.numbers.get(each.key), home[each.key]), **_annotation(each, result)}
            for each in one.outages
        ],
    }


def _exclusion(one: Exclusion) -> dict[str, Any]:
    return {**_correction(one), "window": one.window}


def _correction(one: Correction) -> dict[str, Any]:
    return {
        "id": one.id,
        "category": one.category,
        "scope": {one.scope_kind: one.scope or True},
        "from": iso_utc(one.begin),
        "to": iso_utc(one.end),
        "document": one.document,
        "reason": one.reason,
        "proposed_by": one.proposed_by,
        "proposed_at": iso_utc(one.proposed_at),
        "approved_by": one.approved_by,
        "approved_at": None if one.approved_at is None else iso_utc(one.approved_at),
        "late": one.late,
        "in_force": one.in_force,
    }


def _incident(one: Incident) -> dict[str, Any]:
    return {
        "id": one.id,
        "from": iso_utc(one.begin),
        "to": iso_utc(one.end),
        "outages": [outage.id for outage in one.outages],
        "counted_ms": one.counted_ms,
        "ruled": one.ruled,
    }


def _outage(outage: Outage, number: int | None, incident: Incident) -> dict[str, Any]:
    return {
        "id": outage.id,
        "number": number,
        "incident": incident.id,
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


def _annotation(outage: Outage, result: Result) -> dict[str, Any]:
    """Only where something was written: so reports of evidence alone are what they were."""
    story = result.stories.get(outage.key)
    return {} if story is None else {"annotation": story_document(story)}


def _trimmed(value: Fraction) -> str:
    text = decimal_text(value, 12).rstrip("0")
    return text + "0" if text.endswith(".") else text
