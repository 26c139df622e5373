import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_agent.checks.kinds.http.body import MOST_BODY_BYTES, Body
from detak_agent.http_answer import BrokenAnswerError


def bare(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "": bytes,
    "identity": bytes,
}


def unpacked(coding: str, packed: bytes, step: int = 1_000) -> Body:
    body = Body([coding] if coding else [])
    for at in range(0, len(packed), step):
        body.take(packed[at : at + step])
        if body.is_cut:
            return body
    body.end()
    return body


@given(st.sampled_from(sorted(PACKED)), st.binary(max_size=300), st.integers(1, 50))
def test_what_was_packed_is_unpacked_however_it_arrives(coding: str, data: bytes, step: int) -> None:
    assert unpacked(coding.upper(), PACKED[coding](data), step).content == data


@given(st.binary(max_size=300), st.integers(1, 50))
def test_deflate_may_come_without_the_header_that_belongs_to_it(data: bytes, step: int) -> None:
    assert unpacked("deflate", bare(data), step).content == data


def test_several_gzip_streams_in_a_row_are_one_body_and_padding_is_passed_over() -> None:
    packed = gzip.compress(b"all ") + gzip.compress(b"is well")
    assert unpacked("gzip", packed).content == b"all is well"
    assert unpacked("gzip", packed + b"\0" * 30, 7).content == b"all is well"


def test_an_empty_body_is_empty_in_every_coding() -> None:
    assert [unpacked(coding, b"").content for coding in ("gzip", "deflate", "br")] == [b"", b"", b""]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_cut_and_takes_no_memory(coding: str) -> None:
    bomb = PACKED[coding](bytes(200 * 1_024 * 1_024))
    tracemalloc.start()
    try:
        body = unpacked(coding, bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (body.is_cut, len(body.content)) == (True, MOST_BODY_BYTES)
    assert peak < 4 * MOST_BODY_BYTES


def test_a_stream_that_grows_to_nothing_is_cut_too() -> None:
    body = unpacked("gzip", gzip.compress(b"") * 20_000)
    assert body.is_cut
    assert body.content == b""


@pytest.mark.parametrize("length", [MOST_BODY_BYTES - 1, MOST_BODY_BYTES, MOST_BODY_BYTES + 1])
def test_a_body_is_cut_where_it_is_longer_than_the_bound(length: int) -> None:
    for coding in ("", "gzip"):
        body = unpacked(coding, PACKED[coding](b"x" * length))
        assert (body.is_cut, len(body.content)) == (length > MOST_BODY_BYTES, min(length, MOST_BODY_BYTES))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_damaged_or_unfinished_body_has_words(coding: str) -> None:
    packed = PACKED[coding](b"all is well" * 50)
    with pytest.raises(BrokenAnswerError, match=f"ends its {coding} answer too early"):
        unpacked(coding, packed[:-3])
    with pytest.raises(BrokenAnswerError, match=f"says that its answer is packed with {coding}, but that is damaged"):
        unpacked(coding, packed[:5] + b"\xff" * 9 + packed[14:])
    with pytest.raises(BrokenAnswerError, match=f"says that its answer is packed with {coding}, but that is damaged"):
        unpacked(coding, b"\xff plain text")


def test_an_unknown_coding_is_left_packed() -> None:
    body = Body(["gzip", "br"])
    body.take(b"\x0b\x05")
    assert (body.coding, body.is_readable) == ("gzip, br", False)
    assert body.content == b"\x0b\x05"
