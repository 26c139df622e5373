"""The results of a proof as a small run might have left them: two services that all were told of, and a branch's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.triple import Triple
from lab.results import PeerSaid, Results, Run
from lab.scores import Expected, Said
from lab.standing import SETTLED_MS
from lab.things import Pace
from lab.truth import Interval, Outage
from lab.verdicts import Evidence
from lab.watching import Sight

KILLED, LAGS, CUT, FROZEN = "process killed:a", "replica lags", "provider cut:c", "guest frozen"
EXPECTED = {KILLED: Expected("", "process"), FROZEN: Expected("", None)}
FIRST, SECOND, LAGGING = (
    Outage("a", KILLED, 100_000, 120_000, 100_000, 120_000),
    Outage("a", KILLED, 200_000, 220_000, 200_000, 220_000),
    Outage("b", LAGS, 100_000, 120_000, 100_000, 120_000),
)
BRANCH = Outage("c", CUT, 300_000, 320_000, 300_000, 320_000)
SETS = {
    "a": Triple.nested(
        Intervals.of([(102_000, 118_000), (199_000, 218_000)]),
        Intervals.of([(101_000, 120_500), (199_000, 220_000)]),
        Intervals.of([(98_000, 122_000), (198_000, 221_000)]),
    ),
    "b": Triple(Intervals.span(101_000, 119_000), Intervals.span(100_000, 120_000), Intervals.span(99_000, 121_000)),
    "c": Triple(possible=Intervals.span(299_000, 321_000)),
}


def results(
    *peers: PeerSaid,
    alone: Sequence[Outage] = (FIRST, LAGGING, BRANCH),
    mixed: Sequence[Outage] = (SECOND,),
    sets: Mapping[str, Triple] = SETS,
) -> Results:
    """Detak is off by 500 ms and by 1 s; what it calls certain begins a second before the second outage."""
    return Results(
        Run(-SETTLED_MS, 600_000, "--outages 4 --seed 1", "2 cores", (0.5, 1.5)), Pace(), alone, mixed, Said(sets),
        (Sight(103_000, "a", "down"), Sight(204_000, "a", "down")), EXPECTED, {}, Evidence((), ()),
        told=("a", "b"), peers=peers,
    )  # fmt: skip


def peer(*claims: tuple[str, int, int], tool: str = "Other") -> PeerSaid:
    """One that says so."""
    return PeerSaid(tool, "1.0", claims=[Interval(*one) for one in claims])
