"""iCalendar files become records of exclusions and the other way round, or are refused whole."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_log import RECORD, Log
from detak_collector.catalogue import CatalogueError, parse
from detak_collector.catalogue.corrections import read_exclusion
from detak_collector.decisions.calendar_events import Defaults
from detak_collector.decisions.calendar_file import Planned, read_calendar, write_calendar
from detak_collector.decisions.importing import Plan, plan
from detak_collector.decisions.proposal import EXCLUSION
from detak_collector.decisions.recording import Draft
from detak_collector.downtime.catalogue import Catalogue

CATALOGUE: Catalogue = parse(
    """
organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "impor"
criticality = "sangat kritis"
[[service.group]]
name = "basis data"
category = "database"
members = ["db-01/pg"]
""",
    "services.toml",
)
ALL = Defaults("planned", {"service": "impor"}, "ND-1")
JAKARTA = ZoneInfo("Asia/Jakarta")
TIMES = "DTSTART;TZID=Asia/Jakarta:20260301T220000\nDTEND;TZID=Asia/Jakarta:20260302T000000"


def event(*lines: str, uid: str = "a@b", summary: str = "patches") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{summary}", *lines, "END:VEVENT"])


def calendar(*events: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *"\n".join(events).split("\n"), "END:VCALENDAR", ""]).encode()


def read(*events: str, defaults: Defaults = ALL) -> list[Planned]:
    return read_calendar(calendar(*events), "plan.ics", defaults, CATALOGUE)


def only(*lines: str, defaults: Defaults = ALL) -> dict[str, object]:
    (one,) = read(event(*lines), defaults=defaults)
    assert one.record is not None
    return one.record


def refusal(*events: str, defaults: Defaults = ALL) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        read(*events, defaults=defaults)
    return list(caught.value.lines)


def begins(record: dict[str, object], until: datetime) -> list[str]:
    """When its windows begin, local."""
    whole = {**record, "id": "x1", "proposed_by": "a", "proposed_at": "2026-01-01T00:00:00Z"}
    windows = read_exclusion(whole, JAKARTA, CATALOGUE, "x1").windows(int(until.timestamp() * 1_000))
    return [f"{datetime.fromtimestamp(one.begin / 1_000, JAKARTA):%m-%d %H:%M}" for one in windows]


def test_an_event_says_when_and_why_and_the_options_the_rest() -> None:
    assert only(TIMES) == {
        "category": "planned",
        "scope": {"service": "impor"},
        "document": "ND-1",
        "reason": "patches",
        "from": "2026-03-01T15:00:00.000Z",
        "to": "2026-03-01T17:00:00.000Z",
    }


def test_what_an_event_says_itself_goes_before_the_options() -> None:
    own = ("X-DETAK-SCOPE:group:impor/basis data", "X-DETAK-DOCUMENT:ND-7/2026", "CATEGORIES:work,Third Party")
    record = only(TIMES, *own)
    assert (record["scope"], record["document"], record["category"]) == (
        {"group": "impor/basis data"},
        "ND-7/2026",
        "third_party",
    )
    assert only(TIMES, "X-DETAK-SCOPE:all")["scope"] == {"all": True}


@pytest.mark.parametrize(
    ("lines", "begin", "end"),
    [
        ("DTSTART:20260301T150000Z\nDTEND:20260301T170000Z", "2026-03-01T15:00", "2026-03-01T17:00"),
        ("DTSTART:20260301T220000\nDURATION:PT2H", "2026-03-01T15:00", "2026-03-01T17:00"),
        ("DTSTART;VALUE=DATE:20260301", "2026-02-28T17:00", "2026-03-01T17:00"),
        ("DTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260303", "2026-02-28T17:00", "2026-03-02T17:00"),
        ("DTSTART;TZID=America/New_York:20260308T013000\nDURATION:PT1H", "2026-03-08T06:30", "2026-03-08T07:30"),
        ("DTSTART;TZID=America/New_York:20260308T023000\nDURATION:PT2H", "2026-03-08T07:00", "2026-03-08T09:00"),
    ],
)
def test_times_mean_what_a_clock_there_shows(lines: str, begin: str, end: str) -> None:
    record = only(lines)
    assert (record["from"], record["to"]) == (f"{begin}:00.000Z", f"{end}:00.000Z")


WINDOWS_ZONE = """BEGIN:VTIMEZONE
TZID:SE Asia Standard Time
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0700
TZOFFSETTO:+0700
END:STANDARD
END:VTIMEZONE"""


def test_a_zone_by_its_name_in_windows_is_known() -> None:
    times = "DTSTART;TZID=SE Asia Standard Time:20260301T220000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY"
    (one,) = read(WINDOWS_ZONE, event(times))
    assert one.record is not None
    assert (one.record["from"], one.record["timezone"]) == ("2026-03-01T15:00:00.000Z", "Asia/Bangkok")


def test_a_series_keeps_its_rule_and_leaves_out_what_does_not_take_place() -> None:
    record = only(
        TIMES,
        "RRULE:FREQ=WEEKLY;BYDAY=SU;COUNT=5",
        "EXDATE;TZID=Asia/Jakarta:20260308T220000",
        "EXDATE;VALUE=DATE:20260322",
        "EXDATE:20260309T150000Z",
    )
    assert record["timezone"] == "Asia/Jakarta"
    assert begins(record, datetime(2026, 12, 31, tzinfo=UTC)) == ["03-01 22:00", "03-15 22:00", "03-29 22:00"]


def test_an_event_moved_out_of_its_series_is_one_of_its_own() -> None:
    moved = event(
        "RECURRENCE-ID;TZID=Asia/Jakarta:20260308T220000",
        "DTSTART;TZID=Asia/Jakarta:20260309T220000",
        "DURATION:PT1H",
        summary="moved",
    )
    off = event("RECURRENCE-ID;TZID=Asia/Jakarta:20260315T220000", "STATUS:CANCELLED")
    series, other, called_off = read(moved, event(TIMES, "RRULE:FREQ=WEEKLY;COUNT=4"), off)
    assert series.record is not None
    assert begins(series.record, datetime(2026, 12, 31, tzinfo=UTC)) == ["03-01 22:00", "03-22 22:00"]
    assert other.record is not None
    assert (other.uid, other.record["from"]) == ("a@b/2026-03-08T15:00:00.000Z", "2026-03-09T15:00:00.000Z")
    assert called_off.record is None


def test_a_rule_for_one_time_is_no_series() -> None:
    assert "recurrence" not in only(TIMES, "RRULE:FREQ=DAILY;COUNT=1")


def test_a_file_is_refused_whole_with_everything_that_is_wrong() -> None:
    lines = refusal(
        event(TIMES),
        event(TIMES, uid=""),
        event("DTSTART:20269901T000000", uid="1", summary="no such date"),
        event("DTSTART:20260101T000000", uid="2", summary="no end"),
        event("DTSTART:20260102T000000\nDTEND:20260101T000000", uid="3", summary="backwards"),
        event("DTSTART;TZID=Nowhere/X:20260101T000000\nDURATION:PT1H", uid="4", summary="nowhere"),
        event(TIMES, "RRULE:FREQ=HOURLY", uid="5", summary="hourly"),
        event(TIMES, "RDATE:20260401T000000", uid="6", summary="dates"),
        event(TIMES, "X-DETAK-SCOPE:service:imporr", uid="7", summary="misspelt"),
        event(TIMES, uid="a@b", summary="again"),
        event(TIMES, "RECURRENCE-ID:20260301T150000Z", uid="8", summary="no series"),
        event(TIMES, "DTSTART:20260301T150000Z", uid="9", summary="twice"),
        event("DTSTART:PT1H", "DTEND:20260301T150000Z", uid="10", summary="a length"),
    )
    told = "\n".join(lines)
    for words in (
        "event 'patches': UID: required",
        "event 'no such date': DTSTART: Wrong datetime format",
        "event 'no end': DTEND: required: DTEND, or DURATION",
        "event 'backwards': DTEND: not later than DTSTART",
        "event 'nowhere': DTSTART: no such time zone (got TZID=Nowhere/X)",
        "event 'hourly': recurrence.FREQ: one of DAILY",
        "event 'dates': RDATE: not understood",
        "event 'misspelt': scope.service: a service of the catalogue; did you mean \"impor\"?",
        "event 'again': UID: each may be used once",
        "event 'twice': DTSTART: stands twice",
        "event 'a length': DTSTART: is of another kind than it should be",
        "event 'no series': RECURRENCE-ID: the series that it belongs to is not in the file",
    ):
        assert words in told
    assert len(lines) == 12


def test_what_neither_event_nor_options_say_is_asked_for() -> None:
    told = "\n".join(refusal(event(TIMES), defaults=Defaults()))
    assert [words in told for words in ("no category: give --category", "no scope: give", "no document: give")] == [
        True,
        True,
        True,
    ]


def test_a_window_left_out_by_a_time_without_a_day_is_refused() -> None:
    (line,) = refusal(event(TIMES, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:202600"))
    assert "EXDATE: is of another kind" in line


def zoned(offset: str) -> bytes:
    """A file with a zone of its own, as mail programs call theirs."""
    return f"""BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:a
SUMMARY:x
DTSTART;TZID=Customized Time Zone:20260301T220000
DURATION:PT2H
END:VEVENT
END:VCALENDAR
""".encode()


def test_the_zone_of_one_file_is_not_that_of_the_next() -> None:
    begins = []
    for offset in ("+0900", "+0700"):
        (one,) = read_calendar(zoned(offset), "plan.ics", ALL, CATALOGUE)
        assert one.record is not None
        begins.append(one.record["from"])
    assert begins == ["2026-03-01T13:00:00.000Z", "2026-03-01T15:00:00.000Z"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"hello", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", b"\xff\xfe\x00", b"BEGIN:X",
        b"BEGIN:VCALENDAR\r\nTZID:X\r\nEND:VTIMEZONE\r\n",
    ],
)  # fmt: skip
def test_a_file_without_events_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_calendar(content, "plan.ics", ALL, CATALOGUE)
    assert len(caught.value.lines) == 1
    assert caught.value.lines[0].startswith("plan.ics: ")


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: calendar(event(TIMES, text))))
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes) -> None:
    try:
        read_calendar(content, "plan.ics", ALL, CATALOGUE)
    except CatalogueError as error:
        told = error.lines
    else:
        told = ("read",)
    assert told


def planned(log: Log, *events: str, author: str = "Ani") -> Plan:
    return plan(log.register(), read(*events), author, "plan.ics")


def taken(log: Log, *events: str) -> None:
    """Enters what the events propose, and has it approved."""
    for step in planned(log, *events).steps:
        assert isinstance(step, Draft)
        log.approve(log.add("Ani", step.record or {}, uid=step.uid), "Budi")


def test_the_same_file_again_proposes_nothing() -> None:
    log = Log()
    taken(log, event(TIMES))
    again = planned(log, event(TIMES), author="Budi")
    assert (again.steps, len(again.unchanged), again.problems) == ([], 1, [])


def test_a_changed_event_amends_and_one_that_is_called_off_is_withdrawn() -> None:
    log = Log()
    taken(log, event(TIMES))
    (changed,) = planned(log, event(TIMES, summary="more patches")).steps
    assert isinstance(changed, Draft)
    assert (changed.action, changed.target, changed.because) == ("replace", "x1", "changed in plan.ics")
    (off,) = planned(log, event(TIMES, "STATUS:CANCELLED")).steps
    assert isinstance(off, Draft)
    assert (off.action, off.target) == ("withdraw", "x1")


def test_a_pending_amendment_is_amended_and_with_the_event_taken_back() -> None:
    log = Log()
    taken(log, event(TIMES))
    log.amend("x1", "Ani", {**RECORD, "document": "ND-2"})
    (changed,) = planned(log, event(TIMES, summary="other")).steps
    assert isinstance(changed, Draft)
    assert changed.target == "x2"
    off = planned(log, event(TIMES, "STATUS:CANCELLED")).steps
    assert [type(one).__name__ for one in off] == ["Ruling", "Draft"]
    (problem,) = planned(log, event(TIMES, "STATUS:CANCELLED"), author="Cici").problems
    assert "Ani proposed x2: `detak-collector exclude reject x2`" in problem


def test_what_was_rejected_is_not_proposed_again_unless_it_changes() -> None:
    log = Log()
    (first,) = planned(log, event(TIMES)).steps
    assert isinstance(first, Draft)
    log.add("Ani", first.record or {}, uid=first.uid)
    log.reject("x1", "Budi")
    assert planned(log, event(TIMES)).steps == []
    (again,) = planned(log, event(TIMES, summary="better reasons")).steps
    assert isinstance(again, Draft)
    assert again.action == "add"


def test_a_moved_event_that_is_back_in_its_series_is_called_off() -> None:
    log = Log()
    series = event(TIMES, "RRULE:FREQ=WEEKLY;COUNT=4")
    moved = event("RECURRENCE-ID:20260308T150000Z", "DTSTART:20260309T150000Z", "DURATION:PT1H")
    taken(log, series, moved)
    steps = planned(log, series).steps
    assert [(one.action, one.target) for one in steps if isinstance(one, Draft)] == [
        ("replace", "x1"),
        ("withdraw", "x2"),
    ]


def test_what_is_exported_is_known_again_and_says_the_same() -> None:
    log = Log()
    taken(
        log,
        event(TIMES, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20260308T150000Z"),
        event(TIMES, uid="c", summary="a, b; c"),
    )
    log.add("Ani", {**RECORD, "scope": {"group": "impor/basis data"}, "from": "2026-03-01T15:00:00.000Z",
                    "to": "2026-03-01T17:00:00.000Z"})  # fmt: skip
    register = log.register()
    content = write_calendar(register, register.about(EXCLUSION))
    assert content.count(b"STATUS:TENTATIVE") == 1
    again = plan(register, read_calendar(content, "out.ics", Defaults(), CATALOGUE), "Budi", "out.ics")
    assert (again.steps, len(again.unchanged)) == ([], 3)
