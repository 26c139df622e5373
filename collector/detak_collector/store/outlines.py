"""A node's runs in outline, in the order of time: what is known of each without reading its spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from detak_collector.clocks import Reading
from detak_collector.ingest.held import HeldSpan
from detak_collector.ingest.numbers import Ranges, with_numbers
from detak_collector.store.database import Connection
from detak_collector.store.runs import unpacked
from detak_wire.messages import RunOpening

_opening = msgspec.json.Decoder(RunOpening)
FOREVER = 2**53

_numbers = msgspec.json.Decoder(tuple[Ranges, Ranges])

_QUERY = """
    SELECT run.sequence, run.run, run.opening, alive_reach, current, stopped, stopped_agent, numbers, open, reach.reach,
        recorded_utc, stopped_utc, recorded_utc - sent_agent, heard_utc - heard_agent,
        (SELECT arrived_utc - sent_agent FROM exchange WHERE run = run.sequence ORDER BY number LIMIT 1),
        (SELECT arrived_utc - sent_agent FROM exchange WHERE run = run.sequence ORDER BY number DESC LIMIT 1)
    FROM run JOIN open_spans ON open_spans.run = run.sequence JOIN reach ON reach.run = run.sequence
        JOIN node ON node.id = run.node
    WHERE node.name = ?
"""


@dataclass(frozen=True, slots=True)
class RunOutline:
    """One run. An offset is UTC minus agent time, roughly: seen at arrivals, or as the node's own clock claims.

    `recorded_utc` and `stopped_utc` are when its opening and its stop arrived. What was recorded later than `known_at`
    is no part of it.
    """

    sequence: int
    run: str
    opening: RunOpening
    reach_agent: int
    current: bool
    stopped: str | None
    stopped_agent: int | None
    held: Ranges
    open: tuple[HeldSpan, ...]
    least_offset: int
    greatest_offset: int
    recorded_utc: int
    stopped_utc: int | None
    known_at: int = FOREVER

    @property
    def known(self) -> Ranges:
        """The numbers of its records that have arrived, closed or open."""
        return with_numbers(self.held, (span.number for span in self.open))

    @property
    def begin_utc(self) -> int:
        """About when it opened."""
        return self.opening.opened_agent + self.least_offset

    @property
    def end_utc(self) -> int:
        """About how far it reaches by now."""
        return max(self.opening.opened_agent, self.reach_agent) + self.greatest_offset


def runs_of(connection: Connection, node: str) -> list[RunOutline]:
    """All runs of the node. Runs of one boot share what is known of its clock."""
    rows = [(_opening.decode(row[2]), row) for row in connection.execute(_QUERY, (node,))]
    offsets: defaultdict[str, list[int]] = defaultdict(list)
    for opening, row in rows:
        offsets[opening.boot] += [offset for offset in row[-4:] if offset is not None]
    for opening, _ in rows:
        if not offsets[opening.boot]:
            offsets[opening.boot].append(opening.clock.utc - opening.clock.agent)
    outlines = [_outline(opening, row, offsets[opening.boot]) for opening, row in rows]
    return sorted(outlines, key=lambda run: (run.begin_utc, run.sequence))


def _outline(opening: RunOpening, row: tuple[Any, ...], offsets: list[int]) -> RunOutline:
    sequence, run, _, alive_reach, current, stopped, stopped_agent, numbers, spans, reach = row[:10]
    return RunOutline(
        sequence,
        run,
        opening,
        alive_reach,
        bool(current),
        stopped,
        stopped_agent,
        _numbers.decode(numbers)[0],
        tuple(unpacked(spans, reach)),
        min(offsets),
        max(offsets),
        *row[10:12],
    )


_HEARD = """
    SELECT node.name, heard_boottime, text.text, heard_utc FROM open_spans JOIN run ON run.sequence = open_spans.run
        JOIN reach ON reach.run = run.sequence JOIN node ON node.id = run.node JOIN text ON text.id = heard_boot
    WHERE current = 1
"""

_HEARD_OF = f"{_HEARD} AND node.name IN (SELECT value FROM json_each(?))"  # noqa: S608 - of constants


def heard_utc(connection: Connection, node: str, now: Reading) -> int | None:
    """When the node's own liveness last grew, as the clock counts UTC now."""
    return all_heard_utc(connection, now, [node]).get(node)


def all_heard_utc(connection: Connection, now: Reading, names: Collection[str] | None = None) -> dict[str, int]:
    """The same of every node, or of these, whose liveness ever grew."""
    if names is None:
        return _heard(connection.execute(_HEARD), now)
    return _heard(connection.execute(_HEARD_OF, (msgspec.json.encode(list(names)).decode(),)), now)


def _heard(rows: Iterable[tuple[str, int, str, int]], now: Reading) -> dict[str, int]:
    heard: dict[str, int] = {}
    for node, boottime, boot, utc in rows:
        at = now.utc_of(boottime, boot, utc)
        heard[node] = max(at, heard.get(node, at))
    return heard
