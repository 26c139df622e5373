"""Service hours in local civil time: against a slow oracle, and by examples with numbers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civil_time_oracle import open_minutes
from detak_collector.downtime.calendars import (
    JointLeaveUnknownError,
    hours_in_force,
    lay_out,
    refuse_unknown,
    unknown_hours,
    without_joint_leave,
)
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Calendar, Catalogue, Dated, Holiday, Season, Week, Windows
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.intervals import Interval, Intervals
from detak_collector.downtime.periods import Period, months, parse_period
from downtime_cases import DAY, HOUR, MINUTE, facts, service, stated

JAKARTA = ZoneInfo("Asia/Jakarta")
ZONES = (
    "Asia/Jakarta", "Asia/Jayapura", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
    "Africa/Casablanca", "America/St_Johns", "Pacific/Apia",
)  # fmt: skip
ALL_DAY: Windows = ((0, 1440),)
OFFICE: Windows = ((450, 1020),)
FASTING: Windows = ((480, 900),)


def weekdays(windows: Windows) -> Week:
    return (*(windows,) * 5, (), ())


def at(words: str, zone: ZoneInfo = JAKARTA) -> int:
    return int(datetime.fromisoformat(words).replace(tzinfo=zone).timestamp() * 1000)


def year_of(number: int) -> Interval:
    return at(f"{number}-01-01"), at(f"{number + 1}-01-01")


def holiday(day: str, kind: str = "national") -> Holiday:
    return Holiday(date.fromisoformat(day), "libur", kind, "SKB")


RAMADAN = Season(at("2026-02-19"), at("2026-03-21"), weekdays(FASTING))
LEAVE_2026 = ("2026-02-16", "2026-03-18", "2026-03-20", "2026-03-23", "2026-03-24")
NATIONAL_2026 = ("2026-01-01", "2026-02-17", "2026-03-19", "2026-03-21")
KANTOR = Calendar(
    id="kantor",
    zone=JAKARTA,
    weekly=weekdays(OFFICE),
    seasons=(RAMADAN,),
    holidays_file="id.csv",
    holidays=(*(holiday(day) for day in NATIONAL_2026), *(holiday(day, "joint-leave") for day in LEAVE_2026)),
)


def using(*calendars: Calendar, hours: Dated[str] | None = None) -> Catalogue:
    one = service(probes=["edge/web"], hours=hours or Dated.always(calendars[0].id))
    return Catalogue(Dated.always("org"), "Asia/Jakarta", (one,), calendars=calendars)


def figure_of(catalogue: Catalogue, period: str, *down: tuple[str, str]) -> Result:
    """The figure where the probe was up from 2025 to 2028 but for `down`."""
    outages = [(at(begin), at(end)) for begin, end in down]
    history = stated("edge/web", at("2025-01-01"), at("2028-01-01"), down=outages)
    asked = parse_period(period, JAKARTA, at("2028-01-01"))
    return derive(Case(catalogue, JAKARTA, facts({"edge/web": history}), (), at("2028-01-01")), asked)


@cache
def changes_of_clocks(name: str) -> tuple[int, ...]:
    """The days, as UTC midnights from 1985 on, after which a zone's offset is another."""
    zone, found = ZoneInfo(name), []
    day = datetime(1985, 1, 1, tzinfo=UTC)
    while day.year < 2026:
        if day.astimezone(zone).utcoffset() != (day + timedelta(days=1)).astimezone(zone).utcoffset():
            found.append(int(day.timestamp()) * 1000)
        day += timedelta(days=1)
    return tuple(found) or (0,)


quarters = st.integers(0, 16) | st.integers(88, 96) | st.integers(0, 96)  # clocks are changed at night
windows = st.lists(quarters.map(lambda quarter: quarter * 15), unique=True, max_size=6).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
weeks = st.lists(windows, min_size=7, max_size=7).map(tuple)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, int, int]:
    """A calendar, and a few days of it around a change of the clocks."""
    name = draw(st.sampled_from(ZONES))
    begin = draw(st.sampled_from(changes_of_clocks(name))) - draw(st.integers(0, 36)) * HOUR
    end = begin + draw(st.integers(4, 48)) * HOUR
    edges = sorted(draw(st.lists(st.integers(begin // HOUR, end // HOUR), min_size=4, max_size=4, unique=True).map(
        lambda hours: [hour * HOUR for hour in hours])))  # fmt: skip
    seasons = (Season(edges[0], edges[1], draw(weeks)), Season(edges[2], edges[3], draw(weeks)))
    days = st.integers(-1, 3).map(lambda number: datetime.fromtimestamp(begin / 1000, UTC).date() + timedelta(number))
    calendar = Calendar(
        id="c",
        zone=ZoneInfo(name),
        weekly=draw(weeks),
        seasons=draw(st.sampled_from([(), seasons[:1], seasons])),
        exceptions=tuple(draw(st.dictionaries(days, windows, max_size=2)).items()),
        holidays=tuple(Holiday(day, "x", "national", "x") for day in draw(st.lists(days, max_size=2))),
    )
    return calendar, begin, end


@given(calendars())
def test_hours_are_those_of_the_minute_by_minute_oracle(made: tuple[Calendar, int, int]) -> None:
    calendar, begin, end = made
    laid = lay_out(calendar, begin, end)
    minutes = {minute for first, last in laid.hours for minute in range(first, last, MINUTE)}
    assert minutes == open_minutes(calendar, begin, end)
    assert laid.hours.total == len(minutes) * MINUTE
    assert not laid.undecided


@given(st.sampled_from(ZONES), st.integers(1985, 2025))
def test_a_calendar_that_never_closes_is_open_at_every_instant(zone: str, year: int) -> None:
    begin, end = at(f"{year}-01-01", ZoneInfo(zone)), at(f"{year + 1}-01-01", ZoneInfo(zone))
    assert lay_out(Calendar("c", ZoneInfo(zone), (ALL_DAY,) * 7), begin, end).hours == Intervals.span(begin, end)


@pytest.mark.parametrize(
    ("zone", "day", "window", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", (120, 240), 1.0),  # 02:00-04:00 where 02:00 to 03:00 does not exist
        ("Europe/Berlin", "2026-03-29", (135, 165), 0.0),  # 02:15-02:45 lies in the gap
        ("Europe/Berlin", "2026-10-25", (120, 180), 2.0),  # 02:00-03:00 comes twice
        ("Europe/Berlin", "2026-10-25", (60, 150), 2.5),  # 01:00-02:30 closes at the second 02:30
        ("America/Sao_Paulo", "2018-11-04", (0, 360), 5.0),  # the day begins at 01:00
        ("America/Sao_Paulo", "2018-02-17", (1320, 1440), 3.0),  # 23:00 to 24:00 comes twice
        ("Australia/Lord_Howe", "2026-04-05", (60, 180), 2.5),  # clocks go back by half an hour
        ("Pacific/Apia", "2011-12-30", (0, 1440), 0.0),  # a day that never was
    ],
)
def test_a_window_follows_the_wall_clock(zone: str, day: str, window: tuple[int, int], hours: float) -> None:
    calendar = Calendar("c", ZoneInfo(zone), ((),) * 7, exceptions=((date.fromisoformat(day), (window,)),))
    noon = int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp() * 1000)
    assert lay_out(calendar, noon - 3 * DAY, noon + 3 * DAY).hours.total == hours * HOUR


@pytest.mark.parametrize(
    ("day", "window"),
    [
        ("2010-11-07", (0, 60)),  # opens at the first midnight, before the clock shows Saturday again
        ("2010-11-06", (1320, 1440)),  # closes at the second midnight, after the clock has shown Sunday
    ],
)
def test_hours_of_a_day_go_on_while_the_clock_shows_its_neighbour(day: str, window: tuple[int, int]) -> None:
    calendar = Calendar(
        "c", ZoneInfo("America/St_Johns"), ((),) * 7, exceptions=((date.fromisoformat(day), (window,)),)
    )
    begin = int(datetime(2010, 11, 7, 2, 30, tzinfo=UTC).timestamp() * 1000)  # back from 00:01 to 23:01 at 02:31 UTC
    assert lay_out(calendar, begin, begin + 30 * MINUTE).hours == Intervals.span(begin, begin + 30 * MINUTE)


@pytest.mark.parametrize(
    ("month", "hours"),
    [
        ("2026-01", 21 * 9.5),  # 22 working days, of which New Year is closed
        ("2026-02", 11 * 9.5 + 7 * 7),  # 13 days before Ramadan less two closed ones, and 7 in it
        ("2026-03", 12 * 7 + 5 * 9.5),  # 12 days of Ramadan, five closed, then 25, 26, 27, 30 and 31 March
    ],
)
def test_ramadan_and_joint_leave_shorten_the_service_time_of_a_month(month: str, hours: float) -> None:
    assert figure_of(using(KANTOR), month).figure.service_time_ms == hours * HOUR


def test_an_exception_wins_over_season_and_holiday() -> None:
    half = ((450, 720),)
    special = replace(KANTOR, exceptions=((date(2026, 3, 18), half), (date(2026, 3, 17), ())))
    usual, changed = (figure_of(using(one), "2026-03").figure.service_time_ms for one in (KANTOR, special))
    assert changed - usual == 4.5 * HOUR - 7 * HOUR


def test_a_season_is_in_force_from_its_first_date_to_the_one_before_until() -> None:
    season = Season(at("2026-02-19"), at("2026-02-20"), weekdays(FASTING))
    plain = replace(KANTOR, seasons=(season,))
    days = [lay_out(plain, at(f"2026-02-{day}"), at(f"2026-02-{day + 1}")).hours.total / HOUR for day in (18, 19, 20)]
    assert days == [9.5, 7, 9.5]


def test_an_outage_counts_within_the_hours_and_the_rest_is_outside_them() -> None:
    result = figure_of(using(KANTOR), "2026-03", ("2026-03-02T07:30", "2026-03-02T09:00"))
    assert result.figure.counted_ms == 60 * MINUTE
    assert result.figure.gross_ms == 90 * MINUTE
    assert result.figure.excluded_ms is not None
    assert result.figure.excluded_ms["outside_hours"] == 30 * MINUTE


def test_an_outage_on_joint_leave_does_not_count() -> None:
    result = figure_of(using(KANTOR), "2026-03", ("2026-03-18T08:00", "2026-03-18T12:00"))
    assert (result.figure.counted_ms, result.figure.gross_ms) == (0, 4 * HOUR)


def test_a_year_is_the_sum_of_its_months() -> None:
    down = (("2026-01-31T16:00", "2026-02-02T08:00"), ("2026-06-30T09:00", "2026-07-01T09:00"))
    whole = figure_of(using(KANTOR), "2026", *down).figure
    parts = [figure_of(using(KANTOR), f"2026-{month:02}", *down).figure for month in range(1, 13)]
    assert whole.counted_ms == sum(one.counted_ms for one in parts) > 0
    assert whole.service_time_ms == sum(one.service_time_ms for one in parts)


def test_hours_may_change_on_a_date() -> None:
    hours = Dated(((None, at("2026-01-10"), "24x7"), (at("2026-01-10"), None, "kantor")))
    expected = 9 * 24 + 15 * 9.5
    assert figure_of(using(KANTOR, hours=hours), "2026-01").figure.service_time_ms == expected * HOUR


def test_a_year_without_joint_leave_is_refused_by_calendar_year_file_and_remedy() -> None:
    with pytest.raises(JointLeaveUnknownError) as caught:
        figure_of(using(KANTOR), "2027-03")
    assert str(caught.value) == (
        "calendar[kantor].holidays: id.csv has no joint-leave rows for 2027; run `detak-collector calendar fill kantor"
        " --year 2027` and check them against the decree, or write joint_leave_none = [2027] if it grants none"
    )


def test_every_unknown_year_of_every_calendar_is_told_at_once() -> None:
    other = replace(KANTOR, id="loket", holidays=())
    services = tuple(replace(using(one).services[0], id=one.id) for one in (KANTOR, other))
    catalogue = replace(using(KANTOR, other), services=services)
    period = at("2025-11-01"), at("2027-02-01")
    with pytest.raises(JointLeaveUnknownError) as caught:
        refuse_unknown(catalogue, tuple(months(*period, JAKARTA)))
    told = [(one.calendar.id, one.year) for one in caught.value.unknown]
    assert told == [("kantor", 2025), ("kantor", 2027), ("loket", 2025), ("loket", 2026), ("loket", 2027)]


@pytest.mark.parametrize(
    "calendar",
    [
        replace(KANTOR, joint_leave_none=(2027,)),
        replace(KANTOR, holidays_file=None, holidays=()),
        replace(KANTOR, holidays=(*KANTOR.holidays, holiday("2027-03-09", "joint-leave"))),
    ],
    ids=["decreed to have none", "a calendar without holidays", "one row of joint leave"],
)
def test_a_year_of_which_all_is_known_is_computed(calendar: Calendar) -> None:
    assert figure_of(using(calendar), "2027-04").figure.service_time_ms == 22 * 9.5 * HOUR


def test_hours_without_end_need_no_holidays() -> None:
    assert figure_of(using(KANTOR, hours=Dated.always("24x7")), "2027").figure.service_time_ms == 365 * DAY


def test_a_calendar_is_asked_only_for_the_time_in_which_it_is_in_force() -> None:
    hours = Dated(((None, at("2027-01-01"), "kantor"), (at("2027-01-01"), None, "24x7")))
    catalogue = using(KANTOR, hours=hours)
    assert figure_of(catalogue, "2027-01").figure.service_time_ms == 31 * DAY
    assert unknown_hours(catalogue, *year_of(2027)) == ()


def test_unknown_leave_of_a_neighbouring_month_bears_on_nothing() -> None:
    catalogue = replace(using(KANTOR), minimum_outage_ms=Dated.always(MINUTE))
    assert figure_of(catalogue, "2026-12").figure.service_time_ms == 23 * 9.5 * HOUR
    assert figure_of(catalogue, "2026-01").figure.service_time_ms == 21 * 9.5 * HOUR


def test_hours_of_a_zone_ahead_do_not_drag_the_next_year_in() -> None:
    east = replace(KANTOR, zone=ZoneInfo("Asia/Jayapura"))
    assert figure_of(using(east), "2026-12").figure.service_time_ms == 23 * 9.5 * HOUR


def test_without_joint_leave_only_the_unknown_years_are_taken_to_have_none() -> None:
    catalogue = using(KANTOR)
    assumed = without_joint_leave(catalogue, unknown_hours(catalogue, *year_of(2027)))
    assert figure_of(assumed, "2027-04").figure.service_time_ms == 22 * 9.5 * HOUR
    with pytest.raises(JointLeaveUnknownError, match="2025"):
        figure_of(assumed, "2025-04")


def test_services_with_the_same_hours_share_one_layout() -> None:
    one, other = (service(name=name, hours=Dated.always("kantor")) for name in ("a", "b"))
    catalogue = replace(using(KANTOR), services=(one, other))
    hours = hours_in_force(catalogue, tuple(months(*year_of(2026), JAKARTA)))
    assert list(hours) == [Dated.always("kantor")]
    assert sum(cell.total for cell in hours[one.hours]) == lay_out(KANTOR, *year_of(2026)).hours.total


def test_a_period_that_has_not_begun_asks_nothing_of_the_calendar() -> None:
    catalogue = using(KANTOR)
    case = Case(catalogue, JAKARTA, facts({}), (), at("2026-06-01"))
    assert derive(case, Period("2027", *year_of(2027))).figure.service_time_ms == 0
