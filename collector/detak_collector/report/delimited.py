"""CSV by RFC 4180: the rows of the JSON, flat, under its names. No language in it; safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from io import StringIO
from typing import Any

from detak_collector.downtime.accounts import REASONS
from detak_collector.downtime.derive import Result
from detak_collector.report.document import document
from detak_collector.report.stated import stated_values

TABLES = ("outages", "services", "months", "exclusions", "declarations", "method")

_TOTALS = (
    "counted_ms", "certain_ms", "possible_ms", "gross_ms", *(f"excluded_{reason}_ms" for reason in REASONS),
    "service_time_ms", "unobserved_ms", "presumed_ms", "degraded_ms", "percent", "coverage", "verdict", "proof",
)  # fmt: skip
_CORRECTION = (
    "category", "scope_kind", "scope", "from", "to", "document", "reason", "proposed_by", "proposed_at", "approved_by",
    "approved_at", "late", "in_force",
)  # fmt: skip
_SOURCE = ("catalogue_version", "ledger")
FIELDS = {
    "outages": (
        "number", "id", "incident", "service", "service_name", "in_figure", "from", "to", "running",
        "counted_ms", "certain_ms", "possible_ms", "cause", "shown_as", "detail", *_SOURCE,
    ),
    "services": (
        "id", "name", "criticality", "in_figure", "figure_counted_ms", "figure_service_time_ms", *_TOTALS, *_SOURCE,
    ),
    "months": ("name", "from", "to", "target_percent", "colour", *_TOTALS, *_SOURCE),
    "exclusions": ("id", "window", *_CORRECTION, "drill", "took_out_ms", *_SOURCE),
    "declarations": ("id", *_CORRECTION, *_SOURCE),
    "method": ("name", "value"),
}  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""A spreadsheet may run what begins so; the apostrophe is here so that a reader can take the guard away again."""


def delimited(result: Result, table: str, effects: Mapping[str, int] | None = None) -> bytes:
    """One of TABLES: a header, then a row each; UTF-8, CRLF, instants in ISO 8601 UTC, lengths in milliseconds.

    Each row has the version of the catalogue and the head of the ledger, so that a row that was cut out still says by
    what it was derived and what proves it. `effects`: by exclusion, what it took out.
    """
    told = document(result)
    rows: dict[str, Callable[[Mapping[str, Any], Result], Iterable[dict[str, Any]]]] = {
        "outages": _outages,
        "services": _services,
        "months": _months,
        "exclusions": partial(_exclusions, effects or {}),
        "declarations": _declarations,
        "method": _method,
    }
    out = StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS[table], extrasaction="ignore")
    writer.writeheader()
    source = {"catalogue_version": told["catalogue"]["version"], "ledger": result.ledger}
    writer.writerows(plain_row({**row, **source}) for row in rows[table](told, result))
    return out.getvalue().encode()


def plain_row(row: Mapping[str, object]) -> dict[str, object]:
    """A row as it may be written: nothing in it runs in a spreadsheet."""
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


def _exclusions(effects: Mapping[str, int], told: Mapping[str, Any], result: Result) -> Iterator[dict[str, Any]]:
    drills = result.drills
    for one in _touching(told, "exclusions"):
        yield {**one, "drill": None if drills is None else one["id"] in drills, "took_out_ms": effects.get(one["id"])}


def _declarations(told: Mapping[str, Any], _: Result) -> Iterator[dict[str, Any]]:
    return _touching(told, "declarations")


def _method(told: Mapping[str, Any], result: Result) -> Iterator[dict[str, Any]]:
    """By which rules the figure was made, what it rests on, and the figure itself."""
    return ({"name": name, "value": value} for name, value in stated_values(told, result).items())


def _touching(told: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """Those that share time with the period; instants in one form are in order as they are written."""
    period = told["period"]
    for one in told[key]:
        if one["from"] < period["to"] and period["from"] < one["to"]:
            ((kind, scope),) = one["scope"].items()
            yield {**one, "scope_kind": kind, "scope": "" if kind == "all" else scope}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{f"excluded_{reason}_ms": row["excluded_ms"].get(reason, 0) for reason in REASONS}}
