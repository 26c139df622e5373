"""Exclusions that recur: windows in civil time by a rule of RFC 5545, and every rule that is refused."""
# ruff: noqa: E501 - a row of a table is a rule and the line it earns

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.catalogue import CatalogueError, Entered, parse, parse_exclusions
from detak_collector.downtime.catalogue import Exclusion

ROOT = Path(__file__).parents[3]
SERVICE = '[[service]]\nid = "impor"\ncriticality = "sangat kritis"\nprobes = ["edge-01/web"]\n'
ZONES = ["Asia/Jakarta", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Beirut"]
RECORD = {
    "id": "x1", "category": "preventive", "scope": "all", "document": "ND-1", "reason": "patches", "proposed_by": "a",
    "proposed_at": "2026-01-01T00:00:00Z", "approved_by": "b", "approved_at": "2026-01-02T00:00:00Z",
}  # fmt: skip
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = "DAILY, WEEKLY, MONTHLY, YEARLY"
NUMBERS = "whole numbers from {} to {}"
SIGNED = NUMBERS + ", or as many from the end with -"


def entered(first: str, last: str, rule: str, *, zone: str = "Asia/Jakarta", **more: str) -> Entered:
    """One exclusion; `zone` is that of the organisation."""
    catalogue = parse(f'organisation = "DJBC"\ntimezone = "{zone}"\n{SERVICE}')
    record = RECORD | {"from": first, "to": last, "recurrence": rule} | more
    [one] = parse_exclusions(json.dumps(record), catalogue)
    return one


def refusal_of(rule: object, first: str = "2026-03-01T15:00:00Z", last: str = "2026-03-01T17:00:00Z") -> str:
    with pytest.raises(CatalogueError) as caught:
        entered(first, last, rule)  # type: ignore[arg-type]
    [line] = caught.value.lines
    return line.removeprefix("exclusions.ndjson:1: recurrence")


def ms(written: str) -> int:
    return round(datetime.fromisoformat(written).timestamp() * 1000)


def begins(windows: Sequence[Exclusion], zone: str = "UTC") -> list[str]:
    return [f"{datetime.fromtimestamp(one.begin / 1000, ZoneInfo(zone)):%Y-%m-%dT%H:%M}" for one in windows]


def test_a_rule_without_end_goes_as_far_as_is_asked() -> None:
    one = entered("2026-03-01T15:00:00Z", "2026-03-01T17:00:00Z", "FREQ=WEEKLY")
    windows = one.windows(until=ms("2026-03-15T15:00:00Z"))
    assert begins(windows) == ["2026-03-01T15:00", "2026-03-08T15:00"]
    assert len(one.windows(until=ms("2026-03-15T15:00:01Z"))) == 3
    assert one.windows(until=0) == windows[:1]


def test_windows_share_all_but_their_time_and_their_number() -> None:
    one = entered("2026-03-01T15:00:00.250Z", "2026-03-01T17:00:00.750Z", "FREQ=DAILY;COUNT=3")
    windows = one.windows(until=ms("2027-01-01T00:00:00Z"))
    assert [(window.id, window.window, window.label) for window in windows] == [
        ("x1", 1, "x1 (window 1)"), ("x1", 2, "x1 (window 2)"), ("x1", 3, "x1 (window 3)"),
    ]  # fmt: skip
    assert {window.end - window.begin for window in windows} == {7_200_500}
    assert {window.begin % 86_400_000 for window in windows} == {15 * 3_600_000 + 250}
    assert {window.in_force for window in windows} == {True}


def test_one_that_does_not_recur_has_no_number() -> None:
    catalogue = parse(f'organisation = "X"\ntimezone = "UTC"\n{SERVICE}')
    record = RECORD | {"from": "2026-03-01T15:00:00Z", "to": "2026-03-01T17:00:00Z"}
    [(window,)] = [one.windows(until=0) for one in parse_exclusions(json.dumps(record), catalogue)]
    assert (window.window, window.label) == (None, "x1")


def test_a_window_is_late_that_began_before_the_proposal() -> None:
    one = entered(
        "2026-03-01T15:00:00Z", "2026-03-01T17:00:00Z", "FREQ=WEEKLY;COUNT=3", proposed_at="2026-03-08T15:00:00Z"
    )
    assert [window.late for window in one.windows(until=ms("2026-12-01T00:00:00Z"))] == [True, False, False]


@pytest.mark.parametrize(
    ("first", "rule", "shown"),
    [
        ("2026-03-22T21:00:00Z", "FREQ=WEEKLY;COUNT=3", ["2026-03-22T22:00", "2026-03-29T22:00", "2026-04-05T22:00"]),
        ("2026-03-28T01:30:00Z", "FREQ=DAILY;COUNT=3", ["2026-03-28T02:30", "2026-03-29T03:00", "2026-03-30T02:30"]),
        ("2026-10-25T01:30:00Z", "FREQ=DAILY;COUNT=2", ["2026-10-25T02:30", "2026-10-26T02:30"]),
    ],
)
def test_windows_keep_to_the_wall_clock_when_clocks_are_changed(first: str, rule: str, shown: list[str]) -> None:
    last = (datetime.fromisoformat(first) + timedelta(hours=2)).isoformat()
    windows = entered(first, last, rule, zone="Europe/Berlin").windows(until=ms("2027-01-01T00:00:00Z"))
    assert begins(windows, "Europe/Berlin") == shown
    assert windows[0].begin == ms(first)
    assert {window.end - window.begin for window in windows} == {7_200_000}


def test_a_record_may_name_its_own_zone() -> None:
    first, last, rule = "2026-02-28T17:30:00Z", "2026-02-28T18:00:00Z", "FREQ=MONTHLY;BYMONTHDAY=1;COUNT=2"
    windows = entered(first, last, rule, timezone="Asia/Makassar").windows(until=ms("2027-01-01T00:00:00Z"))
    assert begins(windows, "Asia/Makassar") == ["2026-03-01T01:30", "2026-04-01T01:30"]
    assert refusal_of("FREQ=MONTHLY;BYMONTHDAY=28", first, last).startswith(
        ": a rule by which from, which is Sunday 2026-03-01T00:30:00, is the first window"
    )


@pytest.mark.parametrize(
    ("until", "count"),
    [("20260315", 3), ("20260314", 2), ("20260315T220000", 3), ("20260315T215959", 2), ("20260315T150000Z", 3), ("20260315T145959Z", 2)],
)  # fmt: skip
def test_the_last_window_begins_no_later_than_until(until: str, count: int) -> None:
    one = entered("2026-03-01T15:00:00Z", "2026-03-01T17:00:00Z", f"FREQ=WEEKLY;UNTIL={until}")
    assert len(one.windows(until=ms("2027-01-01T00:00:00Z"))) == count


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=1SU", ["2026-03-01", "2026-04-05", "2026-05-03"]),
        ("FREQ=MONTHLY;BYDAY=-5SU", ["2026-03-01", "2026-05-03", "2026-08-02"]),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1", ["2026-03-01", "2026-04-04", "2026-05-02"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU", ["2026-03-01", "2026-03-02", "2026-03-15"]),
        ("FREQ=YEARLY;BYYEARDAY=60", ["2026-03-01", "2027-03-01", "2028-02-29"]),
        ("FREQ=YEARLY;BYWEEKNO=9;BYDAY=SU", ["2026-03-01", "2027-03-07", "2028-03-05"]),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=1SU", ["2026-03-01", "2027-03-07", "2028-03-05"]),
        ("FREQ=DAILY;BYMONTH=3;BYMONTHDAY=1,-1", ["2026-03-01", "2026-03-31", "2027-03-01"]),
    ],
)
def test_rules_mean_what_the_rfc_says(rule: str, days: list[str]) -> None:
    windows = entered("2026-03-01T02:00:00Z", "2026-03-01T03:00:00Z", rule).windows(until=ms("2030-01-01T00:00:00Z"))
    assert [begin[:10] for begin in begins(windows[:3])] == days


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (3, ': a rule of RFC 5545 such as "FREQ=WEEKLY;BYDAY=SU", without RRULE: before it (got 3)'),
        ("", ': a rule of RFC 5545 such as "FREQ=WEEKLY;BYDAY=SU", without RRULE: before it (got "")'),
        ("RRULE:FREQ=WEEKLY", ': a rule of RFC 5545 such as "FREQ=WEEKLY;BYDAY=SU", without RRULE: before it (got "RRULE:FREQ=WEEKLY")'),
        ("FREQ=WEEKLY;", ': a rule of RFC 5545 such as "FREQ=WEEKLY;BYDAY=SU", without RRULE: before it (got "FREQ=WEEKLY;")'),
        ("FREQ=DAILY;FREQ=DAILY", ': a rule in which no part stands twice (got "FREQ=DAILY;FREQ=DAILY")'),
        ("COUNT=3", f".FREQ: required; one of {FREQUENCIES} (got nothing)"),
        ("FREQ=HOURLY", f'.FREQ: one of {FREQUENCIES} (got "HOURLY")'),
        ("FREQ=MINUTELY", f'.FREQ: one of {FREQUENCIES} (got "MINUTELY")'),
        ("FREQ=SECONDLY", f'.FREQ: one of {FREQUENCIES} (got "SECONDLY")'),
        ("FREQ=DAILY;BYHOUR=3", '.BYHOUR: every window begins at the time of day of from; leave it out (got "3")'),
        ("FREQ=YEARLY;BYEASTER=1", '.BYEASTER: not a part of a rule; known are FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY, BYDAY, BYSETPOS, WKST (got "1")'),
        ("FREQ=DAILY;INTERVAL=0", '.INTERVAL: a whole number from 1 to 1000 (got "0")'),
        ("FREQ=DAILY;COUNT=1", '.COUNT: a whole number from 2 to 10000 (got "1")'),
        ("FREQ=DAILY;COUNT=2,3", '.COUNT: a whole number from 2 to 10000 (got "2,3")'),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", '.COUNT: either COUNT or UNTIL, not both (got "2")'),
        ("FREQ=DAILY;UNTIL=2027-01-01", '.UNTIL: a date such as 20261231, a local time such as 20261231T235959, or the same with Z for UTC (got "2027-01-01")'),
        ("FREQ=DAILY;UNTIL=20260231", '.UNTIL: a date such as 20261231, a local time such as 20261231T235959, or the same with Z for UTC (got "20260231")'),
        ("FREQ=DAILY;UNTIL=99991231", '.UNTIL: a date such as 20261231, a local time such as 20261231T235959, or the same with Z for UTC (got "99991231")'),
        ("FREQ=DAILY;UNTIL=20260228", '.UNTIL: not before from (got "20260228")'),
        ("FREQ=DAILY;BYMONTH=13", f'.BYMONTH: {NUMBERS.format(1, 12)} (got "13")'),
        ("FREQ=MONTHLY;BYMONTHDAY=1,0", f'.BYMONTHDAY: {SIGNED.format(1, 31)} (got "1,0")'),
        ("FREQ=MONTHLY;BYDAY=SO", '.BYDAY: days such as MO,TH or, by the month or year, 1SU,-1SU (got "SO")'),
        ("FREQ=WEEKLY;BYDAY=1SU", '.BYDAY: days without numbers, unless with FREQ MONTHLY or YEARLY (got "1SU")'),
        (
            "FREQ=MONTHLY;BYDAY=11SU",
            '.BYDAY: numbers of at most 5, since no day comes more often in a month (got "11SU")',
        ),
        (
            "FREQ=YEARLY;BYMONTH=12;BYDAY=-6MO",
            '.BYDAY: numbers of at most 5, since no day comes more often in a month (got "-6MO")',
        ),
        ("FREQ=WEEKLY;BYMONTHDAY=1", '.BYMONTHDAY: only with FREQ DAILY or MONTHLY or YEARLY (got "1")'),
        ("FREQ=MONTHLY;BYWEEKNO=9", '.BYWEEKNO: only with FREQ YEARLY (got "9")'),
        (
            "FREQ=DAILY;BYMONTH=3;BYSETPOS=5",
            '.BYSETPOS: numbers of at most 1: there are no more in one of its days or weeks (got "5")',
        ),
        (
            "FREQ=WEEKLY;BYDAY=SU,MO;BYSETPOS=-3",
            '.BYSETPOS: numbers of at most 2: there are no more in one of its days or weeks (got "-3")',
        ),
        (
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            ': a rule by which from, which is Sunday 2026-03-01T22:00:00, is the first window (got "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")',
        ),
        ("FREQ=DAILY;BYSETPOS=1", '.BYSETPOS: only with another part that begins with BY (got "1")'),
        ("FREQ=WEEKLY;WKST=SUN", '.WKST: one of MO, TU, WE, TH, FR, SA, SU (got "SUN")'),
        ("FREQ=WEEKLY;BYDAY=MO", ': a rule by which from, which is Sunday 2026-03-01T22:00:00, is the first window (got "FREQ=WEEKLY;BYDAY=MO")'),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", ': a rule by which from, which is Sunday 2026-03-01T22:00:00, is the first window (got "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")'),
        ("FREQ=DAILY;UNTIL=20260301", ': a rule that gives a second window; leave recurrence out where there is none (got "FREQ=DAILY;UNTIL=20260301")'),
        ("FREQ=YEARLY;INTERVAL=200", ': a rule that gives a second window; leave recurrence out where there is none (got "FREQ=YEARLY;INTERVAL=200")'),
    ],
)  # fmt: skip
def test_a_flaw_of_a_rule_is_told_in_exactly_this_line(rule: object, line: str) -> None:
    assert refusal_of(rule) == line


def test_windows_may_meet_and_not_overlap() -> None:
    day = "2026-03-01T15:00:00Z", "2026-03-02T15:00:00Z"
    assert len(entered(*day, "FREQ=DAILY").windows(until=ms("2026-03-04T15:00:00Z"))) == 3
    assert refusal_of("FREQ=DAILY", day[0], "2026-03-02T15:00:01Z") == (
        ": a rule whose windows lie apart: the one of 2026-03-02T22:00:00 begins before the last is over"
        ' (got "FREQ=DAILY")'
    )


def test_a_zone_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"timezone: the name of a time zone; did you mean \"Asia/Makassar\"\?"):
        entered("2026-03-01T15:00:00Z", "2026-03-01T17:00:00Z", "FREQ=DAILY", timezone="Asia/Makasar")


def test_more_windows_than_anybody_approves_are_refused_with_what_to_do() -> None:
    one = entered("2026-03-01T15:00:00Z", "2026-03-01T17:00:00Z", "FREQ=DAILY")
    last = ms("2026-03-01T15:00:00Z") + 10_000 * 86_400_000
    assert len(one.windows(until=last)) == 10_000
    with pytest.raises(CatalogueError) as caught:
        one.windows(until=last + 1)
    assert caught.value.lines == (
        "exclusion x1 recurs more than 10000 times; end it with UNTIL, and go on with a new one",
    )


@given(st.text(alphabet="FREQ=DAILYWKMOTHUNCB;,0123456789+-Z", max_size=40), st.sampled_from(["", "FREQ=MONTHLY;"]))
def test_any_rule_is_read_or_refused_in_lines(rule: str, before: str) -> None:
    with suppress(CatalogueError):
        found = entered("2026-03-01T15:00:00Z", "2026-03-01T15:00:01Z", before + rule)
        assert found.windows(until=ms("2026-06-01T00:00:00Z"))


@dataclass(frozen=True)
class Plan:
    """A rule, and what it means, day by day."""

    frequency: str
    interval: int
    weekdays: frozenset[int]
    months: frozenset[int]
    start: date

    @property
    def written(self) -> str:
        parts = [f"FREQ={self.frequency}", f"INTERVAL={self.interval}"]
        if self.weekdays:
            parts.append("BYDAY=" + ",".join(WEEKDAYS[day] for day in sorted(self.weekdays)))
        if self.months:
            parts.append("BYMONTH=" + ",".join(map(str, sorted(self.months))))
        return ";".join(parts)

    def has(self, day: date) -> bool:
        monday, first_monday = (one - timedelta(days=one.weekday()) for one in (day, self.start))
        months = (day.year - self.start.year) * 12 + day.month - self.start.month
        distance, alike = {
            "DAILY": ((day - self.start).days, True),
            "WEEKLY": ((monday - first_monday).days // 7, day.weekday() == self.start.weekday()),
            "MONTHLY": (months, day.day == self.start.day),
        }[self.frequency]
        right_day = day.weekday() in self.weekdays if self.weekdays else alike
        return distance % self.interval == 0 and right_day and (not self.months or day.month in self.months)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    start = draw(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
    weekdays = draw(
        st.one_of(st.just(frozenset[int]()), st.frozensets(st.integers(0, 6)).map(lambda one: one | {start.weekday()}))
    )
    months = draw(
        st.one_of(st.just(frozenset[int]()), st.frozensets(st.integers(1, 12)).map(lambda one: one | {start.month}))
    )
    return Plan(draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"])), draw(st.integers(1, 5)), weekdays, months, start)  # fmt: skip


def first_shown(wall: datetime, zone: ZoneInfo) -> int:
    """The first minute at which the wall clock shows this or, where it never does, more."""
    around = int(wall.replace(tzinfo=UTC).timestamp())
    minutes = range(around - 16 * 3_600, around + 16 * 3_600, 60)
    shown = [(at, datetime.fromtimestamp(at, zone).replace(tzinfo=None)) for at in minutes]
    exact = [at for at, one in shown if one == wall]
    return 1_000 * (exact or [at for at, one in shown if one > wall])[0]


def expected(plan: Plan, hour: int, zone: ZoneInfo, most: int) -> Iterator[int]:
    days = (plan.start + timedelta(days=number) for number in range(900))
    for _, day in zip(range(most), (day for day in days if plan.has(day)), strict=False):
        yield first_shown(datetime(day.year, day.month, day.day, hour, 30), zone)  # noqa: DTZ001 - a wall clock's reading


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(0, 23), st.sampled_from(ZONES))
def test_windows_are_those_that_a_walk_through_the_days_finds(plan: Plan, hour: int, zone: str) -> None:
    found = list(expected(plan, hour, ZoneInfo(zone), most=12))
    if len(found) < 2 or f"{datetime.fromtimestamp(found[0] / 1000, ZoneInfo(zone)):%H:%M}" != f"{hour:02}:30":
        return
    first = datetime.fromtimestamp(found[0] / 1000, UTC)
    one = entered(first.isoformat(), (first + timedelta(minutes=1)).isoformat(), plan.written, zone=zone)
    assert [window.begin for window in one.windows(until=found[-1] + 1)] == found


def test_the_example_in_the_reference_is_read() -> None:
    text = (ROOT / "docs" / "services.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    catalogue = parse(f'organisation = "DJBC"\ntimezone = "Asia/Jakarta"\n{SERVICE}')
    [one] = parse_exclusions(" ".join(example.split()), catalogue)
    assert begins(one.windows(until=ms("2026-12-31T00:00:00Z")), "Asia/Jakarta")[:2] == [
        "2026-03-01T22:00", "2026-04-05T22:00",
    ]  # fmt: skip
