"""What a node may still hold back of a period: read from what is known of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from detak_collector.ingest.numbers import Ranges, missing_among, united
from detak_collector.store.database import Connection
from detak_collector.store.outlines import RunOutline, runs_of

_LOST = """
    SELECT open_spans.run, numbers FROM open_spans JOIN run ON run.sequence = open_spans.run
        JOIN node ON node.id = run.node WHERE node.name = ?
"""
_numbers = msgspec.json.Decoder(tuple[Ranges, Ranges])


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Of one node: up to when its evidence reaches (UTC ms), and the checks whose spans begun before the end go on.

    `missing`: records of runs that touch the period which never arrived, though no record says that they are lost.
    """

    node: str
    reach_utc: int
    open: tuple[str, ...]
    missing: int


def held_back(connection: Connection, node: str, begin_utc: int, end_utc: int) -> HeldBack | None:
    """As the class says, for [begin, end); None where the node had no run before the end, or all of it is here."""
    runs = runs_of(connection, node)
    earlier = [run for run in runs if run.begin_utc < end_utc]
    if not earlier:
        return None
    lost: dict[int, Ranges] = {
        sequence: _numbers.decode(numbers)[1] for sequence, numbers in connection.execute(_LOST, (node,))
    }
    reach = max(run.end_utc for run in runs)
    going_on = tuple(dict.fromkeys(check for run in earlier for check in _going_on(run, end_utc)))
    touching = (run for run in earlier if begin_utc < run.end_utc)
    missing = sum(_missing(run, lost.get(run.sequence, ())) for run in touching)
    return HeldBack(node, reach, going_on, missing) if reach < end_utc or going_on or missing else None


def _going_on(run: RunOutline, end_utc: int) -> Iterator[str]:
    if run.current and run.stopped is None:
        yield from (one.check for one in run.open if not one.closed and one.first_begin + run.least_offset < end_utc)


def _missing(run: RunOutline, lost: Ranges) -> int:
    """How many numbers before the last one known are neither here nor said to be lost."""
    return missing_among(united((*run.known, *lost)))
