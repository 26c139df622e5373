"""What a message must fulfil beyond its types, before anything of it is taken. Pure, and knows no stored state."""

from __future__ import annotations

from detak_wire import limits
from detak_wire.messages import Evidence, Exchange, Gap, Growth, Part, RunOpening, Span

AHEAD_MS = 1_000
"""How far a sample may lie after the message's own time: an agent may read that before it collects its records."""


class InvalidRecordError(ValueError):
    """A record that is refused, and with it the message; `run` and `number` let the agent set it aside."""

    def __init__(self, reason: str, run: str, number: int | None, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.run = run
        self.number = number
        self.path = path


def check(evidence: Evidence) -> None:
    """Raises InvalidRecordError for the first record that cannot be true."""
    if (evidence.stopping is None) != (evidence.stopping_agent is None):
        raise InvalidRecordError("stopping and stopping_agent come together", evidence.run, None, "$.stopping")
    for at, part in enumerate(evidence.parts):
        _check_part(part, evidence, f"$.parts[{at}]")


def _check_part(part: Part, evidence: Evidence, path: str) -> None:
    if part.opening is not None:
        _require(_opening_fault(part.opening, part.run), part.run, 0, f"{path}.opening")
    if part.growths and part.run != evidence.run:
        _require("only the current run has growths", part.run, part.growths[0].number, f"{path}.growths[0]")
    latest = evidence.sent_agent + AHEAD_MS if part.run == evidence.run else limits.TIME_MS
    for at, span in enumerate(part.spans):
        fault = _span_fault(span, latest)
        if fault:
            _require(fault, part.run, span.number, f"{path}.spans[{at}]")
    for at, growth in enumerate(part.growths):
        if not growth.last_end_ago <= growth.last_begin_ago <= evidence.sent_agent:
            _require(_growth_fault(growth), part.run, growth.number, f"{path}.growths[{at}]")
    for at, exchange in enumerate(part.exchanges):
        _require(_exchange_fault(exchange), part.run, exchange.number, f"{path}.exchanges[{at}]")
    for at, gap in enumerate(part.gaps):
        _require(_gap_fault(gap), part.run, gap.number, f"{path}.gaps[{at}]")


def _require(fault: str, run: str, number: int, path: str) -> None:
    if fault:
        raise InvalidRecordError(fault, run, number, path)


def _opening_fault(opening: RunOpening, run: str) -> str:
    names = [settings.name for settings in opening.checks]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        return f"check {twice[0]!r} is there twice"
    if opening.previous is not None and opening.previous.run == run:
        return "a run cannot be its own predecessor"
    return ""


def _span_fault(span: Span, latest: int) -> str:
    length = span.last_begin - span.first_begin
    if span.first_begin > span.first_end or span.last_begin > span.last_end:
        return "a sample ends before it begins"
    if length < 0 or span.last_end < span.first_end:
        return "the last sample lies before the first"
    if span.last_end > latest:
        return f"the last sample ends at {span.last_end}, after the message was sent"
    if length > limits.SPAN_MS:
        return f"longer than {limits.SPAN_MS} ms: a span is closed after 24 hours at most"
    return _samples_fault(span, length)


def _samples_fault(span: Span, length: int) -> str:
    if span.samples == 1:
        alone = length == 0 and span.first_end == span.last_end and span.largest_gap == 0
        return "" if alone else "one sample cannot be both the first and another"
    if span.largest_gap > length + 1:
        return f"largest_gap {span.largest_gap} is more than the whole span's {length}"
    if (span.largest_gap + 1) * (span.samples - 1) < length:
        return f"{span.samples} samples no further apart than {span.largest_gap} ms cannot fill {length} ms"
    return ""


def _growth_fault(growth: Growth) -> str:
    if growth.last_begin_ago < growth.last_end_ago:
        return "the last sample ends before it begins"
    return "the last sample lies before the start of the kernel"


def _exchange_fault(exchange: Exchange) -> str:
    if exchange.sent_agent > exchange.received_agent:
        return "the answer is received before the request is sent"
    if exchange.arrived_utc > exchange.answered_utc:
        return "the request is answered before it arrives"
    return ""


def _gap_fault(gap: Gap) -> str:
    if gap.first_number > gap.last_number:
        return "first_number is greater than last_number"
    if gap.first_number <= gap.number <= gap.last_number:
        return "a gap cannot name itself as lost"
    return ""
