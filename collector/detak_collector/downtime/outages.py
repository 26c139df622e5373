"""Outages of one service, with what they cost and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

from detak_collector.downtime.accounts import Account
from detak_collector.downtime.catalogue import CATEGORIES, Service
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals, union
from detak_collector.downtime.reading import Passage, Reading

PROBE_ONLY = "probe only"
DECLARED = "declared"
"""A counted second for which no layer was down: the probes saw it, or people declared it."""

LAYERS = (*CATEGORIES, PROBE_ONLY, DECLARED)


OutageKey = tuple[str, int]


class Outage(NamedTuple):
    """A maximal stretch of gross counted time. `causes`: how much of it each layer was the lowest one down.

    `shown_as` is the reading of the layer that caused most of it, `said` what the checks that were down then said,
    `running` whether it had not ended when it was read. What is possible in another month than its own is not its.
    `net_causes` is how much of `counted_ms` each layer caused, None where an earlier version kept it without.
    """

    id: str
    service: str
    begin: int
    end: int
    counted_ms: int
    certain_ms: int
    possible_ms: int
    causes: Mapping[str, int]
    shown_as: str
    said: tuple[str, ...]
    running: bool
    net_causes: Mapping[str, int] | None = None

    @property
    def key(self) -> OutageKey:
        """What tells it from every other outage of one result."""
        return self.service, self.begin

    @property
    def cause(self) -> str:
        """The layer that caused most of it, of equals the lowest."""
        return max(self.causes, key=lambda category: self.causes[category])

    @property
    def detail(self) -> str:
        """The checks that were down, and what they said."""
        return "; ".join(self.said)


def continued(first: Outage, second: Outage) -> Outage:
    """Two parts of one outage that meet at the turn of a month."""
    return first._replace(
        end=second.end,
        counted_ms=first.counted_ms + second.counted_ms,
        certain_ms=first.certain_ms + second.certain_ms,
        possible_ms=first.possible_ms + second.possible_ms,
        causes=_summed(first.causes, second.causes),
        shown_as=_most_telling([first.shown_as, second.shown_as]),
        said=tuple(dict.fromkeys((*first.said, *second.said))),
        running=second.running,
        net_causes=None
        if first.net_causes is None or second.net_causes is None
        else _summed(first.net_causes, second.net_causes),
    )


def _summed(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    layers = sorted({*first, *second}, key=LAYERS.index)
    return {layer: first.get(layer, 0) + second.get(layer, 0) for layer in layers}


@dataclass(frozen=True, slots=True)
class Moment:
    """When outages are told of, and in whose local time they are named."""

    as_of: int
    zone: tzinfo


def causes(service: Service, account: Account) -> dict[str, Intervals]:
    """Each gross counted second given to the lowest layer down at that time, in the order of the layers."""
    down: dict[str, list[Intervals]] = {}
    for group in service.groups:
        layer = account.layers[group.key].gross.counted if group.key in account.layers else EMPTY
        for category in group.category.values() if layer else ():
            here = layer & group.category.when(account.begin, account.end, category)
            down.setdefault(category, []).append(here)
    remaining = account.gross.counted
    found: dict[str, Intervals] = {}
    for category in sorted(down, key=LAYERS.index):
        together = union(down[category])
        found[category] = remaining & together
        remaining = remaining - together
    found[PROBE_ONLY] = remaining & account.probed
    found[DECLARED] = remaining - account.probed
    return {category: where for category, where in found.items() if where}


def outages(
    service: Service,
    account: Account,
    by_cause: Mapping[str, Intervals],
    readings: Mapping[str, Reading],
    moment: Moment,
) -> tuple[Outage, ...]:
    """The outages inside the account's stretch, in order. `by_cause` is what `causes` made of it."""
    telling = {check: _telling(readings[check]) for check in service.checks()} if by_cause else {}
    counted = {layer: where & account.net.counted for layer, where in by_cause.items()}
    teller = _Teller(service, account, by_cause, counted, telling, moment)
    return tuple(teller.outage(part, nearest) for part, nearest in _with_neighbours(account.gross.counted.parts))


def _telling(reading: Reading) -> list[Passage]:
    """The passages that can say why something was down."""
    return [one for one in reading.passages if not one.shown_as.startswith(("not observed", "degraded"))]


def _with_neighbours(parts: Sequence[Interval]) -> Iterable[tuple[Interval, Interval]]:
    """Each part with the stretch in which it is the nearest: what is possible there is its own."""
    for place, (begin, end) in enumerate(parts):
        before = (parts[place - 1][1] + begin) // 2 if place else begin - _FAR
        after = (end + parts[place + 1][0]) // 2 if place + 1 < len(parts) else end + _FAR
        yield (begin, end), (before, after)


_FAR = 2**53


@dataclass(frozen=True, slots=True)
class _Teller:
    """What is needed to tell of an outage: whose it is, what it cost, which layer was down, what the checks said.

    `counted` is what of `causes` counts.
    """

    service: Service
    account: Account
    causes: Mapping[str, Intervals]
    counted: Mapping[str, Intervals]
    telling: Mapping[str, Sequence[Passage]]
    moment: Moment

    def outage(self, part: Interval, nearest: Interval) -> Outage:
        """The outage of `part`; what is possible in `nearest`, where no other outage is closer, is its own."""
        begin, end = part
        net = self.account.net
        shares = _lengths(self.causes, part)
        cause = max(shares, key=lambda category: shares[category])
        passages = self._passages(cause, begin, end)
        possible = [one for one in net.possible.clip(*nearest) if one[0] <= end and begin <= one[1]]
        return Outage(
            id=f"{self.service.id}/{outage_name(begin, self.moment.zone)}",
            service=self.service.id,
            begin=begin,
            end=end,
            counted_ms=net.counted.clip(begin, end).total,
            certain_ms=net.certain.clip(begin, end).total,
            possible_ms=sum(until - since for since, until in possible),
            causes=shares,
            shown_as=_most_telling([passage.shown_as for _, passage in passages]),
            said=tuple(_said(passages)),
            running=end >= self.moment.as_of,
            net_causes=_lengths(self.counted, part),
        )

    def _passages(self, cause: str, begin: int, end: int) -> list[tuple[str, Passage]]:
        """What the checks of the layer that caused it say of that time."""
        groups = [group for group in self.service.groups if group.category.was(cause, begin, end)]
        members = [member for group in groups for member in group.members] or list(self.service.probes)
        return [
            (check, passage)
            for member in members
            for check in member.checks
            for passage in self.telling[check]
            if passage.begin < end and begin < passage.end
        ]


def _lengths(by_layer: Mapping[str, Intervals], part: Interval) -> dict[str, int]:
    """How long each layer was down in that part; without those that were not."""
    return {layer: length for layer, where in by_layer.items() if (length := where.clip(*part).total)}


def _most_telling(readings: Sequence[str]) -> str:
    """What happened to a host says more than that a check was down."""
    return max(readings, key=lambda one: (":" in one, one.startswith("down:")), default="down")


def _said(passages: Iterable[tuple[str, Passage]]) -> Iterable[str]:
    said: dict[str, str] = {}
    for check, passage in passages:
        said.setdefault(check, passage.message or passage.shown_as)
    return (f"{check}: {message}" for check, message in said.items())


def outage_name(begin: int, zone: tzinfo) -> str:
    """What an outage of a service is called by: the local time of its begin."""
    return datetime.fromtimestamp(begin // 1000, zone).strftime("%Y%m%dT%H%M%S")


def caused(account: Account, by_cause: Mapping[str, Intervals]) -> dict[str, int]:
    """Net counted milliseconds by the layer that caused them."""
    net = account.net.counted
    return {category: total for category, where in by_cause.items() if (total := (where & net).total)}
