"""What the wire refuses: each refusal names the place in the message and gives a reason for people."""

import json
from typing import Any

import pytest

from detak_wire import codec, limits
from detak_wire.messages import Enrolment, Evidence, Exchange


def span(**changes: Any) -> dict[str, Any]:
    plain = {
        "number": 1, "check": "web", "state": "up", "first_begin": 10, "first_end": 12,
        "last_begin": 20, "last_end": 22, "samples": 2,
    }  # fmt: skip
    return {**plain, **changes}


def beat(*spans: dict[str, Any], **changes: Any) -> bytes:
    part = {"run": "0123456789abcdef", "spans": list(spans)}
    plain = {"protocol": 1, "node": "dc-app-01", "run": "0123456789abcdef", "sent_agent": 30, "parts": [part]}
    return json.dumps({**plain, **changes}).encode()


def refusal(body: bytes) -> codec.InvalidMessageError:
    with pytest.raises(codec.InvalidMessageError) as caught:
        codec.decode(body, Evidence)
    return caught.value


def test_the_example_that_the_refusals_start_from_is_accepted() -> None:
    decoded = codec.decode(beat(span(), span(number=2)), Evidence)
    assert [one.number for one in decoded.parts[0].spans] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"state": "sleepy"}, "$.parts[0].spans[1].state"),
        ({"number": 0}, "$.parts[0].spans[1].number"),
        ({"number": "1"}, "$.parts[0].spans[1].number"),
        ({"samples": 0}, "$.parts[0].spans[1].samples"),
        ({"first_begin": -1}, "$.parts[0].spans[1].first_begin"),
        ({"first_begin": 1.5}, "$.parts[0].spans[1].first_begin"),
        ({"first_begin": True}, "$.parts[0].spans[1].first_begin"),
        ({"first_begin": None}, "$.parts[0].spans[1].first_begin"),
        ({"last_end": limits.TIME_MS + 1}, "$.parts[0].spans[1].last_end"),
        ({"check": "Web"}, "$.parts[0].spans[1].check"),
        ({"check": ""}, "$.parts[0].spans[1].check"),
        ({"check": "a" * (limits.NAME_CHARACTERS + 1)}, "$.parts[0].spans[1].check"),
        ({"check": "a/b"}, "$.parts[0].spans[1].check"),
        ({"check": "web\n"}, "$.parts[0].spans[1].check"),
        ({"message": "m" * (limits.MESSAGE_CHARACTERS + 1)}, "$.parts[0].spans[1].message"),
        ({"marks": {str(at): "" for at in range(limits.MARKS + 1)}}, "$.parts[0].spans[1].marks"),
        ({"closed": 1}, "$.parts[0].spans[1].closed"),
    ],
)
def test_a_field_of_a_span_out_of_bounds_is_named(changes: dict[str, Any], path: str) -> None:
    assert refusal(beat(span(), span(**changes))).path == path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"protocol": 0}, "$.protocol"),
        ({"node": "DC-APP"}, "$.node"),
        ({"node": "-app"}, "$.node"),
        ({"node": "app\n"}, "$.node"),
        ({"run": "xyz"}, "$.run"),
        ({"run": "0123456789abcdef\n"}, "$.run"),
        ({"parts": {}}, "$.parts"),
        ({"stopping": "bored"}, "$.stopping"),
        ({"backlog": -1}, "$.backlog"),
    ],
)
def test_a_field_of_a_beat_out_of_bounds_is_named(changes: dict[str, Any], path: str) -> None:
    assert refusal(beat(span(), **changes)).path == path


@pytest.mark.parametrize("missing", ["protocol", "node", "run", "sent_agent", "parts"])
def test_a_beat_without_a_required_field_is_refused_and_the_field_named(missing: str) -> None:
    whole = json.loads(beat(span()))
    del whole[missing]
    assert f"`{missing}`" in refusal(json.dumps(whole).encode()).reason


def test_an_unknown_field_is_refused_wherever_it_stands() -> None:
    assert "`mood`" in refusal(beat(span(), mood="fine")).reason
    inner = refusal(beat(span(), span(mood="fine")))
    assert (inner.path, "`mood`" in inner.reason) == ("$.parts[0].spans[1]", True)


def test_more_records_than_a_message_may_carry_are_refused() -> None:
    too_many = [span(number=at + 1) for at in range(limits.RECORDS_PER_MESSAGE + 1)]
    assert refusal(beat(*too_many)).path == "$.parts[0].spans"
    part = {"run": "0123456789abcdef"}
    assert refusal(beat(parts=[part] * (limits.PARTS_PER_MESSAGE + 1))).path == "$.parts"


def test_a_refusal_reads_as_place_and_reason() -> None:
    assert str(refusal(beat(span(number=0)))) == "$.parts[0].spans[0].number: Expected `int` >= 1"


def test_a_token_that_is_too_short_to_be_one_is_refused() -> None:
    with pytest.raises(codec.InvalidMessageError) as caught:
        codec.decode(b'{"protocol":1,"node":"dc-app-01","token":"short"}', Enrolment)
    assert caught.value.path == "$.token"


def test_a_moment_beyond_the_calendar_is_refused_at_the_door() -> None:
    exchange = {
        "number": 1, "collector": "c0c0c0c0", "sent_agent": 1, "arrived_utc": limits.UTC_MS + 1, "answered_utc": 1,
        "received_agent": 2,
    }  # fmt: skip
    with pytest.raises(codec.InvalidMessageError, match=r"\$\.arrived_utc"):
        codec.decode(json.dumps(exchange).encode(), Exchange)
