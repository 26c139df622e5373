"""A proposed catalogue holds every check that reports once, guesses only by names, and is one that is accepted."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.catalogue.organisation import parse
from detak_collector.fleet.proposal import Proposed, Reporting, layer_of, propose, site_of, stem_of
from detak_collector.fleet.proposal_text import services_text

PAGE = "GET https://layanan.example.go.id/"
CHECKS = [
    Reporting("dc-db-01", "os", "os"),
    Reporting("dc-db-01", "pg", "postgresql"),
    Reporting("drc-db-01", "os", "os"),
    Reporting("drc-db-01", "pg", "postgresql"),
    Reporting("dc-db-01", "gateway", "ping", remote=True, target="10.0.0.1"),
    Reporting("dc-app-01", "fw", "snmp", remote=True, target="10.0.0.9"),
    Reporting("dc-app-02", "firewall", "snmp", remote=True, target="10.0.0.9"),
    Reporting("dc-app-01", "ping-db", "ping", remote=True, target="dc-db-01"),
    Reporting("edge-01", "impor-web", "http", remote=True, target=PAGE),
    Reporting("edge-02", "impor", "http", remote=True, target=PAGE),
]
NODES = sorted({one.node for one in CHECKS})


def proposed(checks: list[Reporting] | None = None, **sites: str) -> Proposed:
    return propose(CHECKS if checks is None else checks, NODES, sites)


def members(of: Proposed) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {one.id: one.members for one in of.groups}


def test_the_same_check_on_nodes_of_like_names_is_one_group() -> None:
    found = members(proposed())
    assert found["db-pg"] == (("dc-db-01/pg",), ("drc-db-01/pg",))
    assert found["db-os"] == (("dc-db-01/os",), ("drc-db-01/os",))


def test_several_nodes_that_look_at_one_target_observe_one_thing() -> None:
    assert members(proposed())["fw"] == (("dc-app-01/fw", "dc-app-02/firewall"),)


def test_an_address_that_is_watched_from_elsewhere_is_a_service_of_its_own() -> None:
    (service,) = proposed().services
    assert (service.id, service.probes) == ("impor-web", ("edge-01/impor-web", "edge-02/impor"))


def test_a_node_without_a_check_of_its_system_is_there_by_its_liveness() -> None:
    found = members(proposed())
    assert found["app-alive"] == (("dc-app-01/alive",), ("dc-app-02/alive",))
    assert found["edge-alive"] == (("edge-01/alive",), ("edge-02/alive",))
    assert not any("dc-db-01/alive" in one for group in found.values() for one in group)


def test_of_a_node_is_told_where_it_stands_and_who_else_sees_it() -> None:
    told = {one.name: one for one in propose(CHECKS, NODES, {"edge-01": "Kanwil"}).nodes}
    database = told["dc-db-01"]
    assert (database.site, database.by_name) == ("DC", True)
    assert (database.witnesses, database.references) == (("dc-app-01/ping-db",), ("dc-db-01/gateway",))
    assert (told["edge-01"].site, told["edge-01"].by_name, told["edge-02"].site) == ("Kanwil", False, "")
    assert "ping-db" not in members(proposed())
    itself = Reporting("dc-app-01", "ping-me", "ping", remote=True, target="dc-app-01")
    assert all(one.witnesses == () for one in propose([itself], ["dc-app-01"], {}).nodes)


@pytest.mark.parametrize(
    ("node", "stem", "site"),
    [
        ("dc-db-01", "db", "DC"),
        ("drc-db-12", "db", "DRC"),
        ("dcdb01", "dcdb", ""),
        ("n1", "n", ""),
        ("dc-01", "dc", ""),
    ],
)
def test_a_name_tells_what_stands_in_for_it_and_where_it_is(node: str, stem: str, site: str) -> None:
    assert (stem_of(node), site_of(node)) == (stem, site)


def test_what_a_kind_does_not_tell_a_name_may() -> None:
    assert layer_of(Reporting("n", "mariadb-unit", "systemd")) == "database"
    assert layer_of(Reporting("n", "nginx-unit", "systemd")) == "application"
    assert layer_of(Reporting("n", "dashboard", "http")) == "application"


def test_the_text_is_accepted_and_says_what_to_decide() -> None:
    text = services_text(proposed(), "DJBC", "Asia/Jakarta", "10 checks of 6 nodes that report")
    catalogue = parse(text)
    undivided = next(one for one in catalogue.services if one.id == "undivided")
    assert {group.key for group in undivided.groups} == set(members(proposed()))
    assert {one.id for one in catalogue.services} == {"undivided", "impor-web"}
    assert f"# Watched from edge-01, edge-02: {PAGE}" in text
    assert 'site = "DC"     # a guess by its name' in text
    assert text.count("Decide:") >= 6
    assert max(map(len, text.splitlines())) <= 120


_name = st.text(string.ascii_lowercase[:3] + "01-._", min_size=1, max_size=64).filter(
    lambda text: text.strip("-._") == text
)
_reporting = st.builds(
    Reporting,
    _name,
    _name,
    st.sampled_from(["os", "ping", "http", "tcp", "postgresql", "ups"]),
    st.booleans(),
    st.sampled_from(["", "10.0.0.1", 'a"\\\x7f\n', "long " * 90]) | st.text(max_size=20),
)


@given(st.lists(_reporting, max_size=12, unique_by=lambda one: one.name))
def test_whatever_reports_makes_a_catalogue_that_is_accepted(checks: list[Reporting]) -> None:
    nodes = {one.node for one in checks} | {"a"}
    found = propose(checks, nodes, {})
    catalogue = parse(services_text(found, 'The "Office"', "UTC", "what there is"))
    named = [check for service in catalogue.services for check in service.checks()]
    assert len(named) == len(set(named))
    assert set(named) <= {one.name for one in checks} | {f"{node}/alive" for node in nodes}
