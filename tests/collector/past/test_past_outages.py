"""Files of past outages: what the samples of three programs come to, and that no bytes at all do any harm."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from detak_collector.catalogue.place import CatalogueError
from detak_collector.downtime.intervals import Intervals
from detak_collector.past.mapping import MAPPINGS, Columns, Mapping, States, read_mapping
from detak_collector.past.outages import Found, PastOutage, Wanted, read_outages, refuse_observed
from detak_collector.report.numbers import iso_utc

SAMPLES = Path(__file__).parent / "samples"
JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = 1_790_000_000_000
WANTED = Wanted(("portal", "pusat"), None, ignoring=False, zone=JAKARTA)
OWN = Mapping(rows="outages", columns=Columns(begin="begin", end="end", object=("what",), reason=("why",)))
HEADER = "begin,end,what,why\n"


def read(content: bytes | str, mapping: Mapping = OWN, wanted: Wanted = WANTED) -> Found:
    raw = content.encode() if isinstance(content, str) else content
    return read_outages(raw, "f.csv", mapping, wanted, NOW)


def refused(content: bytes | str, mapping: Mapping = OWN, wanted: Wanted = WANTED) -> tuple[str, ...]:
    with pytest.raises(CatalogueError) as caught:
        read(content, mapping, wanted)
    return caught.value.lines


def told(found: Found) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.service, iso_utc(one.begin)[:19], iso_utc(one.end)[:19]) for one in found.outages]


def sample(name: str, mapping: Mapping, wanted: Wanted = WANTED, **services: str) -> Found:
    known = {**mapping.services, **{key.replace("_", " "): value for key, value in services.items()}}
    return read((SAMPLES / name).read_bytes(), structs.replace(mapping, services=known), wanted)


def to_portal(mapping: Mapping = OWN) -> Mapping:
    return structs.replace(mapping, services={"*": "portal"})


def test_the_problems_of_zabbix_are_outages_of_local_time_by_host_and_severity() -> None:
    services = {"portal-*": "portal", "pusat-*": "pusat"}
    chosen = structs.replace(MAPPINGS["zabbix"], services=services, only={"Severity": ("High", "Disaster")})
    found = read((SAMPLES / "zabbix-problems.csv").read_bytes(), chosen)
    assert told(found) == [
        (5, "portal", "2021-12-31T16:50:00", "2021-12-31T17:10:00"),
        (2, "portal", "2022-03-01T02:12:33", "2022-03-01T02:47:05"),
        (4, "pusat", "2022-07-14T16:58:10", "2022-07-14T17:20:10"),
    ]
    assert found.outages[2].reason == 'Service "api" is down, all ports; see runbook'
    assert found.filtered == 1


def test_the_heartbeats_of_uptime_kuma_are_outages_from_down_to_up_or_maintenance_in_utc() -> None:
    assert told(sample("uptime-kuma-heartbeats.csv", MAPPINGS["uptime-kuma"], Portal="portal", Pusat_API="pusat")) == [
        (5, "portal", "2022-05-02T01:16:12", "2022-05-02T01:31:12"),
        (7, "pusat", "2022-05-03T10:00:00", "2022-05-03T10:05:00"),
    ]


def test_the_log_of_nagios_gives_outages_of_hosts_and_services_from_the_first_soft_state_on() -> None:
    services = {"portal-web-01/HTTPS": "portal", "pusat-api-01": "pusat"}
    mapping = structs.replace(MAPPINGS["nagios"], services=services)
    found = sample("nagios.log", mapping, Wanted(WANTED.services, None, ignoring=True, zone=JAKARTA))
    assert told(found) == [
        (5, "portal", "2021-12-31T22:35:00", "2021-12-31T22:50:00"),
        (9, "pusat", "2022-01-01T04:06:40", "2022-01-01T04:16:40"),
    ]
    assert found.others == 3
    hard = structs.replace(mapping, only={"type": ("HARD",)})
    later = sample("nagios.log", hard, Wanted(WANTED.services, "portal", ignoring=False, zone=JAKARTA))
    assert ("portal", "2021-12-31T22:37:00") in [(one[1], one[2]) for one in told(later)]


def test_a_mapping_of_ones_own_knows_minutes_patterns_of_time_another_zone_and_semicolons() -> None:
    own = read_mapping((SAMPLES / "own.toml").read_bytes(), "own.toml")
    assert told(sample("own.csv", own)) == [
        (2, "portal", "2022-02-01T00:30:00", "2022-02-01T00:42:30"),
        (3, "pusat", "2022-08-17T13:05:00", "2022-08-17T13:45:00"),
    ]


def test_every_line_that_is_wrong_is_named_in_order_with_column_value_and_what_to_do() -> None:
    lines = refused(
        HEADER
        + "2022-13-01 10:00,2022-01-01 11:00,portal,\n"
        + "2022-01-01 10:00,,portal,\n"
        + "2022-01-01 10:00,2022-01-01 09:00,portal,\n"
        + "2022-01-01 10:00,2022-01-01 11:00,nix,\n"
        + "2022-01-01 10:00,2022-01-01 11:00\n"
        + "2099-01-01 10:00,2099-01-01 11:00,portal,\n",
        structs.replace(OWN, services={"portal": "portal"}),
    )
    assert [line.split(":")[:3] for line in lines] == [
        ["f.csv", "2", " begin"],
        ["f.csv", "3", " end"],
        ["f.csv", "4", " end"],
        ["f.csv", "5", " what"],
        ["f.csv", "6", " as many fields as the header has, 4, are needed (got 2)"],
        ["f.csv", "7", " end"],
    ]
    assert '(got "2022-13-01 10:00")' in lines[0]
    assert "enter its end" in lines[1]
    assert "--map" in lines[3]
    assert '(got "nix")' in lines[3]


def test_a_name_goes_before_a_pattern_and_what_has_no_length_is_counted_and_left_out() -> None:
    mapping = structs.replace(OWN, services={"web-*": "portal", "web-9": "pusat"})
    row = "2022-01-01 10:00,2022-01-01 11:00"
    found = read(HEADER + f"{row},web-1,\n{row},web-9,\n2022-01-01,2022-01-01,web-1,\n", mapping)
    assert [one.service for one in found.outages] == ["portal", "pusat"]
    assert found.empty == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (HEADER.encode() + b"\xff\xfe\x00", "no utf-8 text from byte 19 on"),
        (HEADER.encode() + b"a\0b", "f.csv:2: a zero byte"),
        (HEADER.encode() + b'"a', "f.csv:2: not CSV"),
        (b"a;b\n1;2\n", 'no column "begin", "end", "what", "why" in its first line'),
        (b"begin,begin,end,what,why\n", 'the header has "begin" twice'),
    ],
)
def test_what_is_no_such_file_is_refused_in_words(content: bytes, said: str) -> None:
    (line,) = refused(content)
    assert said in line


def test_of_many_problems_the_first_fifty_are_told() -> None:
    lines = refused(HEADER + "x,y,portal,\n" * 500, to_portal())
    assert len(lines) == 51
    assert lines[-1] == "f.csv: and more that is wrong: these first"


def test_what_goes_down_and_never_comes_up_again_is_refused_at_its_line() -> None:
    events = Mapping(rows="events", columns=Columns(time="t", state="s"), states=States(down=("0",), up=("1",)))
    (line,) = refused("t,s\n2022-01-01,1\n2022-01-02,0\n2022-01-03,0\n", to_portal(events))
    assert line.startswith("f.csv:3: s: it went down and no later line")


def test_events_in_any_order_say_the_same() -> None:
    events = Mapping(rows="events", columns=Columns(time="t", state="s"), states=States(down=("0",), up=("1",)))
    rows = ["2022-01-01,1", "2022-01-02,0", "2022-01-03,1", "2022-01-04,0", "2022-01-05,1"]
    spans = [
        {(one.begin, one.end) for one in read("t,s\n" + "\n".join(order), to_portal(events)).outages}
        for order in (rows, rows[::-1])
    ]
    assert spans[0] == spans[1]
    assert len(spans[0]) == 2


def test_a_local_time_that_came_twice_is_widened_and_one_that_never_came_is_moved_and_both_are_told() -> None:
    berlin = structs.replace(to_portal(), timezone="Europe/Berlin")
    found = read(HEADER + "2024-10-27 02:10,2024-10-27 02:50,a,\n2024-03-31 02:10,2024-03-31 03:50,a,\n", berlin)
    assert told(found) == [
        (3, "portal", "2024-03-31T01:00:00", "2024-03-31T01:50:00"),
        (2, "portal", "2024-10-27T00:10:00", "2024-10-27T01:50:00"),
    ]
    assert [note.partition(" ")[0] for note in found.notes] == ["f.csv:2:", "f.csv:2:", "f.csv:3:"]
    assert "came twice in Europe/Berlin" in found.notes[0]
    assert "never came in Europe/Berlin" in found.notes[2]


def test_an_outage_in_observed_time_is_refused_with_its_line() -> None:
    found = read(HEADER + "2022-01-01 10:00,2022-01-01 11:00,a,\n2022-01-02 10:00,2022-01-02 11:00,a,\n", to_portal())
    watched = Intervals.span(found.outages[1].begin + 60_000, NOW)
    with pytest.raises(CatalogueError, match=r"^f.csv:3: checks of portal were observed from .*T03:01"):
        refuse_observed(found, "f.csv", lambda _, begin, end: watched.clip(begin, end), iso_utc)
    refuse_observed(found, "f.csv", lambda *_: Intervals(()), iso_utc)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (b"rows = 'outages'\n[columns]\nbegin='a'\n", "one of end and minutes"),
        (b"rows = 'events'\n[columns]\ntime='a'\nstate='b'\n", "states: of events required"),
        (b"rows = 'days'\n[columns]\n", "Invalid enum value 'days' - at `$.rows`"),
        (b"rows = 'outages'\nsize = 1\n[columns]\n", "size"),
        (
            b"rows = 'outages'\ntimes = ['iso']\n[columns]\nbegin='a'\nend='b'\nobject=['']\n",
            "a column's name is empty",
        ),
        (
            b"rows = 'outages'\ntimes = ['iso']\ntimezone = 'Asia/Jakata'\n[columns]\nbegin='a'\nend='b'\n",
            "the name of a time zone; did you mean",
        ),
        (b"rows = ", "own.toml: "),
        (b"\xff", "own.toml: "),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_in_words(mapping: bytes, said: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_mapping(mapping, "own.toml")
    assert said in "\n".join(caught.value.lines)


@given(
    content=st.binary(max_size=300)
    | st.text(max_size=200).map(lambda text: (HEADER + text).encode("utf-8", "replace")),
    mapping=st.sampled_from([*MAPPINGS.values(), OWN]),
    encoding=st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-7", "latin-1", "idna", "rot13", "zlib"]),
)
@example(content=b"\xff\xfe", mapping=OWN, encoding="utf-8")
@example(content=HEADER.encode() + b"\r\ra\r\nb", mapping=OWN, encoding="utf-8")
@example(content=b"[1] HOST ALERT: ;;;", mapping=MAPPINGS["nagios"], encoding="utf-8")
def test_whatever_the_bytes_are_they_are_outages_or_refused_with_the_file_named(
    content: bytes, mapping: Mapping, encoding: str
) -> None:
    mapping = to_portal(structs.replace(mapping, encoding=encoding))
    lines, outages = said_of(content, mapping)
    assert all(line.startswith("f.csv:") and line.isprintable() for line in lines)
    assert all(one.begin < one.end <= NOW and one.reason.isprintable() for one in outages)
    assert not (lines and outages)


def said_of(content: bytes, mapping: Mapping) -> tuple[tuple[str, ...], list[PastOutage]]:
    try:
        return (), read(content, mapping).outages
    except CatalogueError as error:
        return error.lines, []


MINUTES = st.integers(0, 10 * 365 * 24 * 60)
TEXTS = st.text(st.characters(exclude_categories=["C"], exclude_characters="\u2028\u2029"), max_size=20)


@given(
    outages=st.lists(st.tuples(MINUTES, st.integers(1, 5_000), TEXTS), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    ending=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_whatever_a_spreadsheet_writes_comes_back_as_the_same_outages(
    outages: list[tuple[int, int, str]], delimiter: str, ending: str, encoding: str, quoting: int
) -> None:
    base = int(datetime(2012, 1, 1, tzinfo=JAKARTA).timestamp()) * 1000
    spans = [(base + begin * 60_000, base + (begin + length) * 60_000, text) for begin, length, text in outages]
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator=ending, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["why", "what", "end", "begin"])
    for begin, end, text in spans:
        local = [datetime.fromtimestamp(one // 1000, JAKARTA).strftime("%Y-%m-%d %H:%M:%S") for one in (end, begin)]
        writer.writerow([text, "x", *local])
    found = read(written.getvalue().encode(encoding), to_portal())
    assert sorted((one.begin, one.end) for one in found.outages) == sorted(span[:2] for span in spans)
    assert sorted(one.reason for one in found.outages) == sorted(" ".join(text.split()) for *_, text in spans)
