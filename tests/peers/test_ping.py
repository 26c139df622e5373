"""The check kind `ping` against the kernel's own answers: on loopback, and past a router between two namespaces."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterator

import pytest

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of
from conftest import program_path
from detak_agent.checks.base import Outcome
from peers.ping_network import (
    BLACK_HOLE,
    BLACK_HOLE_6,
    NO_ROUTE,
    ROUTER,
    ROUTER_6,
    UNREACHABLE,
    UNREACHABLE_6,
    Network,
    network,
)

pytestmark = pytest.mark.peers("ip", "setpriv")


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network(program_path("ip"), program_path("setpriv")) as laid:
        yield laid


@pytest.fixture(params=["with CAP_NET_RAW", "with the sysctl alone"])
def ping(net: Network, request: pytest.FixtureRequest) -> Iterator[Callable[..., Outcome]]:
    """Both ways of sending must say the same."""
    if request.param == "with CAP_NET_RAW":
        yield net.ping
        return
    net.let_groups_ping(0, 65_535)
    yield net.ping_without_rights
    net.let_groups_ping(1, 0)


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_this_machine_answers(host: str) -> None:
    outcome = await ask("ping", host=host, gap_ms=10)
    assert outcome.state == "up"
    assert re.fullmatch(r"3 of 3 replies, \d+\.\d\d ms on average", outcome.message)
    assert outcome.values["loss_percent"] == 0
    assert 0 < outcome.values["rtt_ms"] < 1_000


@pytest.mark.asyncio
async def test_a_name_is_asked_at_the_address_of_the_wanted_version() -> None:
    assert (await ask("ping", host="localhost", ip_version=4, count=1)).state == "up"
    with pytest.raises(OSError, match=r"the name 127\.0\.0\.1 has no IPv6 address"):
        await ask("ping", host="127.0.0.1", ip_version=6)


@pytest.mark.parametrize("host", [ROUTER, ROUTER_6])
def test_a_router_answers(ping: Callable[..., Outcome], host: str) -> None:
    outcome = ping(host, gap_ms=10)
    assert (outcome.state, outcome.message[:15]) == ("up", "3 of 3 replies,")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (UNREACHABLE, f"host unreachable, says {ROUTER}"),
        (UNREACHABLE_6, f"network unreachable, says {ROUTER_6}"),
        (NO_ROUTE, "network unreachable"),
    ],
)
def test_what_a_router_or_a_route_says_is_told_at_once(ping: Callable[..., Outcome], host: str, words: str) -> None:
    begin = time.monotonic()
    outcome = ping(host, 8_000, count=2, gap_ms=10)
    assert (outcome.state, outcome.message) == ("down", f"no reply from {host}: {words}")
    assert time.monotonic() - begin < 4


@pytest.mark.parametrize("host", [BLACK_HOLE, BLACK_HOLE_6])
def test_an_address_that_swallows_everything_is_down_at_the_deadline(ping: Callable[..., Outcome], host: str) -> None:
    outcome = ping(host, 500, gap_ms=10)
    assert (outcome.state, outcome.message) == ("down", f"no reply from {host} within 500 ms (3 packets sent)")
    assert outcome.values == {"loss_percent": 100.0}


@pytest.mark.parametrize("host", [ROUTER, ROUTER_6])
def test_without_the_right_it_is_unknown_and_says_which(net: Network, host: str) -> None:
    outcome = net.ping_without_rights(host)
    assert outcome.state == "unknown"
    assert "sysctl net.ipv4.ping_group_range" in outcome.message
    assert "CAP_NET_RAW" in outcome.message


@pytest.mark.asyncio
async def test_pings_at_the_same_time_do_not_take_each_others_replies() -> None:
    probes = [probe_of("ping", host=host, count=5, gap_ms=10) for host in ("127.0.0.1", "::1") * 10]
    outcomes = await asyncio.gather(*(probe.sample(4_000) for probe in probes))
    assert {outcome.message[:7] for outcome in outcomes} == {"5 of 5 "}


@pytest.mark.asyncio
async def test_many_samples_and_given_up_ones_leave_no_file_open() -> None:
    probe = probe_of("ping", host="127.0.0.1", count=2, gap_ms=10)
    assert (await probe.sample(4_000)).state == "up"
    before = open_files_at_first()
    for _ in range(50):
        asked = asyncio.ensure_future(probe.sample(4_000))
        await asyncio.sleep(0.001)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asked
        assert (await probe.sample(4_000)).state == "up"
    assert open_files() == before
