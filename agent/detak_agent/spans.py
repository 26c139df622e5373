"""Samples become spans: pure. A span is one state, sample after sample without a gap, and only ever grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from detak_wire.messages import Span, State

ALIVE = "alive"
"""The check every node has: its samples are the agent's own ticks."""

LONGEST_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: it lay between `begin` and `end`, in agent time."""

    check: str
    begin: int
    end: int
    state: State
    message: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)


def reach(interval_ms: int, timeout_ms: int) -> int:
    """How far apart, begin to begin, two samples may lie and still speak for the time between them."""
    return interval_ms + interval_ms // 2 + timeout_ms


def continues(span: Span, sample: Sample, reach_ms: int) -> bool:
    """Whether the sample belongs to the span: same state and marks, no gap, not longer than a day."""
    return (
        span.state == sample.state
        and span.marks == sample.marks
        and 0 <= sample.begin - span.last_begin <= reach_ms
        and sample.end - span.first_begin <= LONGEST_MS
    )


def opened(number: int, sample: Sample) -> Span:
    """A span of this one sample."""
    return Span(
        number=number,
        check=sample.check,
        state=sample.state,
        first_begin=sample.begin,
        first_end=sample.end,
        last_begin=sample.begin,
        last_end=sample.end,
        samples=1,
        message=sample.message,
        marks=dict(sample.marks),
    )


def grown(span: Span, sample: Sample) -> Span:
    """The span with one more sample at its end."""
    return replace(
        span,
        last_begin=sample.begin,
        last_end=sample.end,
        samples=span.samples + 1,
        largest_gap=max(span.largest_gap, sample.begin - span.last_begin),
    )


def closed(span: Span) -> Span:
    """The span as it stays."""
    return replace(span, closed=True)


class Book:
    """The open spans of one run and its one numbering, from 1 without a hole."""

    def __init__(self, reach_ms: Mapping[str, int]) -> None:
        self._reach_ms = dict(reach_ms)
        self._states: dict[str, State] = {}
        self.open: dict[str, Span] = {}
        self.last_number = 0

    def take_number(self) -> int:
        """The next number of the run, for any record."""
        self.last_number += 1
        return self.last_number

    def add(self, sample: Sample) -> Span | None:
        """Take a sample in; returns the span that it closed."""
        self._states[sample.check] = sample.state
        span = self.open.get(sample.check)
        if span is not None and continues(span, sample, self._reach_ms[sample.check]):
            self.open[sample.check] = grown(span, sample)
            return None
        self.open[sample.check] = opened(self.take_number(), sample)
        return None if span is None else closed(span)

    def is_edge(self, sample: Sample) -> bool:
        """Whether the sample changes what is known: another state than before, or a first one that is not up."""
        return self._states.get(sample.check, "up") != sample.state

    def remove(self, number: int) -> bool:
        """Forget the open span with this number, if there is one; the check's next sample opens another."""
        for check, span in self.open.items():
            if span.number == number:
                del self.open[check]
                return True
        return False

    def close_all(self) -> list[Span]:
        """End of the run: every open span as it stays."""
        ended = [closed(span) for span in self.open.values()]
        self.open.clear()
        return ended
