"""The canonical line of a record: one text for one meaning, whoever writes it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.ledger.lines import line_of, value_of
from detak_collector.ledger.plain import named

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TOLD = st.dictionaries(st.text(), VALUES, max_size=6)


@given(TOLD)
def test_the_standard_library_writes_the_same_line(told: dict[str, object]) -> None:
    expected = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert line_of(told).decode() == expected


@given(TOLD)
def test_a_line_is_one_line_and_says_what_it_was_told(told: dict[str, object]) -> None:
    line = line_of(told)
    assert b"\n" not in line
    assert json.loads(line) == told


def test_a_column_of_json_is_written_anew_so_that_no_text_of_it_can_hold_a_second_line() -> None:
    assert line_of({"body": value_of('{"b": 1,\n\n"a": 2}')}) == b'{"body":{"a":2,"b":1}}'


def test_a_column_that_is_no_json_any_more_is_another_line_than_it_was() -> None:
    assert value_of('{"a":1}') == {"a": 1}
    assert value_of('{"a":1') == '{"a":1'
    assert value_of("[" * 100_000) == "[" * 100_000


def test_a_record_is_named_so_that_somebody_can_find_it() -> None:
    span = {"record": "span", "number": 3, "run": "1a", "node": "db-01", "check": "web", "sequence": 17}
    assert named(line_of(span)) == "span 3 of run 1a of node db-01, check web (sequence 17)"
    entry = {"record": "entry", "number": 4, "kind": "figure", "author": "ani", "id": "0f"}
    assert named(line_of(entry)) == "entry 4 (figure by ani, id 0f)"
    assert named(b"[1]") == named(b"{") == "a line that is no record"
