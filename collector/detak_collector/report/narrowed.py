"""The report of a unit, a service or a site: what was derived of its services, with a figure of its own. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from fractions import Fraction

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Dated, Exclusion, Service
from detak_collector.downtime.derive import Result, put_together
from detak_collector.downtime.incidents import Incident
from detak_collector.downtime.months import ServiceMonth

SITE = "site:"
"""Before the name of a site, which could be that of a unit or service too."""


class UnknownPartError(Exception):
    """No unit, no service and no site is called so."""


def narrowed(result: Result, name: str) -> Result:
    """The report of the unit or service whose id is `name`, or of the site in `site:NAME`; raises UnknownPartError.

    A unit has its own target where the catalogue gives it one. A service has a figure of its own also where it does
    not count for the organisation. A site's is that of the services with a component there at any time of the period.
    Published figures stay behind: they are the organisation's.
    """
    catalogue = result.case.catalogue
    for unit in catalogue.units:
        if unit.id == name:
            return _part(result, unit.services, unit.name, unit.target_percent or catalogue.target_percent)
    for one in result.services:
        if one.service.id == name:
            title = one.service.name.value_at(result.last)
            return _part(result, (name,), title, catalogue.target_percent, alone=True)
    if name.startswith(SITE):
        site = name.removeprefix(SITE)
        return _part(result, _resting_on(result, site), site, catalogue.target_percent)
    known = [*(unit.id for unit in catalogue.units), *(one.service.id for one in result.services)]
    known += [f"{SITE}{site}" for site in sorted(_sites(result))]
    raise UnknownPartError(f"no such unit or service; one of {', '.join(known)} (got {name!r})")


def _resting_on(result: Result, site: str) -> list[str]:
    """The services with a member of a group on a node of that site; a probe there only looks at them."""
    begin, end = result.period.begin, result.end
    nodes = {one.name for one in result.case.catalogue.nodes if one.site is not None and one.site.was(site, begin, end)}
    found = [one.service.id for one in result.services if not nodes.isdisjoint(_nodes(one.service, begin, end))]
    if not found:
        known = ", ".join(sorted(_sites(result))) or "none is named"
        words = "in this period no service rests on a node of that site; the sites are"
        raise UnknownPartError(f"{words}: {known} (got '{SITE}{site}')")
    return found


def _nodes(service: Service, begin: int, end: int) -> Iterator[str]:
    members = (one for group in service.groups for one in group.members if one.was_in_force(begin, end))
    return (check.partition("/")[0] for one in members for check in one.checks)


def _sites(result: Result) -> set[str]:
    return {site for one in result.case.catalogue.nodes if one.site is not None for site in one.site.values()}


def _part(
    result: Result, services: Collection[str], title: str, target: Dated[Fraction], *, alone: bool = False
) -> Result:
    chosen = [one for one in result.services if one.service.id in services]
    case = _case(result, services, title, target, alone=alone)
    count = max((len(one.months) for one in chosen), default=0)
    found = [
        {one.service.id: _counting(one.months[at]) if alone else one.months[at] for one in chosen}
        for at in range(count)
    ]
    part = put_together(case, result.period, found, beside=bool(result.beside))
    return replace(
        part,
        numbers=result.numbers,
        incidents=_incidents(result, services),
        stories=result.stories,
        drills=result.drills,
        year=None if result.year is None else _part(result.year, services, title, target, alone=alone),
    )


def _case(result: Result, services: Collection[str], title: str, target: Dated[Fraction], *, alone: bool) -> Case:
    catalogue = result.case.catalogue
    organisation = f"{catalogue.organisation.value_at(result.last)}: {title}"
    chosen = tuple(one for one in catalogue.services if one.id in services)
    levels = tuple(dict.fromkeys(level for one in chosen for level in one.criticality.values()))
    part = replace(
        catalogue,
        organisation=Dated.always(organisation),
        services=chosen,
        counted_criticality=levels if alone else catalogue.counted_criticality,
        target_percent=target,
        units=(),
    )
    exclusions = tuple(one for one in result.case.exclusions if _may_touch(one, services))
    return replace(result.case, catalogue=part, exclusions=exclusions)


def _may_touch(one: Exclusion, services: Collection[str]) -> bool:
    return one.scope_kind != "service" or one.scope in services


def _counting(month: ServiceMonth) -> ServiceMonth:
    """The month of a service that counts for itself, whatever its criticality."""
    beside = {name: (totals, totals) for name, (totals, _) in month.beside.items()}
    return replace(month, in_figure=month.totals, beside=beside, shares_in_figure=None)


def _incidents(result: Result, services: Collection[str]) -> tuple[Incident, ...]:
    kept = []
    for one in result.incidents:
        outages = tuple(outage for outage in one.outages if outage.service in services)
        if outages:
            kept.append(replace(one, outages=outages))
    return tuple(kept)
