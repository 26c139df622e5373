"""The report of a site: the services that rest on what stands there, with a figure of their own."""

from __future__ import annotations

import pytest

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Group, Member, NodeEntry, Service
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.periods import parse_period
from detak_collector.report.narrowed import UnknownPartError, narrowed
from downtime_cases import DAY, HOUR, MINUTE, facts, stated
from report_cases import JAKARTA

JUNE = parse_period("2026-06", JAKARTA, 0)
AT = JUNE.begin + DAY
MOVED = Dated(((None, JUNE.begin - DAY, "DRC"), (JUNE.begin - DAY, None, "DC")))


def service(name: str, *checks: str, probe: str = "") -> Service:
    members = tuple(Member((check,)) for check in checks)
    group = Group(f"{name}/g", "g", Dated.always("server"), members, Dated.always("all_down"))
    probes = (Member((probe,)),) if probe else ()
    return Service(name, Dated.always(name), Dated.always("sangat kritis"), (group,), probes)


def organisation() -> Result:
    """At DC `impor` was down for an hour; at DRC `arsip` for ten minutes, seen from DC too; `web` has one in each."""
    services = (
        service("impor", "dc-1/a"), service("arsip", "drc-1/a", probe="dc-1/look"), service("web", "dc-1/w", "drc-1/w"),
    )  # fmt: skip
    nodes = (NodeEntry("dc-1", MOVED), NodeEntry("drc-1", Dated.always("DRC")))
    catalogue = Catalogue(Dated.always("DJBC"), "Asia/Jakarta", services, nodes)
    downs = {"dc-1/a": HOUR, "drc-1/a": 10 * MINUTE, "dc-1/look": 10 * MINUTE, "dc-1/w": 0, "drc-1/w": 0}
    seen = {
        name: stated(name, JUNE.begin, JUNE.end, ((AT, AT + length),) if length else ())
        for name, length in downs.items()
    }
    return derive(Case(catalogue, JAKARTA, facts(seen), (), JUNE.end), JUNE)


def test_a_site_has_the_figure_of_the_services_with_a_component_there() -> None:
    whole = organisation()
    here, there = narrowed(whole, "site:DC"), narrowed(whole, "site:DRC")
    assert [one.service.id for one in here.services] == ["impor", "web"], "a probe there only looks"
    assert [one.service.id for one in there.services] == ["arsip", "web"], "what stood there before June does not count"
    assert (here.figure.counted_ms, there.figure.counted_ms) == (HOUR, 10 * MINUTE)
    assert here.figure.service_time_ms == there.figure.service_time_ms == 2 * (JUNE.end - JUNE.begin)
    assert here.case.catalogue.organisation.value_at(JUNE.begin) == "DJBC: DC"


def test_a_site_where_nothing_stands_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownPartError, match=r"that site; the sites are: DC, DRC \(got 'site:Batam'\)"):
        narrowed(organisation(), "site:Batam")
    with pytest.raises(UnknownPartError, match="one of impor, arsip, web, site:DC, site:DRC"):
        narrowed(organisation(), "DC")
