"""Planned work ahead as the status page tells it: what is approved and begins within a week, or is going on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detak_collector.board.board import PlannedState, ServiceState
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES
from detak_collector.downtime.scopes import Scopes
from detak_collector.rules import Rules

AHEAD_MS = 7 * 86_400_000
MAINTENANCE = ("planned", "preventive")
MOST = 20


def planned_ahead(rules: Rules, services: Sequence[ServiceState], now: int) -> tuple[PlannedState, ...]:
    """The next windows, in order, each with the services of `services` that it touches; without any it is left out."""
    near = [
        one for one in rules.exclusions if one.category in MAINTENANCE and one.begin < now + AHEAD_MS and now < one.end
    ]
    if not near:
        return ()
    catalogue = replace(rules.catalogue, counted_exclusions=EXCLUSION_CATEGORIES)
    touched: dict[tuple[str, int], list[tuple[str, str]]] = {(one.id, one.begin): [] for one in near}
    names = {one.id: one.name for one in services}
    scopes = Scopes.of(catalogue, near)
    for service in catalogue.services:
        for one in scopes.touching(service):
            touched[one.id, one.begin].append((service.id, names.get(service.id, service.id)))
    found = [
        PlannedState(one.id, one.category, one.begin, one.end, one.id in rules.drills, tuple(there))
        for one in near
        if (there := touched[one.id, one.begin])
    ]
    return tuple(sorted(found, key=lambda one: (one.begin, one.id))[:MOST])
