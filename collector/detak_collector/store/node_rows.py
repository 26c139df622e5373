"""What is told of each node, of all or of some at once: a few questions, however many nodes there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from detak_collector.clocks import Reading
from detak_collector.ingest.rivals import Speaker
from detak_collector.store.base import NodeRow
from detak_collector.store.database import Connection
from detak_collector.store.outlines import all_heard_utc
from detak_collector.store.runs import unpacked
from detak_wire.messages import RunOpening

RIVALRY_LASTS_MS = 15_000
"""What was noted longer ago than this is over, or the collector is not running."""

_opening = msgspec.json.Decoder(RunOpening)

_SOME = "node.name IN (SELECT value FROM json_each(?))"
_NODES = "SELECT name, key_hash, issued_utc, revoked_utc FROM node WHERE {some} ORDER BY name"
_CURRENT = """
    SELECT node.name, run.opening, stopped, open, reach.reach FROM open_spans JOIN run ON run.sequence = open_spans.run
        JOIN reach ON reach.run = run.sequence JOIN node ON node.id = run.node
    WHERE current = 1 AND {some} ORDER BY run.recorded_utc, run.sequence
"""
_CONFLICTS = """
    SELECT node.name, count(*) FROM conflict JOIN run ON run.sequence = conflict.run JOIN node ON node.id = run.node
    WHERE {some} GROUP BY node.name
"""
_RIVALS = """
    SELECT node.name, rival.run, address, coalesce(run.boot, '') FROM rival JOIN node ON node.id = rival.node
        LEFT JOIN run ON run.node = rival.node AND run.run = rival.run
    WHERE {some} AND noted_utc BETWEEN ? AND ? ORDER BY coalesce(run.recorded_utc, 0)
"""


def listed(connection: Connection, now: Reading, names: Collection[str] | None) -> list[NodeRow]:
    """The rows of all nodes, or of these, by name."""
    ask = _Asking(connection, names)
    current = {name: rest for name, *rest in ask.of(_CURRENT)}
    conflicts = dict(ask.of(_CONFLICTS))
    rivals: defaultdict[str, list[Speaker]] = defaultdict(list)
    for name, *speaker in ask.of(_RIVALS, now.utc - RIVALRY_LASTS_MS, now.utc + RIVALRY_LASTS_MS):
        rivals[name].append(Speaker(*speaker))
    heard = all_heard_utc(connection, now, names)
    return [
        NodeRow(
            name=name,
            enrolled=key_hash is not None,
            issued_utc=issued_utc,
            revoked_utc=revoked_utc,
            heard_utc=heard.get(name),
            rivals=tuple(rivals[name]),
            conflicts=conflicts.get(name, 0),
            **_said(current.get(name)),
        )
        for name, key_hash, issued_utc, revoked_utc in ask.of(_NODES)
    ]


class _Asking:
    """Asks the same of all nodes, or of some."""

    def __init__(self, connection: Connection, names: Collection[str] | None) -> None:
        self._connection = connection
        self._some = "1 = 1" if names is None else _SOME
        self._values = () if names is None else (msgspec.json.encode(list(names)).decode(),)

    def of(self, query: str, *more: object) -> Iterable[Any]:
        """The rows; `more` are the values after the names."""
        return iter(self._connection.execute(query.format(some=self._some), (*self._values, *more)))


def _said(run: list[Any] | None) -> dict[str, Any]:
    """What the newest of a node's runs says."""
    if run is None:
        return {"agent_version": "", "states": {}, "stopped": None}
    opening, stopped, spans, reach = run
    states = {span.check: span.state for span in sorted(unpacked(spans, reach), key=lambda span: span.number)}
    return {"agent_version": _opening.decode(opening).agent_version, "states": states, "stopped": stopped}
