"""A small collector for the agent's tests: it speaks the wire over real sockets, and can lose, refuse and forget."""

import asyncio
import copy
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from agent.http_stand_in import Request, Response, listening
from detak_wire import codec
from detak_wire.messages import (
    Answer,
    Enrolled,
    Enrolment,
    Evidence,
    Exchange,
    Gap,
    Growth,
    KeyRenewal,
    Part,
    Problem,
    RunOpening,
    Span,
    StopReason,
    Stored,
)

KEY = "k" * 43
IDENTITY = "c011ec70"


@dataclass
class HeldRun:
    """What this collector holds of one run."""

    opening: RunOpening | None = None
    open: dict[int, Span] = field(default_factory=dict)
    closed: dict[int, Span | Exchange | Gap] = field(default_factory=dict)
    stopped: StopReason | None = None
    contradictions: list[Span | Exchange | Gap] = field(default_factory=list)

    def take(self, part: Part, sent_agent: int) -> None:
        self.opening = part.opening or self.opening
        for span in part.spans:
            self._take_span(span)
        for growth in part.growths:
            self._grow(growth, sent_agent)
        closed: list[Exchange | Gap] = [*part.exchanges, *part.gaps]
        for record in closed:
            self._take_closed(record)

    def numbers(self) -> set[int]:
        lost = (gap for gap in self.closed.values() if isinstance(gap, Gap))
        return {*self.closed, *(number for gap in lost for number in range(gap.first_number, gap.last_number + 1))}

    def stored(self) -> Stored:
        held = sorted(self.numbers())
        mark = next((number - 1 for number in range(1, len(held) + 2) if number not in set(held)), 0)
        ranges: list[tuple[int, int]] = []
        for number in (number for number in held if number > mark):
            if ranges and ranges[-1][1] == number - 1:
                ranges[-1] = (ranges[-1][0], number)
            else:
                ranges.append((number, number))
        return Stored(
            opened=self.opening is not None,
            mark=mark,
            ranges=ranges,
            open={number: span.last_begin for number, span in self.open.items()},
        )

    def spans(self, check: str) -> list[Span]:
        every = [*self.closed.values(), *self.open.values()]
        return sorted(
            (one for one in every if isinstance(one, Span) and one.check == check), key=lambda span: span.first_begin
        )

    def _take_span(self, span: Span) -> None:
        if span.closed:
            self.open.pop(span.number, None)
            self._take_closed(span)
        elif span.number not in self.closed:
            known = self.open.get(span.number)
            if known is None or span.samples > known.samples:
                self.open[span.number] = span

    def _take_closed(self, record: Span | Exchange | Gap) -> None:
        if self.closed.setdefault(record.number, record) != record:
            self.contradictions.append(record)

    def _grow(self, growth: Growth, sent_agent: int) -> None:
        known = self.open.get(growth.number)
        if known is None:
            return
        self._take_span(
            Span(
                known.number,
                known.check,
                known.state,
                known.first_begin,
                known.first_end,
                sent_agent - growth.last_begin_ago,
                sent_agent - growth.last_end_ago,
                growth.samples,
                growth.largest_gap,
                message=known.message,
                marks=known.marks,
            )
        )


class StandIn:
    """The collector. Its knobs are plain attributes."""

    def __init__(self) -> None:
        self.runs: dict[str, HeldRun] = {}
        self.requests: list[Evidence] = []
        self.sizes: list[int] = []
        self.loses_answers = 0
        self.refusals: list[Response] = []
        self.invalid: set[tuple[str, int]] = set()
        self.allowance = 1_000
        self.knows_metrics = True
        self.key = KEY
        self.fresh = ""
        """A key that was given out and not used yet; its first use voids the one before it."""
        self.renewals = 0
        self.url = ""
        self.changed = asyncio.Event()

    def backup(self) -> dict[str, HeldRun]:
        return copy.deepcopy(self.runs)

    def newest(self) -> HeldRun:
        return list(self.runs.values())[-1]

    async def until(self, condition: Callable[[], bool], within_s: float = 15.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"did not come to pass in {within_s} s: {self.runs}"
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), min(left, 0.5))
            except asyncio.TimeoutError:
                continue

    async def evidence(self, request: Request) -> Response:
        arrived = time.time_ns() // 1_000_000
        body = request.body
        self.sizes.append(len(body))
        if not self._knows(request):
            return problem(401, Problem("unauthorised", "unknown key"))
        if self.refusals:
            return self.refusals.pop(0)
        if request.headers.get("content-encoding") == "gzip":
            body = codec.inflate(body)
        evidence = codec.decode(body, Evidence)
        if evidence.metrics and not self.knows_metrics:
            return problem(400, Problem("invalid", "Object contains unknown field `metrics`", "$"))
        self.requests.append(evidence)
        try:
            return self._taken(evidence, arrived, request)
        finally:
            self.changed.set()

    def _taken(self, evidence: Evidence, arrived: int, request: Request) -> Response:
        for part in evidence.parts:
            records: list[Span | Exchange] = [*part.spans, *part.exchanges]
            for record in records:
                if (part.run, record.number) in self.invalid:
                    return problem(400, Problem("invalid", "cannot be", "$.parts", part.run, record.number))
        for part in evidence.parts:
            held = self.runs.setdefault(part.run, HeldRun())
            held.take(part, evidence.sent_agent)
        self.runs[evidence.run].stopped = evidence.stopping or self.runs[evidence.run].stopped
        if self.loses_answers:
            self.loses_answers -= 1
            request.abort()
        stored = {part.run: self.runs[part.run].stored() for part in evidence.parts}
        answer = Answer(1, IDENTITY, arrived, time.time_ns() // 1_000_000, stored, self.allowance)
        return Response(codec.encode(answer))

    def _knows(self, request: Request) -> bool:
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.fresh and sent == self.fresh:
            self.key, self.fresh = self.fresh, ""
        return sent == self.key

    async def renew(self, request: Request) -> Response:
        if not self._knows(request):
            return problem(401, Problem("unauthorised", "unknown key"))
        renewal = codec.decode(request.body, KeyRenewal)
        self.renewals += 1
        self.fresh = f"fresh{self.renewals}".ljust(43, "k")
        return Response(codec.encode(Enrolled(renewal.node, self.fresh, IDENTITY)))

    async def enrol(self, request: Request) -> Response:
        try:
            enrolment = codec.decode(request.body, Enrolment)
        except codec.InvalidMessageError as error:
            return problem(400, Problem("invalid", error.reason, error.path))
        if enrolment.token != "t" * 20:
            return problem(403, Problem("token", "this token is unknown, used or expired"))
        return Response(codec.encode(Enrolled(enrolment.node, self.key, IDENTITY)))


def problem(status: int, said: Problem) -> Response:
    return Response(codec.encode(said), status)


@asynccontextmanager
async def collector(
    port: int = 0, stand_in: StandIn | None = None, tls: ssl.SSLContext | None = None, *, renews: bool = True
) -> AsyncIterator[StandIn]:
    """A collector that listens on loopback while the block runs."""
    one = stand_in if stand_in is not None else StandIn()
    answers = {"/api/v1/evidence": one.evidence, "/api/v1/enrol": one.enrol}
    if renews:
        answers["/api/v1/renew"] = one.renew
    async with listening(answers, port, tls) as bound:
        one.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{bound}"
        yield one
