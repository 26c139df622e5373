"""CSV by RFC 4180: the rows of the JSON, flat, under its names. No language in it; safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any

from detak_collector.downtime.accounts import REASONS
from detak_collector.downtime.derive import Result
from detak_collector.report.document import document

TABLES = ("outages", "services", "months")

_TOTALS = (
    "counted_ms", "certain_ms", "possible_ms", "gross_ms", *(f"excluded_{reason}_ms" for reason in REASONS),
    "service_time_ms", "unobserved_ms", "presumed_ms", "degraded_ms", "percent", "coverage", "verdict", "proof",
)  # fmt: skip
FIELDS = {
    "outages": (
        "number", "id", "incident", "service", "service_name", "in_figure", "from", "to", "running",
        "counted_ms", "certain_ms", "possible_ms", "cause", "shown_as", "detail",
    ),
    "services": ("id", "name", "criticality", "in_figure", "figure_counted_ms", "figure_service_time_ms", *_TOTALS),
    "months": ("name", "from", "to", "target_percent", "colour", *_TOTALS),
}  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""A spreadsheet may run what begins so; the apostrophe is here so that a reader can take the guard away again."""


def delimited(result: Result, table: str) -> bytes:
    """One of TABLES: a header, then a row each; UTF-8, CRLF, instants in ISO 8601 UTC, lengths in milliseconds."""
    told = document(result)
    rows = {"outages": _outages, "services": _services, "months": _months}[table]
    out = StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS[table], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(_plain(row) for row in rows(told, result))
    return out.getvalue().encode()


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _outages(told: Mapping[str, Any], _: Result) -> Iterator[dict[str, Any]]:
    every = [
        {**outage, "service": one["id"], "service_name": one["name"], "in_figure": one["in_figure"]}
        for one in told["services"]
        for outage in one["outages"]
    ]
    yield from sorted(every, key=lambda one: (one["from"], one["service"]))


def _services(told: Mapping[str, Any], result: Result) -> Iterator[dict[str, Any]]:
    for one, found in zip(told["services"], result.services, strict=True):
        counts = found.in_figure
        yield {
            **_flat(one),
            "figure_counted_ms": 0 if counts is None else counts.counted_ms,
            "figure_service_time_ms": 0 if counts is None else counts.service_time_ms,
        }


def _months(told: Mapping[str, Any], _: Result) -> Iterable[dict[str, Any]]:
    return map(_flat, told["months"])


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{f"excluded_{reason}_ms": row["excluded_ms"].get(reason, 0) for reason in REASONS}}
