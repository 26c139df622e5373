"""What goes into one beat: pure. Only what the journal holds may be in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from detak_agent.records import Owed
from detak_agent.run import Durable
from detak_wire import PROTOCOL_VERSION
from detak_wire.messages import Evidence, Growth, Metrics, Part, Span, StopReason, Stored


@dataclass(frozen=True, slots=True)
class Stopping:
    """The run ends, why and when."""

    reason: StopReason
    at: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the collector said in its last answer, and what is to be asked of it."""

    open: Mapping[int, int]
    name_runs: tuple[str, ...] = ()
    """Earlier runs to name, so that the collector says what it holds of them."""
    oldest: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a beat is made of, but the moment it is sent."""

    node: str
    run: str
    durable: Durable
    owed: Owed
    known: Known
    stopping: Stopping | None = None
    metrics: tuple[Metrics, ...] = ()


def compose(draft: Draft, sent_agent: int) -> Evidence:
    """The beat: newest state first, then what the collector is owed."""
    run, known, stopping = draft.run, draft.known, draft.stopping
    parts = {part.run: part for part in draft.owed.parts}
    current = parts.pop(run, Part(run))
    spans, growths = _open_spans(draft.durable.open.values(), known.open, sent_agent)
    current = msgspec.structs.replace(current, spans=[*spans, *current.spans], growths=growths)
    named = [Part(name) for name in known.name_runs if name not in parts and name != run]
    everything = [current, *parts.values(), *named]
    return Evidence(
        protocol=PROTOCOL_VERSION,
        node=draft.node,
        run=run,
        sent_agent=sent_agent,
        parts=everything,
        oldest={part.run: known.oldest[part.run] for part in everything if part.run in known.oldest},
        backlog=draft.owed.remaining,
        stopping=None if stopping is None else stopping.reason,
        stopping_agent=None if stopping is None else stopping.at,
        metrics=list(draft.metrics),
    )


def knows_more(stored: Stored, last_number: int, reaches: Mapping[int, int]) -> bool:
    """Whether a collector holds what this run has not made: then this machine was set back to an earlier moment."""
    numbers = (stored.mark, *(last for _, last in stored.ranges), *stored.open)
    beyond = any(begin > reaches[number] for number, begin in stored.open.items() if number in reaches)
    return max(numbers) > last_number or beyond


def _open_spans(
    open_spans: Iterable[Span], stored: Mapping[int, int], sent_agent: int
) -> tuple[list[Span], list[Growth]]:
    whole: list[Span] = []
    growths: list[Growth] = []
    for span in open_spans:
        # An end is rounded up and may lie a millisecond past the begin of the request: then it cannot count back.
        if span.number not in stored or span.last_end > sent_agent:
            whole.append(span)
        elif span.last_begin > stored[span.number]:
            growths.append(_growth(span, sent_agent))
    return whole, growths


def _growth(span: Span, sent_agent: int) -> Growth:
    return Growth(span.number, sent_agent - span.last_begin, sent_agent - span.last_end, span.samples, span.largest_gap)
