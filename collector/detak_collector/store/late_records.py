"""How many records of each node are known to be missing: of a run whose later records are here already."""

from __future__ import annotations

from collections import Counter

import msgspec

from detak_collector.ingest.numbers import Ranges, missing_among, united
from detak_collector.store.database import Connection
from detak_collector.store.runs import unpacked

_RECENT = """
    SELECT node.name, numbers, open, reach.reach FROM open_spans JOIN run ON run.sequence = open_spans.run
        JOIN reach ON reach.run = run.sequence JOIN node ON node.id = run.node
    WHERE current = 1 OR run.recorded_utc >= ?
"""
_numbers = msgspec.json.Decoder(tuple[Ranges, Ranges])


def late_records(connection: Connection, since_utc: int) -> dict[str, int]:
    """By node, of its current run and of those that were opened since; nodes of which all is here are left out."""
    missing: Counter[str] = Counter()
    for node, numbers, spans, reach in connection.execute(_RECENT, (since_utc,)):
        held, lost = _numbers.decode(numbers)
        going_on = [(one.number, one.number) for one in unpacked(spans, reach)]
        missing[node] += missing_among(united((*held, *lost, *going_on)))
    return {node: count for node, count in missing.items() if count}
