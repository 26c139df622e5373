"""The engine's facts of one month as lines, and back: what this collector saw and heard, then node after node. Pure.

A line is one small thing, so that `jq` and a person can look for it, and no line is ever long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from detak_collector.bundle.codec import MisfitError, plain, read, whole
from detak_collector.downtime.facts import Exchange, Facts, Node, Run, Span
from detak_collector.ledger.plain import RECORD, plain_line

LINE_BYTES = 32 * 1024 * 1024
"""Of one line: a run's opening with every check and all that it lacks, or the names and digests of all files."""


def lines_of(facts: Facts) -> Iterator[bytes]:
    """All of them, without their ends."""
    seen = whole(replace(facts, nodes={}))
    del seen["nodes"]
    yield plain_line({**seen, RECORD: "collector"})
    for name in sorted(facts.nodes):
        node = facts.nodes[name]
        yield _line("node", replace(node, runs=()))
        for run in node.runs:
            yield _line("run", replace(run, spans=(), exchanges=()))
            yield from (plain_line({RECORD: "exchange", "times": list(one)}) for one in run.exchanges)
            yield from (_line("span", one) for one in run.spans)


def _line(record: str, value: object) -> bytes:
    return plain_line({**plain(value), RECORD: record})


@dataclass(slots=True)
class _Open:
    """The node and the run to which the next lines belong."""

    node: Node | None
    run: Run | None
    runs: list[Run]
    spans: list[Span]
    exchanges: list[Exchange]


class FactsReader:
    """Takes the lines of one file in order. Every method raises MisfitError."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._facts: Facts | None = None
        self._nodes: dict[str, Node] = {}
        self._open = _Open(None, None, [], [], [])

    def take(self, number: int, line: bytes) -> None:
        """The next line, with its number for messages."""
        place = f"{self._file}:{number}"
        told = decoded(line, place)
        record = told.pop(RECORD, None)
        if (record == "collector") != (self._facts is None):
            raise MisfitError(f"{place}: the first line, and no other, must be the record `collector`")
        match record:
            case "collector":
                self._facts = read(Facts, {**told, "nodes": {}}, place)
            case "node":
                self._end_node()
                self._open.node = read(Node, told, place)
                if self._open.node.name in self._nodes or self._open.node.runs:
                    raise MisfitError(f"{place}: this node was there before, or has its runs in its own line")
            case "run" if self._open.node is not None:
                self._end_run()
                self._open.run = read(Run, told, place)
            case "exchange" if self._open.run is not None:
                self._open.exchanges.append(read(Exchange, told.get("times"), place))
            case "span" if self._open.run is not None:
                self._open.spans.append(read(Span, told, place))
            case _:
                raise MisfitError(f"{place}: no record that may stand here (got {str(record)[:80]!r})")

    def ended(self) -> Facts:
        """All of it."""
        self._end_node()
        if self._facts is None:
            raise MisfitError(f"{self._file}: is empty")
        return replace(self._facts, nodes=self._nodes)

    def _end_node(self) -> None:
        self._end_run()
        if self._open.node is not None:
            self._nodes[self._open.node.name] = replace(self._open.node, runs=tuple(self._open.runs))
        self._open.node, self._open.runs = None, []

    def _end_run(self) -> None:
        run = self._open.run
        if run is not None:
            found = replace(run, spans=tuple(self._open.spans), exchanges=tuple(self._open.exchanges))
            self._open.runs.append(found)
        self._open.run, self._open.spans, self._open.exchanges = None, [], []


def facts_of(content: bytes, file: str) -> Facts:
    """The facts in a file; raises MisfitError."""
    reader = FactsReader(file)
    for number, line in enumerate(content.splitlines(), start=1):
        reader.take(number, line)
    return reader.ended()


def decoded(line: bytes, place: str) -> dict[str, Any]:
    """One JSON object; raises MisfitError."""
    if len(line) > LINE_BYTES:
        raise MisfitError(f"{place}: longer than {LINE_BYTES} bytes")
    try:
        told = json.loads(line, parse_constant=_no_number, parse_float=_no_number)
    except (ValueError, RecursionError) as error:
        raise MisfitError(f"{place}: not JSON of a bundle: {error}") from None
    if type(told) is not dict:
        raise MisfitError(f"{place}: must be a JSON object")
    return told


def _no_number(text: str) -> object:
    raise ValueError(f"the number {text[:20]} is not whole")
