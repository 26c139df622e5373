"""Outages of one service, with what they cost and why; and incidents, which are outages that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from detak_collector.downtime.accounts import Account
from detak_collector.downtime.catalogue import CATEGORIES, Service
from detak_collector.downtime.intervals import Interval, Intervals, union
from detak_collector.downtime.reading import Passage, Reading

PROBE_ONLY = "probe only"
DECLARED = "declared"
"""A counted second for which no layer was down: the probes saw it, or people declared it."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A maximal stretch of gross counted time. `cause` is the layer that was down, `shown_as` its reading.

    `detail` names the checks that were down and what they said. `running`: it had not ended when it was read.
    """

    id: str
    incident: str
    service: str
    begin: int
    end: int
    counted_ms: int
    certain_ms: int
    possible_ms: int
    cause: str
    shown_as: str
    detail: str
    running: bool


def causes(service: Service, account: Account) -> dict[str, Intervals]:
    """Each gross counted second given to the lowest layer down at that time, in the order of the layers."""
    remaining = account.gross.counted
    found: dict[str, Intervals] = {}
    for category in CATEGORIES:
        layer = union(
            account.layers[group.key].gross.counted
            for group in service.groups
            if group.category == category and group.key in account.layers
        )
        found[category] = remaining & layer
        remaining = remaining - layer
    found[PROBE_ONLY] = remaining & account.probed
    found[DECLARED] = remaining - account.probed
    return {category: where for category, where in found.items() if where}


def outages(service: Service, account: Account, readings: Mapping[str, Reading], as_of: int) -> list[Outage]:
    """The outages inside the account's stretch, in order."""
    teller = _Teller(service, account, causes(service, account), readings, as_of)
    return [teller.outage(part, nearest) for part, nearest in _with_neighbours(account.gross.counted.parts)]


def _with_neighbours(parts: Sequence[Interval]) -> Iterable[tuple[Interval, Interval]]:
    """Each part with the stretch in which it is the nearest: what is possible there is its own."""
    for place, (begin, end) in enumerate(parts):
        before = (parts[place - 1][1] + begin) // 2 if place else begin - _FAR
        after = (end + parts[place + 1][0]) // 2 if place + 1 < len(parts) else end + _FAR
        yield (begin, end), (before, after)


_FAR = 2**53


@dataclass(frozen=True, slots=True)
class _Teller:
    """What is needed to tell of an outage: whose it is, what it cost, which layer was down, what the checks said."""

    service: Service
    account: Account
    causes: Mapping[str, Intervals]
    readings: Mapping[str, Reading]
    as_of: int

    def outage(self, part: Interval, nearest: Interval) -> Outage:
        """The outage of `part`; what is possible in `nearest`, where no other outage is closer, is its own."""
        begin, end = part
        inside = Intervals.span(begin, end)
        shares = {category: (where & inside).total for category, where in self.causes.items()}
        cause = max(shares, key=lambda category: shares[category])
        passages = self._passages(cause, begin, end)
        possible = [one for one in self.account.net.possible.clip(*nearest) if one[0] <= end and begin <= one[1]]
        return Outage(
            id="",
            incident="",
            service=self.service.id,
            begin=begin,
            end=end,
            counted_ms=(self.account.net.counted & inside).total,
            certain_ms=(self.account.net.certain & inside).total,
            possible_ms=Intervals.of(possible).total,
            cause=cause,
            shown_as=_shown_as(passages),
            detail="; ".join(_detail(passages)),
            running=end >= self.as_of,
        )

    def _passages(self, cause: str, begin: int, end: int) -> list[tuple[str, Passage]]:
        """What the checks of the layer that caused it say of that time."""
        groups = [group for group in self.service.groups if group.category == cause]
        members = [member for group in groups for member in group.members] or list(self.service.probes)
        return [
            (check, passage)
            for member in members
            for check in member.checks
            for passage in self.readings[check].passages
            if passage.touches(begin, end) and not passage.shown_as.startswith(("not observed", "degraded"))
        ]


def _shown_as(passages: Sequence[tuple[str, Passage]]) -> str:
    """The most telling reading: what happened to a host says more than that a check was down."""
    readings = [passage.shown_as for _, passage in passages]
    return max(readings, key=lambda one: (":" in one, one.startswith("down:")), default="down")


def _detail(passages: Iterable[tuple[str, Passage]]) -> Iterable[str]:
    said: dict[str, str] = {}
    for check, passage in passages:
        said.setdefault(check, passage.message or passage.shown_as)
    return (f"{check}: {message}" for check, message in said.items())


def numbered(found: Sequence[Outage], gap_ms: int, name: Mapping[int, str]) -> list[Outage]:
    """The outages of all services in order of time, each with its id and the incident it belongs to.

    `name` gives the words for a begin; outages that overlap or lie within `gap_ms` are one incident.
    """
    incident, reach = "", -_FAR
    done: list[Outage] = []
    for one in sorted(found, key=lambda outage: (outage.begin, outage.service)):
        if one.begin > reach + gap_ms:
            incident = name[one.begin]
        reach = max(reach, one.end)
        done.append(replace(one, id=f"{one.service}/{name[one.begin]}", incident=incident))
    return done


def caused(service: Service, account: Account) -> dict[str, int]:
    """Net counted milliseconds by the layer that caused them."""
    return {
        category: total
        for category, where in causes(service, account).items()
        if (total := (where & account.net.counted).total)
    }
