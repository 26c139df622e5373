"""The codec, tried with whatever hypothesis can think of: what is written is read, what is not a message is refused."""

import gzip
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_wire import PROTOCOL_VERSION, codec, limits
from detak_wire.messages import (
    Answer,
    CheckSettings,
    ClockClaim,
    Enrolment,
    Evidence,
    Exchange,
    Gap,
    Growth,
    Part,
    PreviousRun,
    RunOpening,
    Span,
    Stored,
)

identities = st.from_regex(limits.IDENTITY_PATTERN, fullmatch=True)
names = st.from_regex(limits.NAME_PATTERN, fullmatch=True)
milliseconds = st.integers(0, limits.TIME_MS)
utc = st.integers(0, limits.UTC_MS)
numbers = st.integers(1, limits.TIME_MS)
states = st.sampled_from(["up", "degraded", "down", "unknown"])
reasons = st.sampled_from(["stop", "shutdown", "reload", "failed"])
messages = st.text(st.characters(exclude_categories=["Cs"]), max_size=limits.MESSAGE_CHARACTERS)
marks = st.dictionaries(st.text(st.characters(codec="ascii"), max_size=8), messages, max_size=limits.MARKS)
spans = st.builds(
    Span, number=numbers, check=names, state=states, first_begin=milliseconds, first_end=milliseconds,
    last_begin=milliseconds, last_end=milliseconds, samples=numbers, largest_gap=milliseconds,
    closed=st.booleans(), message=messages, marks=marks,
)  # fmt: skip
growths = st.builds(Growth, numbers, milliseconds, milliseconds, numbers, milliseconds)
exchanges = st.builds(Exchange, numbers, identities, milliseconds, utc, utc, milliseconds)
gaps = st.builds(Gap, numbers, numbers, numbers, messages)
settings = st.builds(
    CheckSettings, name=names, kind=names, interval_ms=numbers, timeout_ms=milliseconds, remote=st.booleans()
)
previous_runs = st.builds(
    PreviousRun, run=identities, boot=identities, last_tick=milliseconds, last_number=milliseconds,
    stopped=st.none() | reasons,
)  # fmt: skip
claims = st.builds(ClockClaim, agent=milliseconds, utc=utc, error_ms=st.none() | milliseconds)
openings = st.builds(
    RunOpening, boot=identities, opened_agent=milliseconds, init_started_agent=milliseconds,
    agent_version=st.just("0.1.0"), tick_ms=numbers, beat_ms=numbers, checks=st.lists(settings, max_size=3),
    clock=claims, suspended_ms=milliseconds, previous=st.none() | previous_runs,
)  # fmt: skip
parts = st.builds(
    Part, run=identities, opening=st.none() | openings, spans=st.lists(spans, max_size=3),
    growths=st.lists(growths, max_size=3), exchanges=st.lists(exchanges, max_size=2), gaps=st.lists(gaps, max_size=2),
)  # fmt: skip
beats = st.builds(
    Evidence, protocol=st.just(PROTOCOL_VERSION), node=names, run=identities, sent_agent=milliseconds,
    parts=st.lists(parts, max_size=3), oldest=st.dictionaries(identities, milliseconds, max_size=3),
    backlog=milliseconds, stopping=st.none() | reasons,
)  # fmt: skip
stored = st.builds(
    Stored, opened=st.booleans(), mark=milliseconds, ranges=st.lists(st.tuples(numbers, numbers), max_size=3),
    open=st.dictionaries(numbers, milliseconds, max_size=3),
)  # fmt: skip
answers = st.builds(
    Answer, protocol=st.just(PROTOCOL_VERSION), collector=identities, arrived_utc=utc,
    answered_utc=utc, stored=st.dictionaries(identities, stored, max_size=3), backlog_allowance=milliseconds,
)  # fmt: skip


@given(beats)
def test_a_beat_is_read_as_it_was_written(beat: Evidence) -> None:
    assert codec.decode(codec.encode(beat), Evidence) == beat


@given(answers)
def test_an_answer_is_read_as_it_was_written(answer: Answer) -> None:
    assert codec.decode(codec.encode(answer), Answer) == answer


@given(beats)
def test_equal_beats_are_equal_bytes_also_when_packed(beat: Evidence) -> None:
    body = codec.encode(beat)
    assert codec.compress(body) == codec.compress(codec.encode(codec.decode(body, Evidence)))
    assert codec.inflate(codec.compress(body)) == body


@given(st.binary(max_size=300))
def test_bytes_that_are_no_message_are_refused_and_nothing_else_happens(body: bytes) -> None:
    with pytest.raises(codec.InvalidMessageError):
        codec.decode(body, Evidence)


@given(st.binary(max_size=300))
def test_bytes_that_are_not_gzip_are_refused_and_nothing_else_happens(body: bytes) -> None:
    with pytest.raises(codec.InvalidMessageError):
        codec.inflate(body)


@given(beats, st.randoms(use_true_random=False))
def test_a_beat_that_is_cut_short_is_refused(beat: Evidence, chance: random.Random) -> None:
    body = codec.encode(beat)
    packed = codec.compress(body)
    with pytest.raises(codec.InvalidMessageError):
        codec.decode(body[: chance.randrange(len(body))], Evidence)
    with pytest.raises(codec.InvalidMessageError, match=r"ends early|not gzip"):
        codec.inflate(packed[: chance.randrange(len(packed))])


def test_a_message_nested_without_end_is_refused() -> None:
    with pytest.raises(codec.InvalidMessageError):
        codec.decode(b'{"parts":' + b"[" * 100_000, Evidence)


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(codec.InvalidMessageError):
        codec.decode(b'{"protocol":1,"node":"a","token":"\xff\xfe0123456789abcdef"}', Enrolment)


def test_an_inflate_bomb_is_refused_and_never_held() -> None:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(200)) + packer.flush()
    assert len(bomb) < limits.BODY_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(codec.InvalidMessageError, match=f"larger than {limits.INFLATED_BYTES} bytes when unpacked"):
            codec.inflate(bomb)
        _, most_held = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_held < 4 * limits.INFLATED_BYTES


def test_exactly_as_much_as_the_limit_may_be_unpacked() -> None:
    assert codec.inflate(gzip.compress(bytes(1000)), most=1000) == bytes(1000)
    with pytest.raises(codec.InvalidMessageError, match="larger than 999 bytes"):
        codec.inflate(gzip.compress(bytes(1000)), most=999)


def test_something_behind_the_gzip_data_is_refused() -> None:
    with pytest.raises(codec.InvalidMessageError, match="something follows the gzip data"):
        codec.inflate(gzip.compress(b"{}") + b"x")
    with pytest.raises(codec.InvalidMessageError, match="something follows the gzip data"):
        codec.inflate(gzip.compress(b"{}") + gzip.compress(b"{}"))
