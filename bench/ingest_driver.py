"""Sends prebuilt bytes over thousands of kept-alive connections and times the answers: one thread, epoll, no framework.

It must cost much less than what it measures, so it knows no more of HTTP than where an answer ends.
"""

from __future__ import annotations

import heapq
import random
import select
import socket
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

READ_BYTES = 262_144
POLL_S = 1.0
PATIENCE_S = 120.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


TAKEN = 200
RETRY_S = 5.0
"""What a collector's Retry-After says."""

BROKEN = 0
"""Stands for the status of a request that got no answer."""


@dataclass(slots=True)
class Line:
    """One connection and what it waits for. `due` is when the request under way should have been sent."""

    at: int
    end: socket.socket | None = None
    due: float = 0.0
    got: bytes = b""
    request: bytes = b""
    status: int = 0


@dataclass(slots=True)
class Outcome:
    """What came of a turn: statuses, latencies in seconds in the order of answers, and how long it took.

    `lags` says how late the driver itself was with planned requests, which the latencies hold too.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    retry_after: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    driver_cpu_s: float = 0.0

    def note(self, answer: bytes, took: float) -> int:
        """One more answer, and its status; an empty one is a broken connection."""
        status = int(answer[9:12]) if answer else BROKEN
        self.statuses[status] += 1
        self.latencies.append(took)
        if status >= 400:
            self.retry_after[_header(answer, b"retry-after:")] += 1
        return status

    @property
    def per_second(self) -> float:
        """Requests that were taken, each second."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """The latency that this share of requests did not exceed."""
        return quantile_ms(self.latencies, share)


def quantile_ms(seconds: Sequence[float], share: float) -> float:
    """What this share of them did not exceed, in milliseconds."""
    ordered = sorted(seconds)
    return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Fleet:
    """Kept-alive connections to one server, by number; each is opened with its first request, as an agent's is.

    With a context they are TLS, which is agreed on at once: meanwhile the driver does nothing else.
    """

    def __init__(self, port: int, size: int, context: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._context = context
        self._epoll = select.epoll()
        self._lines = [Line(at) for at in range(size)]
        self._by_fd: dict[int, Line] = {}

    def close(self) -> None:
        """Ends every connection."""
        for line in self._lines:
            self._drop(line)
        self._epoll.close()

    def saturate(self, request: Callable[[int], bytes], window: int, seconds: float) -> Outcome:
        """Keeps `window` requests under way for so long, the connections taking turns, then waits for the last."""
        outcome, rest = Outcome(), deque(range(len(self._lines)))
        begun, cpu = time.monotonic(), time.process_time()
        until = begun + seconds
        for _ in range(min(window, len(rest))):
            at = rest.popleft()
            self._send(at, request(at), time.monotonic())
        under_way = window
        while under_way:
            for line in self._answered(outcome):
                under_way -= 1
                rest.append(line.at)
                now = time.monotonic()
                if now < until:
                    at = rest.popleft()
                    self._send(at, request(at), now)
                    under_way += 1
        outcome.seconds, outcome.driver_cpu_s = time.monotonic() - begun, time.process_time() - cpu
        return outcome

    def once(self, request: Callable[[int], bytes], window: int) -> Outcome:
        """One request on each connection, no more than `window` of them under way."""
        outcome, rest = Outcome(), deque(range(len(self._lines)))
        begun, under_way = time.monotonic(), 0
        while rest or under_way:
            while rest and under_way < window:
                at = rest.popleft()
                self._send(at, request(at), time.monotonic())
                under_way += 1
            under_way -= len(self._answered(outcome))
        outcome.seconds = time.monotonic() - begun
        return outcome

    def pace(self, request: Callable[[int], bytes], period_s: float, seconds: float) -> Outcome:
        """A request on each connection every `period_s`, evenly spread; late ones are timed from when they were due."""
        plan = [(period_s * at / len(self._lines), at) for at in range(len(self._lines))]
        return self.follow(request, plan, seconds, period_s)

    def follow(
        self, request: Callable[[int], bytes], plan: Sequence[tuple[float, int]], seconds: float, period_s: float = 0.0
    ) -> Outcome:
        """Requests at the planned times, (seconds, connection), each again every `period_s`, if that is not zero.

        One that is refused or broken is sent again as an agent would: after what Retry-After says and up to half more.
        """
        outcome, coming, under_way = Outcome(), list(plan), 0
        again: set[int] = set()
        heapq.heapify(coming)
        begun, cpu = time.monotonic(), time.process_time()
        while coming or under_way:
            now = time.monotonic() - begun
            while coming and coming[0][0] <= now:
                due, at = heapq.heappop(coming)
                is_again = at in again
                again.discard(at)
                outcome.lags.append(time.monotonic() - begun - due)
                self._send(at, self._lines[at].request if is_again else request(at), begun + due)
                under_way += 1
                if not is_again and period_s and due + period_s < seconds:
                    heapq.heappush(coming, (due + period_s, at))
            wait_s = min(POLL_S, coming[0][0] - now) if coming else POLL_S
            for line in self._answered(outcome, max(0.0, wait_s)):
                under_way -= 1
                if line.status != TAKEN:
                    heapq.heappush(coming, (now + RETRY_S * random.uniform(1, 1.5), line.at))
                    again.add(line.at)
        outcome.seconds, outcome.driver_cpu_s = time.monotonic() - begun, time.process_time() - cpu
        return outcome

    def _send(self, at: int, request: bytes, due: float) -> None:
        line = self._lines[at]
        line.due, line.request = due, request
        end = line.end or self._connect(line)
        sent = end.send(request)
        assert sent == len(request), "a socket's buffer holds any one request"

    def _connect(self, line: Line) -> socket.socket:
        end = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        if self._context is not None:
            end = self._context.wrap_socket(end, server_hostname="localhost")
        end.settimeout(0)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.end = end
        self._by_fd[end.fileno()] = line
        self._epoll.register(end.fileno(), select.EPOLLIN)
        return end

    def _drop(self, line: Line) -> None:
        if line.end is not None:
            del self._by_fd[line.end.fileno()]
            line.end.close()
            line.end, line.got = None, b""

    def _answered(self, outcome: Outcome, wait_s: float = POLL_S) -> list[Line]:
        """The connections whose answers are whole by now."""
        done = []
        for fd, _ in self._epoll.poll(wait_s):
            line = self._by_fd[fd]
            answer = self._received(line)
            if answer is None:
                continue
            done.append(line)
            line.status = outcome.note(answer, time.monotonic() - line.due)
        return done

    def _received(self, line: Line) -> bytes | None:
        """A whole answer; nothing where some of it is missing, and an empty one where the connection broke."""
        assert line.end is not None
        try:
            data = line.end.recv(READ_BYTES)
            while isinstance(line.end, ssl.SSLSocket) and line.end.pending():
                data += line.end.recv(READ_BYTES)
        except ssl.SSLWantReadError:
            return None
        except OSError:
            data = b""
        if not data:
            self._drop(line)
            return b""
        data = line.got + data
        is_whole = _is_whole(data)
        line.got = b"" if is_whole else data
        return data if is_whole else None


def _is_whole(data: bytes) -> bool:
    head = data.find(_HEAD_END)
    if head < 0:
        return False
    return len(data) >= head + len(_HEAD_END) + int(_header(data[: head + 2], _LENGTH) or 0)


def _header(data: bytes, name: bytes) -> str:
    at = data.lower().find(name)
    return data[at + len(name) : data.find(b"\r", at)].strip().decode() if at >= 0 else ""
