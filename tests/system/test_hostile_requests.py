"""Requests that no honest program sends, to a real collector: each is refused, counted, and leaves no traceback."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator

import pytest
from hostile_client import Target, answer_to, beat, get, post, target

pytestmark = pytest.mark.system

EVIDENCE = "/api/v1/evidence"
HEAD = b"POST /api/v1/evidence HTTP/1.1\r\nHost: detak\r\nAuthorization: Bearer KEY\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: detak\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with target(tmp_path_factory.mktemp("hostile")) as one:
        yield one


def said(body: bytes, **headers: str) -> bytes:
    return post(EVIDENCE, body, "KEY", **headers)


REQUESTS = {
    # Where a request ends: what a proxy on the way could see otherwise (RFC 9112, section 6).
    "length and chunks": (
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400, "malformed",
    ),
    "two lengths": (HEAD + b"Content-Length: 4\r\nContent-Length: 40\r\n\r\n{}{}" + SMUGGLED, 400, "malformed"),
    "two equal lengths": (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed"),
    "a list of lengths": (HEAD + b"Content-Length: 2, 2\r\n\r\n{}", 400, "malformed"),
    "a length with a sign": (HEAD + b"Content-Length: +2\r\n\r\n{}", 400, "malformed"),
    "a length below nothing": (HEAD + b"Content-Length: -1\r\n\r\n", 400, "malformed"),
    "a length beyond all numbers": (HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", 400, "malformed"),
    "an unknown coding": (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "malformed"),
    "chunks that are not last": (HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, "malformed"),
    "two codings": (HEAD + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", 400, "malformed"),
    "a blank before the colon": (HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "malformed"),
    "chunks in HTTP/1.0": (
        b"POST /api/v1/evidence HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "malformed",
    ),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: detak\r\nX: a\r\n b\r\n\r\n", 400, "malformed"),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: detak\n\n", 400, "malformed"),
    "a bare carriage return": (b"GET / HTTP/1.1\r\nHost: detak\r\nX: a\rb\r\n\r\n", 400, "malformed"),
    "a chunk's length that is none": (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", 400, "malformed"),
    "a chunk beyond all numbers": (CHUNKED + b"F" * 40 + b"\r\n{}\r\n0\r\n\r\n", 400, "malformed"),
    "a length in the trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n", 400, "malformed"),
    # What is no request at all, or too much of one.
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed"),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: detak\r\nX: a\0b\r\n\r\n", 400, "malformed"),
    "a huge URL": (get("/" + "a" * 100_000), 400, "malformed"),
    "a huge header": (b"GET / HTTP/1.1\r\nHost: detak\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 400, "malformed"),
    "too many headers": (
        b"GET / HTTP/1.1\r\nHost: detak\r\n" + b"".join(b"X-%d: a\r\n" % one for one in range(1_000)) + b"\r\n",
        400, "malformed",
    ),
    "a URL that is not ASCII": (b"GET /\xff\xfe HTTP/1.1\r\nHost: detak\r\n\r\n", 400, "malformed"),
    "TLS on the plain port": (bytes.fromhex("16030100a5010000a10303") + b"x" * 160, 400, "malformed"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed"),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400, "malformed"),
    "noise": (b"\x00\xff\xfe\r\n\r\n", 400, "malformed"),
    "a path out of the folder": (get("/static/..%2f..%2fcollector.toml"), 404, "not_found"),
    "NUL in the path": (get("/static/%00"), 404, "not_found"),
    "another method": (b"PUT /api/v1/evidence HTTP/1.1\r\nHost: detak\r\nContent-Length: 0\r\n\r\n", 405, "method"),
    # Bodies.
    "more than is taken": (said(b" " * 300_000), 413, "too_large"),
    "more than is taken, in chunks": (CHUNKED + b"%x\r\n" % 300_000 + b" " * 300_000, 413, "too_large"),
    "a gzip bomb": (said(gzip.compress(b" " * 100_000_000), Content_Encoding="gzip"), 400, "invalid"),
    "two members of gzip": (said(gzip.compress(b"{}") * 2, Content_Encoding="gzip"), 400, "invalid"),
    "gzip that is none": (said(b"{}", Content_Encoding="gzip"), 400, "invalid"),
    "gzip in gzip": (said(b"{}", Content_Encoding="gzip, gzip"), 415, "encoding"),
    "deep JSON": (said(b"[" * 200_000), 400, "invalid"),
    "deep JSON in a field": (said(beat("n")[:-1] + b', "oldest": ' + b'{"a":' * 40_000), 400, "invalid"),
    "a huge whole number": (said(beat("n").replace(b"1000", b"9" * 100_000)), 400, "invalid"),
    "a huge exponent": (said(beat("n").replace(b"1000", b"1e999999999")), 400, "invalid"),
    "a number that is none": (said(beat("n").replace(b"1000", b"NaN")), 400, "invalid"),
    "NUL in a name": (said(beat("n\0")), 400, "invalid"),
    "a line's end in a name": (said(beat("n\n")), 400, "invalid"),
    "not UTF-8": (said(beat("n").replace(b'"n"', b'"\xff\xfe"')), 400, "invalid"),
    "half a character": (said(beat("n").replace(b'"n"', b'"\\ud800"')), 400, "invalid"),
    "an unknown field": (said(beat("n", more=1)), 400, "invalid"),
    "a run that nobody opened": (said(beat("n", parts=[{"run": "aaaaaaaa", "gaps": [{}]}])), 400, "invalid"),
    # Who says it.
    "no key": (post(EVIDENCE, beat("n")), 401, "unauthorized"),
    "a wrong key": (post(EVIDENCE, beat("n"), "0" * 64), 401, "unauthorized"),
    "another scheme": (post(EVIDENCE, beat("n"), Authorization="Basic bjpu"), 401, "unauthorized"),
    "another node's identity": (said(beat("m")), 403, "forbidden"),
    "another node's key renewed": (post("/api/v1/renew", b'{"protocol": 1, "node": "m"}', "KEY"), 403, "forbidden"),
    "a guessed token": (
        post("/api/v1/enrol", b'{"protocol": 1, "node": "n", "token": "0123456789abcdef"}'), 403, "token",
    ),
    "metrics of ten thousand years": (get("/api/v1/nodes/n/metrics?from=0&to=253402300799999"), 400, "invalid"),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_refused_counted_and_leaves_no_traceback(attacked: Target, name: str) -> None:
    raw, status, reason = REQUESTS[name]
    before, logged = attacked.refusals(), len(attacked.log())
    assert attacked.say(raw.replace(b"Bearer KEY", b"Bearer " + attacked.keys["n"].encode())).status == status
    assert attacked.refusals()[reason] == before.get(reason, 0) + 1
    assert "Traceback" not in attacked.log()[logged:]
    assert b"smuggled" not in attacked.log()[logged:].encode()


def test_whoever_is_slow_is_sent_away_with_a_counter_while_others_are_served(attacked: Target) -> None:
    before = attacked.refusals().get("slow", 0)
    key = attacked.keys["n"].encode()
    slow_head = b"POST /api/v1/evidence HTTP/1.1\r\nHost: detak\r\n"
    slow_body = HEAD.replace(b"KEY", key) + b"Content-Length: 100\r\n\r\n{"
    ends, statuses = [attacked.connect() for _ in range(3)], [0, 0, 0]
    stopped = threading.Event()

    def trickle(place: int, raw: bytes) -> None:
        with ends[place] as end:
            statuses[place] = answer_to(end, raw).status

    def keep_awake(place: int) -> None:
        # A byte now and then does not help.
        while not stopped.wait(1):
            try:
                ends[place].send(b"x")
            except OSError:
                return

    threads = [threading.Thread(target=trickle, args=one) for one in ((0, b""), (1, slow_head), (2, slow_body))]
    threads += [threading.Thread(target=keep_awake, args=(1,)), threading.Thread(target=keep_awake, args=(2,))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while not all(statuses) and time.monotonic() < deadline:
        assert attacked.say(post(EVIDENCE, beat("m"), attacked.keys["m"])).status == 200
        time.sleep(0.5)
    stopped.set()
    for thread in threads:
        thread.join(60)
    assert statuses == [408, 408, 408]
    assert attacked.refusals()["slow"] == before + 3
