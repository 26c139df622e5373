"""How far a node's being cut off reaches to either side, in sets."""

from __future__ import annotations

import pytest

from detak_collector.downtime.catalogue import NodeEntry
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.remote import EDGE_MS, weigh_remote
from detak_collector.downtime.triple import Triple

CUT = Intervals.span(2 * EDGE_MS, 3 * EDGE_MS)
IN_DOUBT = Intervals.span(0, 5 * EDGE_MS)
"""The reference was down in CUT, and may have been for all of this."""


def weighed(*counted: Interval, due: Intervals = EMPTY) -> Reading:
    down = Intervals.of(counted)
    reading = Reading("n/r", Triple(EMPTY, down, down), failing=down, due=due, remote=True)
    reference = Reading("n/ref", Triple(EMPTY, CUT, IN_DOUBT), remote=True)
    entry = NodeEntry("n", references=("n/ref",))
    return weigh_remote(reading, entry, {"n/ref": reference}, 0, 6 * EDGE_MS)


@pytest.mark.parametrize("longer", [0, 1])
def test_what_borders_on_a_cut_off_is_laid_to_it_as_long_as_it_is_short(longer: int) -> None:
    before, after = (EDGE_MS - longer, 2 * EDGE_MS), (3 * EDGE_MS, 4 * EDGE_MS + longer)
    assert weighed((before[0], after[1])).down.counted == (Intervals.of([before, after]) if longer else EMPTY)


def test_a_failure_apart_from_the_cut_off_counts_though_the_reference_may_have_been_down() -> None:
    apart = 4 * EDGE_MS, 4 * EDGE_MS + 1_000
    assert weighed((CUT.parts[0][0], CUT.parts[0][1]), apart).down.counted == Intervals.of([apart])


def test_who_is_cut_off_is_no_witness_whose_next_look_is_merely_due() -> None:
    due = Intervals.span(CUT.parts[0][0] - 1_000, CUT.parts[0][1])
    assert weighed(due=due).due == due - CUT
