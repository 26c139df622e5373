"""What was acknowledged, and whether a store has it. Pure: nothing is read or asked here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from detak_collector.downtime.facts import Facts
from detak_collector.downtime.facts import Span as Held
from detak_wire.messages import Evidence, Span


class Promise(NamedTuple):
    """A span that a store has to hold, at least that far; agent time in milliseconds."""

    node: str
    run: str
    number: int
    check: str
    state: str
    first_begin: int
    last_begin: int

    def __str__(self) -> str:
        return f"record {self.number} of run {self.run} of {self.node}: {self.check} {self.state}"


@dataclass(slots=True)
class Promised:
    """Of one node, all that was acknowledged: its closed spans, and how far those reach that are still open."""

    closed: list[Promise] = field(default_factory=list)
    _open: dict[tuple[str, int], Span] = field(default_factory=dict)

    def note(self, message: Evidence) -> None:
        """It was acknowledged, and so was every one before it."""
        for part in message.parts:
            for span in part.spans:
                if span.closed:
                    self._open.pop((part.run, span.number), None)
                    self.closed.append(promise(message.node, part.run, span))
                else:
                    self._open[part.run, span.number] = span
            for growth in part.growths:
                reached = message.sent_agent - growth.last_begin_ago
                span = self._open[part.run, growth.number]
                self._open[part.run, growth.number] = replace(span, last_begin=reached)

    def all(self, node: str) -> Iterator[Promise]:
        """The closed ones and the open ones."""
        yield from self.closed
        yield from (promise(node, run, span) for (run, _), span in self._open.items())


def promise(node: str, run: str, span: Span) -> Promise:
    """That this span is held."""
    return Promise(node, run, span.number, span.check, span.state, span.first_begin, span.last_begin)


def lacking(promises: Iterable[Promise], stores: Mapping[str, Facts]) -> list[str]:
    """What each of the stores does not hold whole, in words."""
    wanted = list(promises)
    held = {side: _by_run(facts) for side, facts in stores.items()}
    return [
        f"{side} lacks {one}"
        for side, runs in held.items()
        for one in wanted
        if not any(_covers(span, one) for span in runs[one.node, one.run, one.check])
    ]


def _by_run(facts: Facts) -> Mapping[tuple[str, str, str], list[Held]]:
    found: dict[tuple[str, str, str], list[Held]] = defaultdict(list)
    for node in facts.nodes.values():
        for run in node.runs:
            for span in run.spans:
                found[node.name, run.run, span.check].append(span)
    return found


def _covers(held: Held, one: Promise) -> bool:
    """A span of the engine may stand for several records in a row that say the same."""
    return (
        held.state == one.state
        and held.number <= one.number <= held.last
        and held.first_begin <= one.first_begin
        and one.last_begin <= held.last_begin
    )
