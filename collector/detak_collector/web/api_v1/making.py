"""Derives what the JSON API answers, in the process that derives: figures in, JSON out. It knows no HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from detak_collector.board.board import Board
from detak_collector.board.one_check import stretches
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.downtime.catalogue import Service
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.explain import explain
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.periods import Period, PeriodError, local_year, months, parse_period
from detak_collector.downtime.reading import Passage
from detak_collector.errors import EvidenceDisposedError
from detak_collector.figures import Figures
from detak_collector.report.numbers import iso_utc
from detak_collector.rules import Rules
from detak_collector.translation import ENGLISH
from detak_collector.translation.language import language
from detak_collector.web.api_v1 import answers, telling
from detak_collector.web.api_v1.check_answers import CheckInFull, check_in_full
from detak_collector.web.api_v1.cursors import CursorError, cut_ordered
from detak_collector.web.api_v1.data_sheets import (
    IN_FIGURE,
    CheckData,
    DataSheet,
    FigureData,
    NodeData,
    NumbersData,
    OutageData,
    OutagesData,
    RatesData,
    ServiceData,
)
from detak_collector.web.api_v1.problems import trouble
from detak_collector.web.assets import Body
from detak_collector.web.outage_rows import wanted_outages
from detak_collector.web.public_part import public_part
from detak_collector.web.sheet import DrawnSheet, Filter, NoSuchSheetError, OutageSheet
from detak_collector.web.telling import Telling

FAR = 10**15
SETTLED_MS = 3 * 86_400_000
NO_SERVICE = "No service of that name is known here."


class Reported(Protocol):
    """The result of a period; the last one again while it serves."""

    def __call__(self, period: Period, rules: Rules, /) -> Result:
        """As SheetMaker has it."""
        ...


class Extent(Protocol):
    """From when to when an outage was known to last; raises NoSuchSheetError."""

    def __call__(self, sheet: OutageSheet, rules: Rules, tell: Telling, /) -> tuple[int, int]:
        """As SheetMaker has it."""
        ...


@dataclass(frozen=True, slots=True)
class DataMaker:
    """Derives one answer after another, from the same results as the pages. `now` is that of the order, UTC ms."""

    figures: Figures
    now: Callable[[], int]
    reported: Reported
    extent: Extent

    def draw(self, sheet: DataSheet, rules: Rules) -> DrawnSheet:
        """The answer; a problem that says so where there is no such thing, or its figure cannot be known."""
        try:
            return self._drawn(sheet, rules)
        except NoSuchSheetError as error:
            return DrawnSheet(Body.of(trouble(404, str(error))), 404)
        except (CursorError, PeriodError) as error:
            return DrawnSheet(Body.of(trouble(400, str(error))), 400)
        except (JointLeaveUnknownError, EvidenceDisposedError) as error:
            return DrawnSheet(Body.of(trouble(409, str(error))), 409)

    def _drawn(self, sheet: DataSheet, rules: Rules) -> DrawnSheet:
        match sheet:
            case OutagesData():
                return self._outages(sheet, rules)
            case NumbersData():
                return self._numbers(sheet, rules)
            case FigureData():
                period = self._period(sheet.period, rules)
                return _answered(telling.figure_of(self.reported(period, rules)), settled=self._is_settled(period))
            case RatesData():
                period = self._period(sheet.period, rules)
                rates = telling.rates_of(self.reported(period, rules))
                return DrawnSheet(Body.of(msgspec.json.encode(rates)), settled=self._is_settled(period))
            case _:
                return _answered(self._one(sheet, rules))

    def _one(self, sheet: OutageData | ServiceData | NodeData | CheckData, rules: Rules) -> answers.Answer:
        match sheet:
            case OutageData():
                return self._outage(sheet, rules)
            case ServiceData():
                return self._service(sheet, rules)
            case NodeData():
                return self._node(sheet, rules)
            case CheckData():
                return self._check(sheet, rules)

    def _period(self, words: str, rules: Rules) -> Period:
        return parse_period(words or str(local_year(self.now(), rules.zone)), rules.zone, self.now())

    def _is_settled(self, period: Period) -> bool:
        return period.end + SETTLED_MS <= self.now()

    def _outages(self, sheet: OutagesData, rules: Rules) -> DrawnSheet:
        period = self._period(sheet.period, rules)
        result = self.reported(period, rules)
        known = [one for one in result.services if sheet.whole or one.service.public.value_at(result.last)]
        if sheet.service and sheet.service not in {one.service.id for one in known}:
            raise NoSuchSheetError(NO_SERVICE)
        known = [one for one in known if _is_figured(one, sheet.figure)]
        wanted = Filter(sheet.service, sheet.cause, sheet.excluded)
        found = [
            pair for pair in wanted_outages(replace(result, services=tuple(known)), wanted)
            if pair[0].running or not sheet.running
        ]  # fmt: skip
        page = cut_ordered(found, _place, sheet.cursor, sheet.limit)
        answer = answers.Outages(
            as_of=iso_utc(result.as_of), period=period.name, total=page.total, next=page.next,
            counted_ms=sum(one.counted_ms for one, _ in found),
            items=[
                telling.outage_of(one, result, in_figure=service.in_figure is not None, whole=sheet.whole)
                for one, service in page.items
            ],
        )  # fmt: skip
        return _answered(answer, settled=self._is_settled(period))

    def _numbers(self, sheet: NumbersData, rules: Rules) -> DrawnSheet:
        period = self._period(sheet.period, rules)
        result = self.reported(period, rules)
        found = wanted_outages(result, Filter(cause=sheet.cause))
        numbers = (result.numbers.get(one.key) for one, service in found if _is_figured(service, sheet.figure))
        told = sorted(number for number in numbers if number is not None)
        return DrawnSheet(Body.of(msgspec.json.encode(told)), settled=self._is_settled(period))

    def _outage(self, sheet: OutageData, rules: Rules) -> answers.OutageInFull:
        self._known(sheet.service, rules)
        tell = Telling(language(ENGLISH), rules.zone, self.now())
        begin, end = self.extent(OutageSheet(ENGLISH, sheet.service, sheet.name), rules, tell)
        cells = list(months(begin, max(end, begin + 1), rules.zone))
        result = self.figures.explained(sheet.service, Period("", cells[0][0], cells[-1][1]))
        for one in explain(result, sheet.service, (begin, end)):
            return telling.explained(one, result, result.services[0])
        raise NoSuchSheetError("By what is known now the service was not down then: evidence that came later says so.")

    def _service(self, sheet: ServiceData, rules: Rules) -> answers.ServiceInFull:
        service = self._known(sheet.service, rules)
        if not sheet.whole and not service.public.value_at(self.now() - 1):
            # Before anything is derived: what is hidden must not take longer than what is not there.
            raise NoSuchSheetError(NO_SERVICE)
        board: Board = self.figures.board_of(sheet.service)
        return telling.service_in_full(board if sheet.whole else public_part(board))

    def _node(self, sheet: NodeData, rules: Rules) -> answers.NodeInFull:
        detail = self.figures.node_now(sheet.node)
        if detail is None:
            raise NoSuchSheetError("No node of that name is known here.")
        return telling.node_in_full(detail, rules.down_after_ms)

    def _check(self, sheet: CheckData, rules: Rules) -> CheckInFull:
        period, now = self._period(sheet.period, rules), self.now()
        span = (period.begin, period.end)
        one = self.figures.check_now(f"{sheet.node}/{sheet.check}", (now - 1, now), span)
        if one is None:
            raise NoSuchSheetError("No check of that name is known here.")
        page = cut_ordered(stretches(one.over, span, sheet.kind), _stretch_place, sheet.cursor, sheet.limit)
        return check_in_full(one, period, page)

    @staticmethod
    def _known(name: str, rules: Rules) -> Service:
        for one in rules.catalogue.services:
            if one.id == name:
                return one
        raise NoSuchSheetError(NO_SERVICE)


def _is_figured(service: ServiceResult, wanted: str) -> bool:
    """Whether it enters the figure or not, as it is wanted."""
    return not wanted or (service.in_figure is not None) is (wanted == IN_FIGURE)


def _place(pair: tuple[Outage, ServiceResult]) -> str:
    """Where an outage stands in a list, latest first: a text that sorts so."""
    return f"{FAR - pair[0].begin:015d} {pair[0].service}"


def _stretch_place(one: Passage) -> str:
    """The same of a stretch in which a check was not simply up."""
    return f"{FAR - one.begin:015d} {FAR - one.end:015d}"


def _answered(answer: answers.Answer, *, settled: bool = False) -> DrawnSheet:
    return DrawnSheet(tagged(answer), settled=settled)


def tagged(answer: answers.Answer) -> Body:
    """The answer, under a tag that time alone does not change."""
    timeless = msgspec.json.encode(msgspec.structs.replace(answer, as_of=""))
    body = Body.of(msgspec.json.encode(answer))
    return replace(body, tag=hashlib.sha256(timeless).hexdigest()[:16])
