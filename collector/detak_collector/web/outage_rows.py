"""Lists of outages: which of them are wanted, a page of them, and what each row says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detak_collector.downtime.accounts import REASONS
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.outages import LAYERS, Outage
from detak_collector.web.sheet import Filter

AT_ONCE = 100
"""How many stand on one page."""

PARTLY, NOT = "partly", "not"
"""Of `excluded`: outages of which some is not counted, and those that are counted as a whole."""

EXCLUDED = (PARTLY, NOT, *REASONS)


@dataclass(frozen=True, slots=True)
class Row:
    """One outage as it is listed. `path` leads to it, from the root of the site."""

    outage: Outage
    number: int | None
    name: str
    in_figure: bool
    path: str

    @property
    def excluded_ms(self) -> int:
        """What of it is not counted."""
        return self.outage.end - self.outage.begin - self.outage.counted_ms


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list; `pages` counts all of them, `counted_ms` is what all that are wanted come to."""

    rows: tuple[Row, ...]
    total: int
    counted_ms: int
    page: int
    pages: int


def listed(result: Result, wanted: Filter, names: Mapping[str, str]) -> Listed:
    """The wanted outages, latest first."""
    found = wanted_outages(result, wanted)
    pages = max(1, -(-len(found) // AT_ONCE))
    page = min(max(1, wanted.page), pages)
    shown = found[(page - 1) * AT_ONCE : page * AT_ONCE]
    rows = tuple(_row(one, service, result, names) for one, service in shown)
    return Listed(rows, len(found), sum(one.counted_ms for one, _ in found), page, pages)


def wanted_outages(result: Result, wanted: Filter) -> list[tuple[Outage, ServiceResult]]:
    """All of them, latest first, each with its service."""
    found = [
        (one, service)
        for service in result.services
        if wanted.service in {"", service.service.id}
        for one in service.outages
        if _is_wanted(one, service, wanted)
    ]
    return sorted(found, key=lambda pair: (-pair[0].begin, pair[0].service))


def _row(one: Outage, service: ServiceResult, result: Result, names: Mapping[str, str]) -> Row:
    number = result.numbers.get(one.key)
    return Row(one, number, names[one.service], service.in_figure is not None, path_of(one, number))


def path_of(outage: Outage, number: int | None) -> str:
    """Where it is explained; while it has no number, by the local time of its begin."""
    return f"service/{outage.service}/outage/{outage.id.rpartition('/')[2] if number is None else number}"


def _is_wanted(one: Outage, service: ServiceResult, wanted: Filter) -> bool:
    if wanted.cause and wanted.cause not in one.causes:
        return False
    if not wanted.excluded:
        return True
    is_partly = one.end - one.begin > one.counted_ms
    if wanted.excluded in {PARTLY, NOT}:
        return is_partly is (wanted.excluded == PARTLY)
    # Of an outage it is kept how much was excluded, not why: that is told where it is explained.
    return is_partly and any(
        (month.totals.excluded_ms or {}).get(wanted.excluded) and month.begin < one.end and one.begin < month.end
        for month in service.months
    )


def filtered(values: Mapping[str, str]) -> Filter | None:
    """What a query string asks for; None where it asks for what there never is."""
    cause, excluded, page = values.get("cause", ""), values.get("excluded", ""), values.get("page", "1")
    if cause not in {"", *LAYERS} or excluded not in {"", *EXCLUDED} or not (page.isascii() and page.isdigit()):
        return None
    return Filter(values.get("service", "")[:200], cause, excluded, int(page[:6]))
