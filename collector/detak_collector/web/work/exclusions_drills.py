"""Which outages fall into a drill that was declared beforehand. Pure."""

from __future__ import annotations

from dataclasses import replace

from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES
from detak_collector.downtime.derive import Result
from detak_collector.downtime.scopes import Scopes
from detak_collector.rules import Rules


def during_drills(rules: Rules, result: Result) -> frozenset[tuple[str, int]]:
    """Service and begin of each outage that shares time with an approved drill on that service."""
    drills = [one for one in rules.exclusions if one.in_force and one.id in rules.drills]
    if not drills:
        return frozenset()
    scopes = Scopes.of(replace(rules.catalogue, counted_exclusions=EXCLUSION_CATEGORIES), drills)
    return frozenset(
        (outage.service, outage.begin)
        for service in result.services
        for one in scopes.touching(service.service)
        for outage in service.outages
        if one.begin < outage.end and outage.begin < one.end
    )
