"""A node that moves to another site: whose silence is that of a whole site changes at that instant."""

from __future__ import annotations

import pytest

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, NodeEntry
from detak_collector.downtime.evidence import read_all
from detak_collector.downtime.facts import ALIVE, Facts, Node
from detak_collector.downtime.intervals import Intervals
from downtime_cases import UTC, group, service
from reading_cases import at, run, span

QUIET = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18))
ALONE, TOGETHER = "presumed down: missing heartbeats", "presumed down: site"
MOVES = Dated(((None, at(40), "DRC"), (at(40), None, "DC")))


@pytest.mark.parametrize(
    ("own", "other", "told"),
    [
        (MOVES, Dated.always("DC"), [(at(21), at(40), ALONE), (at(40), at(60), TOGETHER)]),
        (Dated.always("DC"), MOVES, [(at(21), at(40), ALONE), (at(40), at(60), TOGETHER)]),
        (Dated.always("DRC"), MOVES, [(at(21), at(40), TOGETHER), (at(40), at(60), ALONE)]),
        (MOVES, MOVES, [(at(21), at(60), TOGETHER)]),
        (Dated(((None, at(40), "DC"),)), Dated.always("DC"), [(at(21), at(40), TOGETHER), (at(40), at(60), ALONE)]),
    ],
)
def test_a_site_is_silent_while_all_who_then_stand_there_are(
    own: Dated[str], other: Dated[str], told: list[tuple[int, int, str]]
) -> None:
    entries = NodeEntry("n", site=own), NodeEntry("m", site=other)
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(group(["n/c"])),), entries)
    unheard = dict.fromkeys(("n", "m"), Intervals.span(at(20), at(60)))
    watched = Intervals.span(at(0), at(60))
    facts = Facts({"n": Node("n", runs=(QUIET,), heard_utc=at(20))}, watched, drift_ppm=0, unheard=unheard)
    passages = read_all(Case(catalogue, UTC, facts, (), at(60)), at(0), at(60))["n/c"].passages
    assert [(one.begin, one.end, one.shown_as) for one in passages if one.shown_as.startswith("presumed")] == told
