"""What the status page is told of services outside their hours, and of hours that cannot be known."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from detak_collector.board.board import Board, Condition, Hours
from detak_collector.board.boards import Standing, board_of, service_state
from detak_collector.board.days import Year
from detak_collector.clocks import Reading as Moment
from detak_collector.downtime.calendars import unknown_hours
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Calendar, Catalogue, Dated, Holiday, Service
from detak_collector.downtime.days import days_of
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.store.base import CaughtUp, DerivedMonth, News, NodeRow, Wanted
from downtime_cases import HOUR, MINUTE, facts, service, stated

JAKARTA = ZoneInfo("Asia/Jakarta")
OFFICE = ((450, 1020),)
LEAVE = tuple(Holiday(date(year, 12, 24), "Cuti", "joint-leave", "SKB") for year in (2025, 2026))
KANTOR = Calendar("kantor", JAKARTA, (*(OFFICE,) * 5, (), ()), holidays_file="id.csv", holidays=LEAVE)
LOKET, ALWAYS = (
    service(name="loket", probes=["edge/loket"], hours=Dated.always("kantor")),
    service(name="web", probes=["edge/web"]),
)
CATALOGUE = Catalogue(Dated.always("org"), "Asia/Jakarta", (LOKET, ALWAYS), calendars=(KANTOR,))
BEGIN = "2026-10-01"


def at(words: str) -> int:
    return int(datetime.fromisoformat(words).replace(tzinfo=JAKARTA).timestamp() * 1000)


def evidence(now: str, down: tuple[tuple[str, str], ...] = ()) -> Facts:
    outages = [(at(begin), at(end)) for begin, end in down]
    return facts({check: stated(check, at(BEGIN), at(now), down=outages) for check in ("edge/loket", "edge/web")})


def board(now: str, *down: tuple[str, str], catalogue: Catalogue = CATALOGUE) -> Board:
    case = Case(catalogue, JAKARTA, evidence(now, down), (), at(now))
    year = Year(now[:4], at(f"{now[:4]}-01-01"), at(now))
    result = derive(case, Period(year.name, at(BEGIN), at(now)), beside=False)
    standings = [_standing(one.service, result, year) for one in result.services]
    services = [service_state(case, result.details[-1], one) for one in standings]
    return board_of(case, standings, services, year, ())


def _standing(of: Service, result: Result, year: Year) -> Standing:
    standing = Standing(of)
    for month in result.details:
        standing = standing.and_then(month.services[of.id], days_of(month.accounts[of.id], JAKARTA), year)
    return standing


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-11-24T12:00", Hours.WITHIN),
        ("2026-11-24T17:00", Hours.WITHIN),  # the last instant that is over lay within
        ("2026-11-24T17:01", Hours.OUTSIDE),
        ("2026-11-28T12:00", Hours.OUTSIDE),  # a Saturday
        ("2026-12-24T12:00", Hours.OUTSIDE),  # joint leave
    ],
)
def test_a_service_is_within_its_hours_or_outside_of_them(now: str, hours: Hours) -> None:
    loket, always = board(now).services
    assert (loket.hours, always.hours) == (hours, Hours.WITHIN)
    assert loket.condition is Condition.UP


def test_a_service_that_is_down_outside_its_hours_is_shown_down_and_not_counted() -> None:
    shown = board("2026-11-24T20:00", ("2026-11-24T18:00", "2026-11-24T20:00"))
    loket, always = shown.services
    assert (loket.condition, loket.hours, loket.counted_ms) == (Condition.DOWN, Hours.OUTSIDE, 0)
    assert (always.condition, always.counted_ms) == (Condition.DOWN, 2 * HOUR)
    assert {one.service_id: (one.counted_ms, one.hours) for one in shown.running} == {
        "loket": (0, Hours.OUTSIDE),
        "web": (2 * HOUR, Hours.WITHIN),
    }


def test_an_outage_that_has_ended_says_nothing_of_the_hours_of_now() -> None:
    shown = board("2026-11-24T20:00", ("2026-11-24T16:30", "2026-11-24T17:30"))
    assert {(one.service_id, one.counted_ms, one.hours) for one in shown.recent} == {
        ("loket", 30 * MINUTE, Hours.WITHIN),
        ("web", HOUR, Hours.WITHIN),
    }


def test_a_day_is_as_long_as_the_hours_that_are_over() -> None:
    loket = board("2026-11-24T08:30").services[0]
    lengths = {day.date: day.elapsed_ms for day in loket.days[-4:]}
    assert lengths == {
        "2026-11-21": 0,
        "2026-11-22": 0,
        "2026-11-23": int(9.5 * HOUR),
        "2026-11-24": HOUR,
    }


class Shelf:
    """The stores that figures read, with evidence, no node, and nothing kept."""

    def __init__(self, evidence: Facts) -> None:
        self.evidence = evidence

    def facts(self, begin: int, end: int, now: Moment, checks: object, *, known_at: int | None) -> Facts:
        return self.evidence

    def catch_up(self) -> CaughtUp:
        return CaughtUp(0, 0)

    def news(self, since: int) -> News:
        return News(since, frozenset(), {})

    def load(self, wanted: list[Wanted], *, days: bool) -> list[DerivedMonth]:
        return []

    def disposed(self, wanted: list[Wanted], known_at: int | None = None) -> list[DerivedMonth]:
        return []

    def keep(self, months: list[DerivedMonth], mark: int) -> bool:
        return True

    def listing(self, now: Moment, names: object) -> list[NodeRow]:
        return []

    def heard(self, now: Moment) -> dict[str, int | None]:
        return {}


def live(now: str, catalogue: Catalogue = CATALOGUE) -> Board:
    shelf, moment = Shelf(evidence(now)), Moment(at(now), 0, "boot")
    figures = Figures(shelf, shelf, shelf, lambda: Rules(catalogue), lambda: moment)  # type: ignore[arg-type]
    return figures.board_now()


def test_a_page_of_a_year_without_joint_leave_shows_states_and_why_there_is_no_figure() -> None:
    shown = live("2027-01-05T12:00")
    loket, always = shown.services
    assert shown.notices == (unknown_hours(CATALOGUE, at("2027-01-01"), at("2028-01-01"))[0].line,)
    assert (shown.figure.percent, shown.figure.possible_percent, shown.figure.verdict) == (None, None, None)
    assert (loket.condition, loket.hours, always.hours) == (Condition.UP, Hours.UNKNOWN, Hours.WITHIN)
    assert len(loket.days) == len(always.days) == 90


def test_the_figure_comes_back_once_the_table_is_complete() -> None:
    leave = (*LEAVE, Holiday(date(2027, 3, 9), "Cuti", "joint-leave", "SKB"))
    shown = live("2027-01-05T12:00", replace(CATALOGUE, calendars=(replace(KANTOR, holidays=leave),)))
    assert shown.notices == ()
    assert shown.figure.percent == 0


def test_unknown_leave_of_last_year_does_not_withhold_the_figure_of_this_one() -> None:
    leave = (Holiday(date(2027, 3, 9), "Cuti", "joint-leave", "SKB"),)
    shown = live("2027-01-05T12:00", replace(CATALOGUE, calendars=(replace(KANTOR, holidays=leave),)))
    assert shown.notices == ()
    assert shown.figure.percent == 0
