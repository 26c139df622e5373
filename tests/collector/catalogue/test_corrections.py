"""exclusions.ndjson and declarations.ndjson: strict, each problem with its line and key."""
# ruff: noqa: E501 - a row of a table is a change and the line it earns

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.catalogue import CatalogueError, parse, parse_declarations, parse_exclusions
from detak_collector.downtime.catalogue import Exclusion

CATALOGUE = parse(
    """
organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "impor"
criticality = "sangat kritis"
probes = ["edge-01/web"]
uses = ["net"]
[[service.group]]
name = "basis data"
category = "database"
members = ["db-01/pg"]
[[group]]
id = "net"
name = "Jaringan DC"
category = "network"
members = ["fw-01/up"]
[[node]]
name = "db-01"
site = "DC"
witnesses = ["app-01/ping"]
"""
)
RECORD: dict[str, object] = {
    "id": "x1",
    "category": "planned",
    "scope": {"service": "impor"},
    "from": "2026-03-01T15:00:00Z",
    "to": "2026-03-01T17:00:00Z",
    "document": "ND-12/2026",
    "reason": "Pemeliharaan\nbasis data",
    "proposed_by": "a",
    "proposed_at": "2026-02-27T08:00:00+07:00",
    "approved_by": "b",
    "approved_at": "2026-02-28T03:00:00Z",
}


def written(*changes: dict[str, object]) -> str:
    """One record a line, each RECORD with some keys changed; a key changed to `...` is left out."""
    records = [{key: value for key, value in (RECORD | change).items() if value is not ...} for change in changes]
    return "".join(json.dumps(record) + "\n" for record in records)


def lines_of(text: str) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        parse_exclusions(text, CATALOGUE)
    return [line.removeprefix("exclusions.ndjson:") for line in caught.value.lines]


def test_an_exclusion_is_read_to_the_millisecond() -> None:
    [one] = parse_exclusions(written({}), CATALOGUE)
    assert one.windows(until=0) == (
        Exclusion(
            "x1", "planned", "service", "impor", 1_772_377_200_000, 1_772_384_400_000, "ND-12/2026",
            "Pemeliharaan\nbasis data", "a", 1_772_154_000_000, "b", 1_772_247_600_000,
        ),
    )  # fmt: skip


def test_one_that_nobody_approved_or_its_own_proposer_did_is_kept_and_not_in_force() -> None:
    found = parse_exclusions(
        written({"id": "1", "approved_by": ..., "approved_at": ...}, {"id": "2", "approved_by": None, "approved_at": None},
                {"id": "3", "approved_by": "a"}, {"id": "4"}),
        CATALOGUE,
    )  # fmt: skip
    assert [one.first.in_force for one in found] == [False, False, False, True]


def test_blank_lines_and_an_empty_file_say_nothing() -> None:
    assert parse_exclusions("", CATALOGUE) == ()
    assert len(parse_exclusions("\n" + written({}) + "\r\n  \n", CATALOGUE)) == 1


@pytest.mark.parametrize(
    ("scope", "read"),
    [
        ({"all": True}, ("all", "")),
        ({"site": "DC"}, ("site", "DC")),
        ({"node": "fw-01"}, ("node", "fw-01")),
        ({"node": "app-01"}, ("node", "app-01")),
        ({"check": "edge-01/web"}, ("check", "edge-01/web")),
        ({"group": "impor/basis data"}, ("group", "impor/basis data")),
        ({"group": "net"}, ("group", "net")),
        ({"group": "impor/net"}, ("group", "impor/net")),
        ({"service": "impor"}, ("service", "impor")),
    ],
)
def test_a_scope_names_something_of_the_catalogue(scope: object, read: tuple[str, str]) -> None:
    [one] = parse_exclusions(written({"scope": scope}), CATALOGUE)
    assert (one.first.scope_kind, one.first.scope) == read


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"category": "planed"}, '1: category: one of planned, preventive, third_party, force_majeure, measurement_error; did you mean "planned"? (got "planed")'),
        ({"category": "down"}, '1: category: one of planned, preventive, third_party, force_majeure, measurement_error (got "down")'),
        ({"scope": {"service": "import"}}, '1: scope.service: a service of the catalogue; did you mean "impor"? (got "import")'),
        ({"scope": {"all": False}}, "1: scope.all: true (got false)"),
        ({"scope": {"group": "basis data"}}, '1: scope.group: a group of the catalogue; did you mean "impor/basis data"? (got "basis data")'),
        ({"scope": {"group": "impor/Jaringan DC"}}, '1: scope.group: a group of the catalogue (got "impor/Jaringan DC")'),
        ({"scope": {"site": "DRC"}}, '1: scope.site: a site of the catalogue; did you mean "DC"? (got "DRC")'),
        ({"scope": {"node": ["db-01"]}}, "1: scope.node: a node of the catalogue (got an array of 1)"),
        ({"scope": {"services": "impor"}}, '1: scope: one of all, site, node, check, group, service; did you mean "service"? (got "services")'),
        ({"scope": {"node": "db-01", "site": "DC"}}, "1: scope: a table with one of all, site, node, check, group, service (got a table)"),
        ({"scope": "impor"}, '1: scope: a table with one of all, site, node, check, group, service (got "impor")'),
        ({"scope": ...}, "1: scope: required (got nothing)"),
        ({"from": "2026-03-01"}, '1: from: a time with its zone, such as 2026-03-01T15:00:00Z (got "2026-03-01")'),
        ({"from": "2026-03-01T15:00:00"}, '1: from: a time with its zone, such as 2026-03-01T15:00:00Z (got "2026-03-01T15:00:00")'),
        ({"to": "2026-03-01T15:00:00Z"}, '1: to: later than from (got "2026-03-01T15:00:00Z")'),
        ({"document": " "}, '1: document: a text of 1 to 200 characters on one line, without blanks around it (got " ")'),
        ({"reason": ""}, '1: reason: a text of 1 to 2000 characters (got "")'),
        ({"proposed_by": ...}, "1: proposed_by: required (got nothing)"),
        ({"approved_by": ...}, "1: approved_by: required with approved_at (got nothing)"),
        ({"aproved_by": "b"}, '1: aproved_by: unknown key; did you mean "approved_by"? (got "b")'),
        ({"timezone": "Asia/Makassar"}, '1: timezone: only with recurrence; remove it (got "Asia/Makassar")'),
    ],
)  # fmt: skip
def test_a_flaw_of_an_exclusion_is_told_in_exactly_this_line(change: dict[str, object], line: str) -> None:
    assert lines_of(written(change)) == [line]


def test_every_flaw_of_every_record_is_told_at_once() -> None:
    text = (
        written({"id": "1"}, {"id": "1", "reason": 3})
        + "[]\n{\n"
        + '{"id": "a", "id": "b"}\n{"id": NaN}\n'
        + "[" * 9_999
    )
    assert lines_of(text) == [
        '2: id: each id may be used once (got "1")',
        "2: reason: a text of 1 to 2000 characters (got 3)",
        "3: a JSON object (got an empty array)",
        "4: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "5: not JSON: a key stands twice",
        "6: not JSON: NaN is no JSON number",
        "7: not JSON: maximum recursion depth exceeded while decoding a JSON array from a unicode string",
    ]


def test_a_line_without_end_is_refused() -> None:
    assert lines_of("x" * 70_000) == ["1: longer than 65536 characters"]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_lines(text: str) -> None:
    if not text.strip():
        assert parse_exclusions(text, CATALOGUE) == ()
    else:
        assert lines_of(text)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"category": "up"}, ':1: scope: one of check, node (got "service")'),
        ({"category": "down", "scope": {"check": "db-01/pg"}}, ':1: scope: one of service (got "check")'),
        ({"category": "planned"}, ':1: category: one of down, up (got "planned")'),
        ({"category": "down", "recurrence": "FREQ=WEEKLY"}, ':1: recurrence: unknown key; known here are approved_at, approved_by, category, document, from, id, proposed_at, proposed_by, reason, scope, to (got "FREQ=WEEKLY")'),
    ],
)  # fmt: skip
def test_a_flaw_of_a_declaration_is_told_in_exactly_this_line(change: dict[str, object], line: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        parse_declarations(written(change), CATALOGUE)
    assert caught.value.lines == (f"declarations.ndjson{line}",)


def test_declarations_say_down_of_a_service_and_up_of_a_check_or_node() -> None:
    (down,) = parse_declarations(written({"category": "down"}), CATALOGUE)
    (up,) = parse_declarations(written({"category": "up", "scope": {"node": "db-01"}}), CATALOGUE)
    assert (down.category, down.scope_kind, up.category, up.scope) == ("down", "service", "up", "db-01")
    assert down.in_force


def test_no_declarations_are_no_problem() -> None:
    assert parse_declarations("\n", CATALOGUE) == ()


def test_the_scope_all_may_be_written_as_a_word() -> None:
    (one,) = parse_exclusions(written({"scope": "all"}), CATALOGUE)
    assert one.first.scope_kind == "all"
