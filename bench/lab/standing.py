"""How each tool stands against the truth, over the same outages. Pure: the results of a run come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.triple import Triple
from lab.results import PeerSaid, Results
from lab.scores import Expected, Said, Verdict, at_most, mean, score, true_ms
from lab.truth import Interval, Outage
from lab.watching import Sight

LEFT_OUT = ("database read-only", "replica lags", "disk read-only", "process stopped", "guest frozen")
"""Kinds that are held against nobody: not every monitor was told to look at the first four, though each can, and a
guest that is frozen here answers a ping, by which Icinga would know."""

SETTLED_MS = 300_000
"""So long after its start Icinga says nothing of an agent that it cannot reach: outages of that time are left out."""


@dataclass(frozen=True)
class Held:
    """One outage as one tool has it; milliseconds.

    `error_ms`: counted less true. `known_ms`: from its begin until the tool had it, None where nobody can know in time;
    one that it never had counts as long as it lasted.
    """

    outage: Outage
    error_ms: int
    is_noticed: bool
    known_ms: int | None


@dataclass(frozen=True)
class Standing:
    """One tool. `within` is in how many outages the truth was inside of its bounds, None where it states none."""

    tool: str
    version: str
    held: Sequence[Held] = ()
    made_up: int = 0
    within: int | None = None
    trouble: str = ""
    """Why it could not be asked."""

    @property
    def missed(self) -> int:
        """How many outages it has nothing of."""
        return sum(not one.is_noticed for one in self.held)

    @property
    def errors(self) -> list[int]:
        """How far off it is in each outage, either way."""
        return [abs(one.error_ms) for one in self.held]

    def error_ms(self, percent: float) -> int:
        """So many in a hundred outages are no further off."""
        return at_most(self.errors, percent) or 0

    @property
    def mean_error_ms(self) -> float:
        """Of all outages."""
        return mean(self.errors)

    @property
    def counted_percent(self) -> float:
        """All that it counts of these outages, of all that was true."""
        true = sum(true_ms(one.outage) for one in self.held)
        return 100 + 100 * sum(one.error_ms for one in self.held) / true if true else 100.0

    @property
    def known_ms(self) -> int | None:
        """After how long it has half of the outages; None of none."""
        return at_most((one.known_ms for one in self.held if one.known_ms is not None), 50)


def standings(results: Results, *, disturbed: bool | None = None) -> list[Standing]:
    """Detak first, then every other monitor of the run, each on the services that all of them were told of.

    `disturbed`: on those outages alone that something disturbed, or that nothing did.
    """
    ours = {service: results.said.sets[service] for service in results.told}
    period = _time_of(results, disturbed=disturbed)
    return [
        _standing(results, "Detak", ours, results.sights, period),
        *(
            Standing(peer.tool, peer.version, trouble=peer.trouble)
            if peer.trouble
            else _standing(results, peer.tool, claimed(peer, results.told), None, period, peer.version)
            for peer in results.peers
        ),
    ]


def claimed(peer: PeerSaid, services: Iterable[str]) -> dict[str, Triple]:
    """What it counts of each service; it knows nothing of certain."""
    return {service: _counted(one for one in peer.claims if one.service == service) for service in services}


def _counted(claims: Iterable[Interval]) -> Triple:
    counted = Intervals.of((one.begin, one.end) for one in claims)
    return Triple(EMPTY, counted, counted)


def _standing(
    results: Results, tool: str, sets: Mapping[str, Triple], sights: Sequence[Sight] | None, period: tuple[int, int],
    version: str = "",
) -> Standing:  # fmt: skip
    """What was shown, if there are sights, tells when it was known, else what is counted does."""
    truth = [one for one in results.every if one.service in sets]
    slack_ms = results.pace.interval_ms + results.pace.timeout_ms
    scores = score(truth, Said(sets), sights or (), results.expected, results.categories)
    begin, end = period
    judged = [one for one in scores.verdicts if _is_compared(one.outage) and begin <= one.outage.begin < end]
    held = [
        _held(one, sets[one.outage.service].counted, slack_ms, results, is_shown=sights is not None) for one in judged
    ]
    true = {
        service: Intervals.of((one.begin, one.end + slack_ms) for one in truth if one.service == service)
        for service in sets
    }
    made_up = sum(
        not true[service].clip(*part) for service, one in sets.items() for part in one.counted if begin <= part[0] < end
    )
    within = None if sights is None else sum(not one.outside for one in judged)
    return Standing(tool, version, held, made_up, within)


def _time_of(results: Results, *, disturbed: bool | None) -> tuple[int, int]:
    """What is disturbed comes last; at first nothing is compared."""
    begin, end = results.run.began + SETTLED_MS, results.run.ended
    turn = end
    if results.mixed:
        last = max((one.end for one in results.alone), default=begin)
        slack_ms = results.pace.interval_ms + results.pace.timeout_ms
        turn = min(last + slack_ms, *(one.begin for one in results.mixed))
    return begin if not disturbed else max(begin, turn), turn if disturbed is False else end


def _is_compared(outage: Outage) -> bool:
    return outage.kind.partition(":")[0] not in LEFT_OUT


def _held(verdict: Verdict, counted: Intervals, slack_ms: int, results: Results, *, is_shown: bool) -> Held:
    """A check that began in an outage may end soon after it, and what it found is not made up."""
    outage = verdict.outage
    of_it = counted.clip(outage.begin, outage.end + slack_ms)
    known: int | None = outage.end - outage.begin
    if results.expected.get(outage.kind, Expected()).detected is None:
        known = None
    elif is_shown and verdict.seen_ms is not None:
        known = verdict.seen_ms
    elif of_it and not is_shown:
        known = of_it.parts[0][0] - outage.begin
    return Held(outage, verdict.error_ms, bool(of_it), known)
