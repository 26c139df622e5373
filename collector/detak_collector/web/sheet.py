"""What is asked of a page that is derived on demand, and what comes of it. Plain data: it travels between processes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from detak_collector.annotations.told import NOTHING, Told
from detak_collector.closing.examined import ClosingSheet
from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.incidents import Ruling
from detak_collector.past.observed import ObservedSheet
from detak_collector.web.api_v1.data_sheets import DataSheet
from detak_collector.web.assets import Body


@dataclass(frozen=True, slots=True)
class Filter:
    """Which outages of a list are wanted; what is empty leaves nothing out. `page` counts from 1."""

    service: str = ""
    cause: str = ""
    excluded: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class FigureSheet:
    """The figure of a period; without one, of the running year."""

    language: str
    period: str = ""


@dataclass(frozen=True, slots=True)
class OutagesSheet:
    """The outages of all services behind a period's figure."""

    language: str
    period: str
    wanted: Filter = Filter()


@dataclass(frozen=True, slots=True)
class ServiceSheet:
    """One service: its days, what it rests on, the timeline of a window, its outages of a period."""

    language: str
    service: str
    zoom: str = "week"
    at: str = ""
    period: str = ""
    wanted: Filter = Filter()


@dataclass(frozen=True, slots=True)
class OutageSheet:
    """One outage by its number, or by the local time of its begin as in its id.

    `told` is what people said of it, `rulings` what they ruled about its incident; `may_write`: who asks may add to it.
    """

    language: str
    service: str
    name: str
    told: Told = NOTHING
    rulings: tuple[Ruling, ...] = ()
    may_write: bool = False


@dataclass(frozen=True, slots=True)
class NodeSheet:
    """One node: its checks, its clock, its charts over a window that ends now."""

    language: str
    node: str
    zoom: str = "day"


@dataclass(frozen=True, slots=True)
class CheckSheet:
    """One check of a node: the timeline of a window, and where it was not up in a period, of one kind or of all."""

    language: str
    node: str
    check: str
    zoom: str = "day"
    at: str = ""
    period: str = ""
    kind: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class EffectSheet:
    """What the figures would be without these corrections and with those: no page, but the JSON of an `Effect`."""

    without: tuple[Correction, ...]
    added: tuple[Correction, ...]


Sheet = FigureSheet | OutagesSheet | ServiceSheet | OutageSheet | NodeSheet | CheckSheet
Wanted = Sheet | EffectSheet | DataSheet | ClosingSheet | ObservedSheet
"""What is derived on demand."""


@dataclass(frozen=True, slots=True)
class DrawnSheet:
    """The page, and the status it is answered with. `settled`: time alone changes nothing on it."""

    page: Body
    status: int = 200
    settled: bool = False


def address(sheet: Sheet) -> str:
    """Where the page stands, from the root of the site and without a slash before it."""
    match sheet:
        case FigureSheet():
            return f"figure/{quote(sheet.period)}" if sheet.period else "figure"
        case OutagesSheet():
            return f"figure/{quote(sheet.period)}/outages{query(sheet.wanted)}"
        case ServiceSheet():
            more = {"zoom": sheet.zoom, "at": sheet.at, "period": sheet.period}
            return f"service/{quote(sheet.service)}{query(sheet.wanted, **more)}"
        case OutageSheet():
            return f"service/{quote(sheet.service)}/outage/{quote(sheet.name)}"
        case NodeSheet():
            return f"node/{quote(sheet.node)}{query(Filter(), zoom=sheet.zoom)}"
        case CheckSheet():
            return f"node/{quote(sheet.node)}/check/{quote(sheet.check)}{check_query(sheet, sheet.page)}"


def check_query(sheet: CheckSheet, page: int) -> str:
    """What a check's page is asked for, as a query string; empty where that is what it shows anyway."""
    told = {"zoom": sheet.zoom, "at": sheet.at, "period": sheet.period, "kind": sheet.kind}
    return query(Filter(page=page), **told)


def query(wanted: Filter, **more: str) -> str:
    """The filter as a query string, with what else belongs into it; empty where nothing is filtered."""
    told = {**more, "service": wanted.service, "cause": wanted.cause, "excluded": wanted.excluded}
    if wanted.page > 1:
        told["page"] = str(wanted.page)
    kept = {name: value for name, value in told.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


class NoSuchSheetError(Exception):
    """What was asked for is not there; the text says what, for people."""
