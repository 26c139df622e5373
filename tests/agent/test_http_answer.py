import asyncio

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_agent.http_answer import MOST_HEAD_BYTES, AnswerReader, BrokenAnswerError, client

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


async def read(parts: list[bytes], method: str = "GET", headers: tuple[tuple[str, str], ...] = ()) -> tuple[int, bytes]:
    """The status and the body of what a server sends in these parts before it closes."""
    protocol = client()
    protocol.send(h11.Request(method=method, target="/", headers=[("Host", "h"), *headers]))
    protocol.send(h11.EndOfMessage())
    arriving = iter(parts)

    async def hear(most: int) -> bytes:
        part = next(arriving, b"")
        assert len(part) <= most
        return part

    reader = AnswerReader(protocol, hear)
    head = await reader.head()
    body = b""
    while head.status_code >= 200 and (part := await reader.part()):
        body += part
    return head.status_code, body


def answer(*parts: bytes, method: str = "GET", headers: tuple[tuple[str, str], ...] = ()) -> tuple[int, bytes]:
    pieces = [part[at : at + 8_192] for part in parts for at in range(0, len(part), 8_192)]
    return asyncio.run(read(pieces, method, headers))


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (OK + b"Content-Length: 2\r\n\r\nhi", 200, b"hi"),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi and more", 200, b"hi"),
        (OK + b"\r\nuntil it closes", 200, b"until it closes"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil it closes", 200, b"until it closes"),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, b"hi"),
        (OK + b"X: a\r\n  folded\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi"),
        (OK + "X: käse\r\nContent-Length: 2\r\n\r\nhi".encode("latin-1"), 200, b"hi"),
        (CHUNKED + b"2;why=not\r\nhi\r\n3\r\n ho\r\n0\r\nTrailer: 1\r\n\r\n", 200, b"hi ho"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"\r\nhi", 200, b"hi"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
    ],
)
def test_an_answer_is_understood_in_every_form_that_http_allows(said: bytes, status: int, body: bytes) -> None:
    assert answer(said) == (status, body)
    assert answer(*(bytes([byte]) for byte in said)) == (status, body)


def test_an_answer_to_head_has_no_body_whatever_length_it_names() -> None:
    assert answer(OK + b"Content-Length: 5000\r\n\r\n", method="HEAD") == (200, b"")


def test_another_protocol_is_an_answer_only_where_it_was_proposed() -> None:
    said = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x00"
    assert answer(said, headers=(("Upgrade", "websocket"), ("Connection", "upgrade"))) == (101, b"")
    with pytest.raises(BrokenAnswerError, match=r"breaks the rules of HTTP: .*_SWITCH_UPGRADE"):
        answer(said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "closed the connection without an answer"),
        (b"HTT", "closed the connection in the middle of its answer"),
        (OK + b"Content-Le", "closed the connection in the middle of its answer"),
        (OK + b"Content-Length: 5\r\n\r\nhal", "closed the connection in the middle of its answer"),
        (CHUNKED + b"5\r\nhal", "closed the connection in the middle of its answer"),
        (CHUNKED + b"3\r\nall\r\n", "closed the connection in the middle of its answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "answered something that is not HTTP"),
        (b"220 mail ready\r\n\r\n", "answered something that is not HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "answered something that is not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "begins its answer with a line that HTTP does not allow"),
        (b"HTTP/1.1 OK\r\n\r\n", "begins its answer with a line that HTTP does not allow"),
        (OK + b"\tX: 1\r\n\r\n", "begins its headers with a blank"),
        (OK + b"Server : x\r\n\r\n", "sends a header line that HTTP does not allow: 'Server '"),
        (OK + b"Set-Cookie : id=secret\r\n\r\n", "sends a header line that HTTP does not allow: 'Set-Cookie '"),
        (OK + b"X: a\x00b\r\n\r\n", "sends a control character among its headers, which HTTP does not allow"),
        (OK + b"X: a\rb\r\n\r\n", "sends a control character among its headers, which HTTP does not allow"),
        (OK + b"X:" + b" " * 60_000 + b"\x0b\r\n\r\n", "sends a control character among its headers"),
        (OK + b"X:" + b"\r\n " * 20_000 + b"\x0c\r\n\r\n", "sends a control character among its headers"),
        (OK + b"X: y\r\n" * 20_000, f"sends more than {MOST_HEAD_BYTES // 1_024} KiB of headers"),
        (OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", f"sends more than {MOST_HEAD_BYTES // 1_024} KiB of headers"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000, f"sends more than {MOST_HEAD_BYTES // 1_024} KiB of headers"),
        (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "gives two different lengths for one answer"),
        (OK + b"Content-Length: two\r\n\r\nhi", "gives a length of its answer that is no number"),
        (OK + b"Content-Length: -2\r\n\r\nhi", "gives a length of its answer that is no number"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "sends its answer in a transfer coding that is not chunked"),
        (
            OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "sends its answer in several transfer codings",
        ),
        (CHUNKED + b"zz\r\nhi\r\n", "sends a broken chunk in its answer"),
        (CHUNKED + b"2\r\nhi ho\r\n", "sends a broken chunk in its answer"),
        (CHUNKED + b"2;" + b"x" * 20_000, "sends more than 4 KiB in between the chunks of its answer"),
        (CHUNKED + b"0\r\n" + b"X: y\r\n" * 5_000, "sends more than 4 KiB in between the chunks of its answer"),
    ],
)
def test_what_http_does_not_allow_is_told_in_words(said: bytes, words: str) -> None:
    with pytest.raises(BrokenAnswerError) as caught:
        answer(said)
    assert str(caught.value).startswith(words)
    assert "secret" not in str(caught.value)


@given(st.lists(st.binary(max_size=40) | st.sampled_from([OK, CHUNKED, b"\r\n", b"2\r\nhi\r\n", b"0\r\n\r\n"])))
def test_whatever_arrives_is_an_answer_or_has_words(parts: list[bytes]) -> None:
    said = ""
    try:
        status, _ = answer(*parts)
    except BrokenAnswerError as error:
        status, said = 0, str(error)
    assert 200 <= status <= 999 or said


@pytest.mark.asyncio
async def test_others_have_their_turn_while_a_flood_of_tiny_chunks_arrives() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.ensure_future(other())
    flood = [CHUNKED, *[b"1\r\nx\r\n" * 1_000] * 50, b"0\r\n\r\n"]
    assert await read(flood) == (200, b"x" * 50_000)
    task.cancel()
    assert turns >= 50
