"""Draws pages on demand, in the process that derives: figures in, a page out. It knows no HTTP and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from detak_collector.catalogue.unknown_hours import all_told
from detak_collector.closing.examined import ClosingSheet
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.downtime.catalogue import Catalogue, Service
from detak_collector.downtime.explain import explain
from detak_collector.downtime.numbering import Known
from detak_collector.downtime.periods import Period, PeriodError, local_year, months, parse_period
from detak_collector.errors import EvidenceDisposedError
from detak_collector.figures import Figures
from detak_collector.metrics import Moment
from detak_collector.past.observed import ObservedSheet
from detak_collector.report.wording import period_words
from detak_collector.rules import Rules
from detak_collector.translation import LANGUAGE_NAMES
from detak_collector.translation.language import language, mark
from detak_collector.web import check_page, figure_page, node_page, service_page, wording
from detak_collector.web.api_v1.data_sheets import DataSheet
from detak_collector.web.api_v1.making import DataMaker
from detak_collector.web.assets import Assets, Body
from detak_collector.web.render import TEMPLATES
from detak_collector.web.reported import Reports
from detak_collector.web.sheet import (
    CheckSheet,
    DrawnSheet,
    EffectSheet,
    FigureSheet,
    NodeSheet,
    NoSuchSheetError,
    OutageSheet,
    OutagesSheet,
    ServiceSheet,
    Sheet,
    Wanted,
    address,
)
from detak_collector.web.swimlanes import service_lanes
from detak_collector.web.telling import Telling
from detak_collector.web.windows import Window, window
from detak_collector.web.work.annotations_words import ruling_rows, shared_values
from detak_collector.web.work.exclusions_drills import during_drills
from detak_collector.web.work.exclusions_effect import effect_json
from detak_collector.web.work.exclusions_form import proposing

SETTLED_MS = 3 * 86_400_000
DEPTH = {FigureSheet: 1, OutagesSheet: 2, ServiceSheet: 1, OutageSheet: 3, NodeSheet: 1, CheckSheet: 3}
"""How many folders deep each page stands: its paths are relative, for proxies may put a prefix before all."""

DAY_MS = 86_400_000
CHARTED = {"hour": DAY_MS // 24, "day": DAY_MS, "week": 7 * DAY_MS, "month": 31 * DAY_MS, "year": 366 * DAY_MS}
WHO = b'<p class="who"></p>'
"""Where a page says who has signed in."""


class Numbered(Protocol):
    """Of the register of outages what a page needs."""

    def known(self, number: int) -> Known | None:
        """As OutageRegister says."""
        ...


class ReadMetrics(Protocol):
    """Of the metrics what a page needs."""

    def __call__(self, node: str, begin_utc: int, end_utc: int, most: int, /) -> list[Moment] | None:
        """As NodeMetrics.read says."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where pages come from. `rules` and `now` (UTC ms) are those of the order that is being followed."""

    figures: Figures
    register: Numbered
    metrics: ReadMetrics
    rules: Callable[[], Rules]
    now: Callable[[], int]
    examine: Callable[[ClosingSheet | ObservedSheet, Rules], bytes] | None = None
    """What keeps a period open, or what was observed, as JSON; where nothing is closed or imported, nothing."""


DISPOSED = mark("The evidence of that time was disposed of: of it there are the figures of whole months alone.")


class SheetMaker:
    """Draws one page after another."""

    def __init__(self, sources: Sources, assets: Assets) -> None:
        self._sources = sources
        self._environment = environment(assets)
        self._reports = Reports(sources.figures, sources.now)
        self._data = DataMaker(sources.figures, sources.now, self._reports.of, self._extent)

    def draw(self, sheet: Wanted) -> DrawnSheet:
        """The page; one that says so where there is no such thing, or its figure cannot be known."""
        rules = self._sources.rules()
        if isinstance(sheet, DataSheet):
            return self._data.draw(sheet, rules)
        if isinstance(sheet, ClosingSheet | ObservedSheet):
            assert self._sources.examine is not None, "whoever asks has given it"
            return DrawnSheet(Body.of(self._sources.examine(sheet, rules)))
        if isinstance(sheet, EffectSheet):
            return DrawnSheet(Body.of(effect_json(self._sources.figures, rules, sheet)))
        tell = Telling(language(sheet.language), rules.zone, self._sources.now())
        try:
            template, told, settled = self._told(sheet, rules, tell)
        except (NoSuchSheetError, PeriodError) as error:
            text, status = str(error), 404
        except JointLeaveUnknownError as error:
            text, status = all_told(error.unknown, tell.language), 200
        except EvidenceDisposedError:
            text, status = tell.language.say(DISPOSED), 410
        else:
            return DrawnSheet(Body.of(self._page(template, sheet, tell, rules, told)), settled=settled)
        return self._said(sheet, tell, rules, text, status)

    def _said(self, sheet: Sheet, tell: Telling, rules: Rules, text: str, status: int) -> DrawnSheet:
        told: dict[str, object] = {"title": tell.language.say("Nothing to show"), "text": text}
        return DrawnSheet(Body.of(self._page("nothing.html", sheet, tell, rules, told)), status)

    def _page(self, template: str, sheet: Sheet, tell: Telling, rules: Rules, told: dict[str, object]) -> bytes:
        shared = {
            "say": tell.language.say,
            "language": tell.language.code,
            "tell": tell,
            "root": "../" * DEPTH[type(sheet)],
            "organisation": rules.catalogue.organisation.value_at(tell.now - 1),
            "sheet": sheet,
            "address": address(sheet),
            "languages": LANGUAGE_NAMES,
        }
        return self._environment.get_template(template).render({**shared, **told}).encode()

    def _told(self, sheet: Sheet, rules: Rules, tell: Telling) -> tuple[str, dict[str, object], bool]:
        match sheet:
            case FigureSheet():
                return self._figure(sheet, rules, tell)
            case OutagesSheet():
                return self._outages(sheet, rules, tell)
            case ServiceSheet():
                return self._service(sheet, rules, tell)
            case OutageSheet():
                return self._outage(sheet, rules, tell)
            case NodeSheet():
                return self._node(sheet, tell)
            case CheckSheet():
                return self._check(sheet, rules, tell)

    def _period(self, words: str, rules: Rules, tell: Telling) -> Period:
        return parse_period(words or str(local_year(tell.now, rules.zone)), rules.zone, tell.now)

    def _figure(self, sheet: FigureSheet, rules: Rules, tell: Telling) -> tuple[str, dict[str, object], bool]:
        period = self._period(sheet.period, rules, tell)
        result = self._reports.of(period, rules)
        tell = replace(tell, now=result.as_of)
        return "figure-page.html", {**figure_page.values(result, tell), "tell": tell}, _is_settled(period, tell)

    def _outages(self, sheet: OutagesSheet, rules: Rules, tell: Telling) -> tuple[str, dict[str, object], bool]:
        period = self._period(sheet.period, rules, tell)
        result = self._reports.of(period, rules)
        tell = replace(tell, now=result.as_of)
        names = {one.service.id: one.service.name.value_at(result.last) for one in result.services}
        words = period_words(period, tell.language)
        told = {
            **service_page.outage_list(result, sheet.wanted, names, tell),
            "period": period,
            "period_words": words,
            "names": names,
            "title": tell.language.say("Outages, {period}", period=words),
            "drills": during_drills(rules, result),
            "tell": tell,
        }
        return "outages-page.html", told, _is_settled(period, tell)

    def _service(self, sheet: ServiceSheet, rules: Rules, tell: Telling) -> tuple[str, dict[str, object], bool]:
        service = _service_of(rules.catalogue, sheet.service, tell)
        frame = _frame(sheet, rules, tell)
        figures, period = self._sources.figures, self._period(sheet.period, rules, tell)
        one = figures.one_service(service.id, (frame.begin, frame.end), period)
        board, outages, wanted = one.board, one.outages, sheet.wanted
        name = board.services[0].name
        lanes = service_lanes(one.lanes, service, name, (frame.begin, frame.end), tell.now)
        told = {
            **service_page.service_values(board, tell),
            **service_page.timeline(frame, lanes, tell),
            **service_page.outage_list(
                outages, wanted, {service.id: name}, tell, period=period.name, zoom=frame.zoom, at=sheet.at
            ),
            "period": period,
            "period_words": period_words(period, tell.language),
            "year": str(local_year(tell.now, rules.zone)),
            "drills": during_drills(rules, outages),
        }
        return "service-page.html", told, False

    def _outage(self, sheet: OutageSheet, rules: Rules, tell: Telling) -> tuple[str, dict[str, object], bool]:
        service = _service_of(rules.catalogue, sheet.service, tell)
        begin, end = self._extent(sheet, rules, tell)
        cells = list(months(begin, max(end, begin + 1), rules.zone))
        result = self._sources.figures.explained(service.id, Period("", cells[0][0], cells[-1][1]))
        for one in explain(result, service.id, (begin, end)):
            name = service.name.value_at(one.outage.begin)
            is_drill = (service.id, one.outage.begin) in during_drills(rules, result)
            said = {**shared_values(tell), "said": sheet.told, "is_drill": is_drill}
            said["rulings"] = ruling_rows(sheet.rulings, tell.language)
            said["proposing"] = proposing(service.id, one.outage.begin, one.outage.end, rules.zone.key)
            told = {**service_page.outage_values(one, result, name, tell), **said}
            return "outage-page.html", told, _is_settled(Period("", begin, end), tell)
        raise NoSuchSheetError(
            tell.language.say("By what is known now the service was not down then: evidence that came later says so.")
        )

    def _extent(self, sheet: OutageSheet, rules: Rules, tell: Telling) -> tuple[int, int]:
        """From when to when the outage was known to last."""
        unknown = NoSuchSheetError(tell.language.say("This service has no outage of that number."))
        if not sheet.name.isascii() or len(sheet.name) > 20:
            raise unknown
        if not sheet.name.isdigit():
            begin = node_page.begin_of(sheet.name, rules.zone)
            if begin is None:
                raise unknown
            return begin, begin + 1_000
        known = self._sources.register.known(int(sheet.name[:15]))
        while known is not None and known.merged_into is not None:
            known = self._sources.register.known(known.merged_into)
        if known is None or known.service != sheet.service:
            raise unknown
        return known.begin, max(known.end, known.begin + 1)

    def _node(self, sheet: NodeSheet, tell: Telling) -> tuple[str, dict[str, object], bool]:
        detail = self._sources.figures.node_now(sheet.node)
        if detail is None:
            raise NoSuchSheetError(tell.language.say("No node of that name is known here."))
        begin = tell.now - CHARTED.get(sheet.zoom, DAY_MS)
        moments = self._sources.metrics(sheet.node, begin, tell.now, node_page.POINTS) or []
        return "node-page.html", node_page.values(detail, moments, (begin, tell.now), sheet.zoom, tell), False

    def _check(self, sheet: CheckSheet, rules: Rules, tell: Telling) -> tuple[str, dict[str, object], bool]:
        frame, period = _frame(sheet, rules, tell), self._period(sheet.period, rules, tell)
        name = f"{sheet.node}/{sheet.check}"
        one = self._sources.figures.check_now(name, (frame.begin, frame.end), (period.begin, period.end))
        if one is None:
            raise NoSuchSheetError(tell.language.say("No check of that name is known here."))
        moments = self._sources.metrics(sheet.node, frame.begin, min(frame.end, tell.now), node_page.POINTS) or []
        return "check-page.html", check_page.values(one, frame, period, moments, sheet, tell), False


def _service_of(catalogue: Catalogue, name: str, tell: Telling) -> Service:
    for one in catalogue.services:
        if one.id == name:
            return one
    raise NoSuchSheetError(tell.language.say("No service of that name is known here."))


def _frame(sheet: ServiceSheet | CheckSheet, rules: Rules, tell: Telling) -> Window:
    frame = window(sheet.zoom, sheet.at, rules.zone, tell.now)
    if frame is None:
        raise NoSuchSheetError(tell.language.say("There is no such time."))
    return frame


def _is_settled(period: Period, tell: Telling) -> bool:
    return period.end + SETTLED_MS <= tell.now


def environment(assets: Assets) -> Environment:
    """The templates of these pages."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=assets.name, shapes=wording.SHAPES)
    return made
