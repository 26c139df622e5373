"""The report of a category for programs: JSON, and the same laid flat as CSV. No language in it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from fractions import Fraction
from io import StringIO
from typing import Any

import msgspec

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.shares import Share
from detak_collector.report.delimited import delimited, plain_row
from detak_collector.report.document import document
from detak_collector.report.numbers import decimal_text, iso_utc
from detak_collector.report.of_category import OfCategory, OutageShare, ServiceShare
from detak_collector.report.stated import stated_values, whole_document

TABLES = ("outages", "services", "months", "exclusions", "method")
FORMULA = "100 * counted_ms of the category / sum of service_time_ms, over the services in the figure"
_SHARE = ("counted_ms", "certain_ms", "possible_ms", "gross_ms", "percent", "of_counted")
_SOURCE = ("category", "catalogue_version", "ledger")
FIELDS = {
    "outages": (
        "number", "id", "service", "service_name", "in_figure", "from", "to", "running", "counted_ms",
        "figure_counted_ms", "outage_counted_ms", "cause", "shown_as", "detail", *_SOURCE,
    ),
    "services": (
        "id", "name", "criticality", "in_figure", *_SHARE, "figure_counted_ms", "service_counted_ms",
        "service_time_ms", *_SOURCE,
    ),
    "months": ("name", "from", "to", *_SHARE, "all_counted_ms", "service_time_ms", *_SOURCE),
    "method": ("name", "value"),
}  # fmt: skip


def category_json(of: OfCategory) -> bytes:
    """Everything; lengths are milliseconds, percentages and `of_counted` (of one) decimal texts."""
    return msgspec.json.format(msgspec.json.encode(_document(of)), indent=2) + b"\n"


def category_csv(of: OfCategory, table: str) -> bytes:
    """One of TABLES: a header, then a row each; instants in ISO 8601 UTC, lengths in milliseconds."""
    if table == "exclusions":
        return delimited(of.result, table)
    told, whole = _document(of), document(of.result)
    rows: Iterable[Mapping[str, Any]]
    match table:
        case "method":
            stated = stated_values(whole, of.result)
            share = {name: told["share"][name] for name in _SHARE}
            values = {"category": of.category, **share, **{f"figure.{name}": one for name, one in stated.items()}}
            rows = [{"name": name, "value": value} for name, value in {**values, "formula": FORMULA}.items()]
        case "outages":
            rows = [
                {**one, "service": service["id"], "service_name": service["name"], "in_figure": service["in_figure"]}
                for service in told["services"]
                for one in service["outages"]
            ]
            rows.sort(key=lambda one: (one["from"], one["service"]))
        case _:
            rows = told[table]
    out = StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS[table], extrasaction="ignore")
    writer.writeheader()
    source = {
        "category": of.category, "catalogue_version": told["catalogue_version"], "ledger": of.result.ledger,
    }  # fmt: skip
    writer.writerows(plain_row({**row, **source}) for row in rows)
    return out.getvalue().encode()


def _document(of: OfCategory) -> dict[str, Any]:
    result = of.result
    stated = stated_values(document(result), result)
    return {
        "category": of.category,
        "rule_version": RULE_VERSION,
        **{name: stated[name] for name in ("organisation", "period", "from", "to", "as_of", "catalogue_version")},
        "ledger": result.ledger,
        "seal": stated["seal"],
        "formula": FORMULA,
        "share": _share(of.share, result.figure.service_time_ms, result.figure.counted_ms),
        "figure": {
            name: stated[name]
            for name in (
                "percent", "counted_ms", "certain_ms", "possible_ms", "service_time_ms", "unobserved_ms", "coverage",
                "target_percent", "verdict", "proof",
            )
        },
        "months": [
            {
                "name": month.name, "from": iso_utc(month.begin), "to": iso_utc(month.end),
                **_share(share, month.totals.service_time_ms, month.totals.counted_ms),
                "all_counted_ms": month.totals.counted_ms, "service_time_ms": month.totals.service_time_ms,
            }
            for month, share in of.months
        ],
        "services": [_service(one, of) for one in of.services],
        "exclusions": whole_document(result, None)["exclusions"],
    }  # fmt: skip


def _share(share: Share, service_time_ms: int, counted_ms: int) -> dict[str, Any]:
    return {
        **share._asdict(),
        "percent": _ratio(100 * share.counted_ms, service_time_ms),
        "of_counted": _ratio(share.counted_ms, counted_ms),
    }


def _ratio(part: int, whole: int) -> str | None:
    return decimal_text(Fraction(part, whole), 12) if whole else None


def _service(one: ServiceShare, of: OfCategory) -> dict[str, Any]:
    service, totals = one.service, one.service.totals
    return {
        "id": service.service.id,
        "name": service.service.name.value_at(of.result.last),
        "criticality": service.criticality,
        "in_figure": service.in_figure is not None,
        **_share(one.share, totals.service_time_ms, totals.counted_ms),
        "figure_counted_ms": one.entering.counted_ms,
        "service_counted_ms": totals.counted_ms,
        "service_time_ms": totals.service_time_ms,
        "outages": [_outage(each, of) for each in one.outages],
    }


def _outage(one: OutageShare, of: OfCategory) -> dict[str, Any]:
    outage = one.outage
    return {
        "id": outage.id,
        "number": of.result.numbers.get(outage.key),
        "from": iso_utc(outage.begin),
        "to": iso_utc(outage.end),
        "running": outage.running,
        "counted_ms": one.counted_ms,
        "figure_counted_ms": one.entering_ms,
        "outage_counted_ms": outage.counted_ms,
        "cause": outage.cause,
        "shown_as": outage.shown_as,
        "detail": outage.detail,
    }
