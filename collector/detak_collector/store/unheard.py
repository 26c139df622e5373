"""Silences of nodes, and how far their spans had reached before each: what an earlier view could know of them.

A silence lasts from when a node was heard last until it was heard again, or for the first time in another run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from detak_collector.clocks import Reading
from detak_collector.downtime.intervals import Interval, Intervals
from detak_collector.ingest.reach import Reach, unpacked
from detak_collector.store.database import Connection
from detak_collector.store.runs import KnownRun

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[tuple[int, bytes]]).decode


@dataclass(frozen=True, slots=True)
class Silence:
    """Time [begin, end) in which nothing was heard of a node; `reached` is how far its spans had come, by run.

    `begin` is None where the node had never been heard, all times are UTC.
    """

    begin: int | None
    end: int
    reached: Mapping[int, dict[int, Reach]]


def keep(connection: Connection, node: int, runs: Iterable[KnownRun], now_utc: int) -> None:
    """Notes that a silence of the node is over, with its runs as they were in it; a new one had never been heard."""
    known = list(runs)
    begin = max((run.heard.utc for run in known if run.heard is not None), default=None)
    reach = _pack([(run.sequence, run.state.reach) for run in known if run.state.has_open])
    connection.execute(
        "INSERT INTO unheard (node, from_utc, to_utc, reach) VALUES (?, ?, ?, ?)", (node, begin, now_utc, reach)
    )


def latest_silence(connection: Connection, node: str, moment: int) -> Silence | None:
    """The node's last silence that had begun by that moment."""
    row = connection.execute(
        "SELECT from_utc, to_utc, reach FROM unheard JOIN node ON node.id = unheard.node "
        "WHERE node.name = ? AND coalesce(from_utc, 0) <= ? ORDER BY unheard.id DESC LIMIT 1",
        (node, moment),
    ).fetchone()
    return None if row is None else Silence(row[0], row[1], _reached(row[2]))


_PAST = """
    SELECT node.name, from_utc, CASE WHEN to_utc < :moment THEN to_utc ELSE :moment END
    FROM unheard JOIN node ON node.id = unheard.node
    WHERE from_utc < :moment AND to_utc > :begin
"""
_HEARD = """
    SELECT node.name, heard_boottime, text.text, heard_utc FROM open_spans
    JOIN reach ON reach.run = open_spans.run JOIN text ON text.id = heard_boot
    JOIN run ON run.sequence = open_spans.run JOIN node ON node.id = run.node WHERE current = 1
"""


def unheard(connection: Connection, begin_utc: int, at: Reading | int) -> dict[str, Intervals]:
    """Of every node that was ever heard its silences since `begin_utc`, as of now or of an earlier moment."""
    moment = at.utc if isinstance(at, Reading) else at
    silences: defaultdict[str, list[Interval]] = defaultdict(list)
    for name, begin, end in connection.execute(_PAST, {"moment": moment, "begin": begin_utc}):
        silences[name].append((begin, end))
    heard: dict[str, int] = {}
    for name, boottime, boot, utc in connection.execute(_HEARD):
        last = at.utc_of(boottime, boot, utc) if isinstance(at, Reading) else utc
        heard[name] = max(last, heard.get(name, last))
    for name, last in heard.items():
        silences[name].append((last, moment))
    return {name: Intervals.of(pairs) for name, pairs in silences.items()}


def _reached(packed: bytes) -> dict[int, dict[int, Reach]]:
    return {run: unpacked(reach) for run, reach in _unpack(packed)}
