"""From what the collector knows now to the matters that somebody may be told of. Pure: everything is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from detak_collector.board.board import Condition, OutageState
from detak_collector.board.glance import Glance, ServiceGlance
from detak_collector.board.node_standing import standing
from detak_collector.downtime.catalogue import Exclusion, Service
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.scopes import Scopes, everything
from detak_collector.notify.items import (
    LOW_COVERAGE,
    OUTAGE,
    STOPPED_AGENT,
    UNSEEN_NODE,
    UNSEEN_SERVICE,
    UNWATCHED,
    Fate,
    Seen,
    Sighting,
    is_presumed,
    outage_matter,
)
from detak_collector.rules import Rules, checks_by_service
from detak_collector.store.base import NodeRow

UNSEEN_MS = 300_000
STOPPED_MS = 3_600_000
RECENT = 10
"""So many of the outages that ended are on a board: with fewer it has all there are."""
MAINTENANCE = ("planned", "preventive")
DETAIL_LENGTH = 300

_STOPPED = ("stopped", "shut down", "failed")


@dataclass(frozen=True, slots=True)
class Known:
    """What a look rests on besides the board. `since`: the UTC from which on this collector has listened.

    `acknowledged` and `fates` are of outages by number; `coverage`: the least share of a day to be observed; `watched`:
    when this collector was there lately. Without `nodes` nobody has looked at them.
    """

    rules: Rules
    nodes: tuple[NodeRow, ...] | None
    since: int
    acknowledged: frozenset[int] = frozenset()
    fates: Callable[[], Mapping[str, Fate]] = dict
    coverage: Fraction = Fraction(95, 100)
    watched: Intervals = EMPTY


def seen_of(glance: Glance, known: Known, now: int) -> Seen:
    """What is seen now, of which the glance is the latest there is."""
    maintenance = Maintenance.at(known.rules, now)
    ended = {one.number: one for one in (*glance.recent, *glance.lately)}.values()
    sightings = [
        *(_outage(one, maintenance, known) for one in (*ended, *glance.running) if one.number is not None),
        *_services(glance, maintenance, known),
        *_nodes(now, maintenance, known),
        *_unwatched(glance, known),
    ]
    whole = len(glance.recent) < RECENT
    return Seen(
        now,
        {one.matter: one for one in sightings},
        frozenset(one.service_id for one in (*glance.running, *glance.lately, *glance.recent) if one.number is None),
        known.fates(),
        0 if whole else min(one.begin for one in glance.recent),
        frozenset(one.id for one in glance.services),
        looked=known.nodes is not None,
    )


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The planned work that was approved and is going on now."""

    rules: Rules
    now: int
    going_on: tuple[Exclusion, ...]
    scopes: Scopes

    @staticmethod
    def at(rules: Rules, now: int) -> Maintenance:
        """That of a moment, whether or not the organisation takes it out of its figure."""
        going_on = tuple(
            one
            for one in rules.exclusions
            if one.in_force and one.category in MAINTENANCE and one.begin <= now < one.end
        )
        catalogue = replace(rules.catalogue, counted_exclusions=MAINTENANCE)
        return Maintenance(rules, now, going_on, Scopes.of(catalogue, going_on))

    def holds_whole(self, service: str) -> bool:
        """Whether the service as a whole is in maintenance."""
        found = self._service(service)
        return found is not None and self.now in everything(self.scopes.on_service(found))

    def holds_part(self, service: str) -> bool:
        """Whether anything that the service rests on is."""
        found = self._service(service)
        return found is not None and any(self.now in self.scopes.reach(one, found) for one in self.going_on)

    def holds_node(self, name: str) -> bool:
        """Whether the node is, by itself or with its site."""
        site = self.rules.catalogue.node(name).site_at(self.now)
        scopes = {("all", ""), ("node", name), ("site", site)}
        return any((one.scope_kind, "" if one.scope_kind == "all" else one.scope) in scopes for one in self.going_on)

    def _service(self, name: str) -> Service | None:
        if not self.going_on:
            return None
        return next((one for one in self.rules.catalogue.services if one.id == name), None)


def _outage(one: OutageState, maintenance: Maintenance, known: Known) -> Sighting:
    assert one.number is not None
    excused = one.counted_ms == 0 and maintenance.holds_part(one.service_id)
    return Sighting(
        matter=outage_matter(one.number),
        kind=OUTAGE,
        subject=one.service_id,
        name=one.service_name,
        begin=one.begin,
        end=one.end,
        cause=one.cause,
        shown_as=one.shown_as,
        detail=one.detail[:DETAIL_LENGTH],
        proven=one.certain_ms > 0 or not is_presumed(one.shown_as),
        counts=one.in_figure and one.counted_ms > 0,
        in_figure=one.in_figure,
        number=one.number,
        counted_ms=one.counted_ms,
        certain_ms=one.certain_ms,
        possible_ms=one.possible_ms,
        services=frozenset({one.service_id}),
        quiet=excused or maintenance.holds_whole(one.service_id),
        acknowledged=one.number in known.acknowledged,
    )


def _services(glance: Glance, maintenance: Maintenance, known: Known) -> Iterator[Sighting]:
    for one in glance.services:
        if one.condition is Condition.UNOBSERVED and one.since is not None:
            yield replace(
                _of_service(UNSEEN_SERVICE, one, one.since),
                after_ms=UNSEEN_MS + max(0, known.since - one.since),
                quiet=maintenance.holds_part(one.id),
            )
        observed = _observed(one)
        if observed is not None and observed < known.coverage:
            yield replace(_of_service(LOW_COVERAGE, one, glance.now), detail=f"{int(100 * observed)} {_date(one)}")


def _of_service(kind: str, one: ServiceGlance, begin: int) -> Sighting:
    services = frozenset({one.id})
    return Sighting(f"{kind} {one.id}", kind, one.id, one.name, begin, cause=kind, services=services)


def _observed(one: ServiceGlance) -> Fraction | None:
    """The share of its last whole day that was observed; None where nothing of it was due."""
    day = one.yesterday
    if day is None or day.elapsed_ms == 0:
        return None
    return Fraction(day.elapsed_ms - day.unobserved_ms, day.elapsed_ms)


def _date(one: ServiceGlance) -> str:
    return "" if one.yesterday is None else one.yesterday.date


def _nodes(now: int, maintenance: Maintenance, known: Known) -> Iterator[Sighting]:
    troubled = [(row, kind) for row in known.nodes or () if (kind := _trouble(row, now, known)) is not None]
    resting = _resting(known.rules) if troubled else {}
    for row, kind in troubled:
        assert row.heard_utc is not None
        least = UNSEEN_MS if kind == UNSEEN_NODE else STOPPED_MS
        yield Sighting(
            f"{kind} {row.name}",
            kind,
            row.name,
            row.name,
            row.heard_utc,
            cause=kind,
            after_ms=least + (max(0, known.since - row.heard_utc) if kind == UNSEEN_NODE else 0),
            services=resting.get(row.name, frozenset()),
            quiet=maintenance.holds_node(row.name),
        )


def _unwatched(glance: Glance, known: Known) -> Iterator[Sighting]:
    """The times between those in which the collector was there."""
    services = frozenset(one.id for one in glance.services)
    name = known.rules.catalogue.organisation.value_at(glance.now)
    for (_, begin), (end, _) in pairwise(known.watched.parts):
        yield Sighting(
            f"{UNWATCHED} {begin}", UNWATCHED, "", name, begin, end,
            cause=UNWATCHED, after_ms=UNSEEN_MS, services=services,
        )  # fmt: skip


def _trouble(row: NodeRow, now: int, known: Known) -> str | None:
    retired = known.rules.catalogue.node(row.name).retired
    if row.heard_utc is None or (retired is not None and retired <= now):
        return None
    stands = standing(row, now, known.rules.down_after_ms)
    if stands in _STOPPED:
        return STOPPED_AGENT
    return UNSEEN_NODE if stands == "silent" else None


def _resting(rules: Rules) -> Mapping[str, frozenset[str]]:
    """The services that rest on each node."""
    found: dict[str, set[str]] = {}
    for service, checks in checks_by_service(rules).items():
        for node in _nodes_of(checks):
            found.setdefault(node, set()).add(service)
    return {node: frozenset(services) for node, services in found.items()}


def _nodes_of(checks: Iterable[str]) -> set[str]:
    return {check.partition("/")[0] for check in checks}
