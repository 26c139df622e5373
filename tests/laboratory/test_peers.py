"""What other monitors are told, and how their samples and states become downtime."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.peers import folding, icinga_objects, zabbix_items
from lab.peers.icinga_objects import AgentHost
from lab.targets import Kind, Target
from lab.truth import Interval

PAGE = Target("page", "web1", "10.0.0.1", "http", 80, "http://10.0.0.1/", expected="welcome")
BRANCH_PAGE = Target(
    "branch", "web1", "10.0.0.1", "http", 80, "http://10.0.0.1/", branch="edge1", branch_address="10.0.9.1"
)
PROCESS = Target("worker", "web1", "10.0.0.1", "process", process="worker")

samples = st.lists(st.tuples(st.integers(0, 1_000), st.booleans()), unique_by=lambda one: one[0])
intervals = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)).map(lambda one: (one[0], sum(one))))


def test_an_outage_lasts_from_the_first_bad_sample_to_the_next_good_one() -> None:
    said = [(10, True), (20, False), (30, False), (40, True), (50, True)]

    assert folding.of_samples(said, 0, 100) == [(20, 40)]


def test_an_outage_is_cut_where_the_time_asked_for_begins_and_ends() -> None:
    said = [(10, False), (20, True), (90, False)]

    assert folding.of_samples(said, 15, 95) == [(15, 20), (90, 95)]
    assert folding.of_samples(said, 30, 80) == []


@given(samples)
def test_no_good_sample_lies_in_an_outage_and_every_bad_one_does(said: list[tuple[int, bool]]) -> None:
    down = folding.of_samples(said, 0, 1_001)

    assert all(any(since <= at < until for since, until in down) != well for at, well in said)


@given(intervals, intervals)
def test_what_two_have_in_common_lies_in_both_and_nothing_else_does(
    some: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    both = _moments(folding.common(folding.united(some), folding.united(others)))

    assert both == _moments(some) & _moments(others)


def test_a_service_of_two_targets_is_down_only_while_both_are() -> None:
    one, two = (Target("pair", host, "10.0.0.1", "tcp", 80) for host in ("a", "b"))

    assert folding.of_services([(one, [(0, 10)]), (two, [(5, 20)])]) == [Interval("pair", 5, 10)]
    assert folding.of_services([(one, []), (two, [(5, 20)])]) == []


def test_zabbix_judges_what_an_agent_sees_by_whether_the_agent_answers_as_well() -> None:
    assert zabbix_items.conditions(PROCESS) == [
        "last(/web1/proc.num[worker])=0",
        "last(/web1/zabbix[host,agent,available])=0",
    ]
    assert zabbix_items.conditions(PAGE) == ["last(/web1/web.test.fail[page])<>0"]


def test_zabbix_looks_at_a_branch_s_page_from_the_branch() -> None:
    assert zabbix_items.conditions(BRANCH_PAGE) == [
        'last(/edge1/web.page.perf["http://10.0.0.1/"])=0',
        "last(/edge1/zabbix[host,agent,available])=0",
    ]


def test_icinga_runs_a_check_on_the_host_only_where_it_must() -> None:
    hosts = [AgentHost("web1", "10.0.0.1", 5665), AgentHost("edge1", "10.0.9.1", 5665)]
    page, branch, worker = list(icinga_objects.looked_at([PAGE, BRANCH_PAGE, PROCESS], hosts, 5))[-3:]

    assert "command_endpoint" not in page
    assert 'command_endpoint = "edge1"' in branch
    assert 'command_endpoint = "web1"' in worker
    assert "check_interval = 5\n" in page


@pytest.mark.parametrize("kind", ["http", "tls", "tcp", "redis", "postgresql", "dns", "process", "filesystem", "host"])
def test_every_kind_of_target_is_looked_at(kind: Kind) -> None:
    target = Target("thing", "web1", "10.0.0.1", kind, 80, process="worker", path="/srv", user="detak")
    told = "".join(icinga_objects.looked_at([target], [AgentHost("web1", "10.0.0.1", None)], 5))

    assert zabbix_items.conditions(target)
    assert 'object Service "thing"' in told or kind == "host"


def _moments(times: list[tuple[int, int]]) -> set[int]:
    return {at for since, until in times for at in range(since, until)}
