"""What a collector is asked while its pages are measured: pages one after another, live connections, and news."""

from __future__ import annotations

import http.client
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from detak_wire import codec
from detak_wire.messages import Evidence, Part, Span, State
from estate import INTERVAL_MS, MEMBERS
from pages_estate import KEY, check_of, run_of

PATIENCE_S = 600.0
HOST = "127.0.0.1"
NEWS_EACH_S = 2.0
A_PLACE = 50
"""So many live connections come from one address: a collector takes a hundred of those who have not signed in."""

FIRST_NUMBER = 1_000_000_001


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer took, from the request's first byte to the answer's last, and how long it was as it was sent."""

    took_ms: float
    sent_bytes: int


class Reader:
    """A browser's connection that stays open. `cookie` is that of somebody who has signed in."""

    def __init__(self, port: int, cookie: str) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
        self._headers = {"Accept-Encoding": "gzip", **({"Cookie": f"detak={cookie}"} if cookie else {})}

    def ask(self, path: str) -> Asked:
        """Asks for a page; raises SystemExit where that is not there."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took_ms = (time.perf_counter() - begun) * 1_000
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
        return Asked(took_ms, len(body))

    def close(self) -> None:
        """Lets the connection go."""
        self._connection.close()


@contextmanager
def live(port: int, count: int) -> Iterator[None]:
    """So many pages are open and kept current; all have been told the page of now."""
    opened = [_watching(port, f"127.0.{2 + at // A_PLACE}.1") for at in range(count)]
    try:
        for one in opened:
            said = b""
            while b"event: status" not in said:
                piece = one.recv(65_536)
                if not piece:
                    raise SystemExit(f"a live connection was not taken: {said[:300]!r}")
                said += piece
        yield
    finally:
        for one in opened:
            one.close()


def _watching(port: int, address: str) -> socket.socket:
    one = socket.create_connection((HOST, port), timeout=PATIENCE_S, source_address=(address, 0))
    one.sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    return one


@contextmanager
def news(port: int, end_agent: int) -> Iterator[None]:
    """A check of the first service fails and recovers meanwhile, so that the page is drawn again and again."""
    over = threading.Event()
    thread = threading.Thread(target=_tell, args=(port, end_agent, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE_S)


_turn = itertools.count()


def _tell(port: int, end_agent: int, over: threading.Event) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
    head = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    while not over.is_set():
        turn = next(_turn)
        connection.request("POST", "/api/v1/evidence", body=codec.encode(_beat(end_agent, turn)), headers=head)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"a beat was not taken: {answer.status} {said[:300]!r}")
        over.wait(NEWS_EACH_S)
    connection.close()


def _beat(end_agent: int, turn: int) -> Evidence:
    """The next state of the node's check, as one span that is over; the node's clock goes on with it."""
    at = end_agent + turn * INTERVAL_MS
    span = _span(FIRST_NUMBER + turn, at, "down" if turn % 2 == 0 else "up")
    return Evidence(1, "node-0000", run_of(0), at + 5, [Part(run_of(0), spans=[span])])


def _span(number: int, at: int, state: State) -> Span:
    return Span(number, check_of(0, MEMBERS.index("app-1")), state, at, at + 3, at, at + 3, 1, 0, closed=True)
