import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.haproxy_server import Haproxy, WebServer, running
from peers.server_process import until

pytestmark = pytest.mark.peers("haproxy", "openssl")


@pytest.fixture(scope="module")
def proxy() -> Iterator[Haproxy]:
    with running() as one:
        yield one


@pytest.fixture(params=["socket", "page", "secure_page"])
def keys(request: pytest.FixtureRequest, proxy: Haproxy) -> dict[str, Any]:
    """Each way to its statistics."""
    ways = {"socket": proxy.socket, "page": proxy.page, "secure_page": proxy.secure_page}
    return ways[request.param]


async def sample(keys: dict[str, Any], **more: Any) -> Outcome:
    return await ask("haproxy", **{**keys, **more})


async def refused(keys: dict[str, Any], **more: Any) -> str:
    with pytest.raises(CouldNotCheckError) as caught:
        await sample(keys, **more)
    return str(caught.value)


def settled(proxy: Haproxy, server: str, status: str) -> None:
    until(lambda: proxy.status_of(server) == status, lambda: f"{server} is {proxy.status_of(server)}, not {status}")


def refused_by(proxy: Haproxy, server: str) -> None:
    """The first check that fails may have met the server while it was closing."""
    until(lambda: proxy.told(server, "check_status") == "L4CON", lambda: proxy.says("show stat"))


@contextlib.contextmanager
def down(proxy: Haproxy, *servers: WebServer) -> Iterator[None]:
    names = ["one" if server is proxy.one else "two" for server in servers]
    for server in servers:
        server.stop()
    try:
        for name in names:
            refused_by(proxy, name)
        yield
    finally:
        for server, name in zip(servers, names, strict=True):
            server.start()
            settled(proxy, name, "UP")


@pytest.mark.asyncio
async def test_a_backend_whose_servers_answer_is_up(keys: dict[str, Any]) -> None:
    outcome = await sample(keys, backend="app", at_least=2)
    assert (outcome.state, outcome.message) == ("up", "2 of 2 servers up, 0 of 2 sessions")
    assert outcome.values == {"sessions": 0, "sessions_percent": 0, "queued": 0, "servers_up": 2}
    assert outcome.marks.keys() == {"times_down", "process" if "socket" in keys else "unchanged_since"}


@pytest.mark.asyncio
async def test_a_backend_with_a_server_down_is_degraded_or_down_as_at_least_says(
    proxy: Haproxy, keys: dict[str, Any]
) -> None:
    with down(proxy, proxy.two):
        degraded = await sample(keys, backend="app", at_least=1)
        short = await sample(keys, backend="app", at_least=2)
        server = await sample(keys, backend="app", server="two")
        other = await sample(keys, backend="app", server="one")
    words = "two DOWN (Layer4 connection problem: Connection refused)"
    assert (degraded.state, degraded.message) == ("degraded", f"only 1 of 2 servers up: {words}")
    assert (short.state, short.message) == ("down", f"only 1 of 2 servers up, at least 2 wanted: {words}")
    assert (server.state, server.message) == ("down", f"server {words}")
    assert other.state == "up"


@pytest.mark.asyncio
async def test_a_backend_without_a_server_is_down(proxy: Haproxy, keys: dict[str, Any]) -> None:
    with down(proxy, proxy.one, proxy.two):
        outcome = await sample(keys, backend="app")
        frontend = await sample(keys, frontend="web")
    assert outcome.state == "down"
    assert outcome.message.startswith("backend app DOWN, 0 of 2 servers up: one DOWN (Layer4 connection problem")
    assert frontend.state == "up"


@pytest.mark.asyncio
async def test_a_server_that_answers_its_health_check_with_an_error_is_shown_with_it(proxy: Haproxy) -> None:
    proxy.one.status = 503
    try:
        settled(proxy, "one", "DOWN")
        outcome = await sample(proxy.socket, backend="app", server="one")
    finally:
        proxy.one.status = 200
        settled(proxy, "one", "UP")
    assert outcome.message == "server one DOWN (Layer7 wrong status 503: Service Unavailable)"


@pytest.mark.asyncio
async def test_what_a_person_took_out_leaves_a_backend_up_but_not_the_server(proxy: Haproxy) -> None:
    proxy.says("set server app/two state maint")
    try:
        settled(proxy, "two", "MAINT")
        backend = await sample(proxy.socket, backend="app")
        server = await sample(proxy.socket, backend="app", server="two")
        proxy.says("set server app/two state drain")
        draining = await sample(proxy.socket, backend="app", server="two")
    finally:
        proxy.says("set server app/two state ready")
        settled(proxy, "two", "UP")
    assert (backend.state, backend.message) == ("up", "1 of 2 servers up: two MAINT, 0 of 1 sessions")
    assert (server.state, server.message) == ("down", "server two MAINT: a person took it out")
    assert (draining.state, draining.message) == ("degraded", "server two DRAIN: it gets no new users")


@pytest.mark.asyncio
async def test_servers_that_haproxy_does_not_check_are_taken_as_up(keys: dict[str, Any]) -> None:
    outcome = await sample(keys, backend="unchecked", at_least=1)
    assert (outcome.state, outcome.message) == ("up", "1 of 1 servers up, 0 sessions")


@contextlib.contextmanager
def waiting(proxy: Haproxy, count: int) -> Iterator[None]:
    """So many requests that are not answered until the end."""
    proxy.one.go.clear()
    proxy.two.go.clear()
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.ports["web"])))
            connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: proxy.told("BACKEND", "qcur") == str(count - 2), lambda: proxy.says("show stat"))
        yield
        proxy.one.go.set()
        proxy.two.go.set()


@pytest.mark.asyncio
async def test_a_busy_backend_and_a_full_frontend_are_degraded_and_can_be_down(proxy: Haproxy) -> None:
    with waiting(proxy, 4):
        busy = await sample(proxy.socket, backend="app", queue_degraded=1)
        queued = await sample(proxy.socket, backend="app", queue_down=2)
        full = await sample(proxy.socket, frontend="web", sessions_down_percent=100)
    assert busy.state == "degraded"
    assert "100.0 % of the sessions in use, 2 of 2 (limit 90 %)" in busy.message
    assert "2.0 requests wait for a server (limit 1)" in busy.message
    assert (queued.state, queued.values["queued"]) == ("down", 2)
    assert full.state == "down"
    assert full.message.startswith("100.0 % of the sessions in use, 4 of 4 (limit 100 %)")


@pytest.mark.asyncio
async def test_what_haproxy_does_not_have_is_unknown_and_the_rest_is_named(keys: dict[str, Any]) -> None:
    assert await refused(keys, backend="ap") == "HAProxy has no backend 'ap'; it has app, unchecked, statistics"
    assert await refused(keys, frontend="app") == "HAProxy has no frontend 'app'; it has web, statistics"
    assert await refused(keys, backend="app", server="x") == "backend app has no server 'x'; it has one, two"


@pytest.mark.asyncio
async def test_a_page_that_refuses_or_is_elsewhere_is_unknown(proxy: Haproxy) -> None:
    where, page = f"127.0.0.1:{proxy.ports['statistics']}", {**proxy.page, "backend": "app"}
    assert await refused({**page, "password": "x"}) == f"{where} refuses user 'detak': is the password right?"
    assert await refused({**page, "user": "", "password": ""}) == f"{where} wants a user and a password"
    elsewhere = page["url"].replace("/stats", "/elsewhere")
    assert "is this path the one of its line `stats uri`?" in await refused({**page, "url": elsewhere})


@pytest.mark.asyncio
async def test_a_page_over_tls_must_be_trusted_unless_told_otherwise(proxy: Haproxy) -> None:
    page = {**proxy.secure_page, "backend": "app"}
    assert "from an authority that this node does not know" in await refused({**page, "ca_file": ""})
    assert (await sample({**page, "ca_file": "", "verify_tls": False})).state == "up"


@pytest.mark.asyncio
async def test_a_frozen_haproxy_is_down(proxy: Haproxy, keys: dict[str, Any]) -> None:
    probe = probe_of("haproxy", **keys, backend="app")
    await probe.sample(4_000)
    with proxy.server.frozen():
        outcome = await probe.sample(300)
    where = keys.get("socket") or keys["url"].removeprefix("http://").removeprefix("https://").removesuffix("/stats")
    assert (outcome.state, outcome.message) == (
        "down", f"{where} took the connection, but did not answer within 300 ms",
    )  # fmt: skip


@pytest.mark.asyncio
async def test_a_haproxy_that_was_stopped_refuses_and_one_that_comes_back_has_other_marks(proxy: Haproxy) -> None:
    for keys in (proxy.socket, proxy.page, proxy.secure_page):
        probe = probe_of("haproxy", **keys, backend="app")
        before = (await probe.sample(4_000)).marks
        await asyncio.sleep(1.1)
        assert (await probe.sample(4_000)).marks == before
        # What runs for less than three seconds can hardly be told from what was started anew.
        await asyncio.sleep(4)
        await probe.sample(4_000)
        proxy.server.stop()
        with pytest.raises(OSError, match="connection refused by"):
            await probe.sample(4_000)
        proxy.server.start()
        assert (await probe.sample(4_000)).marks != before


@pytest.mark.asyncio
async def test_a_backend_that_was_down_between_two_samples_has_another_mark(
    proxy: Haproxy, keys: dict[str, Any]
) -> None:
    probe = probe_of("haproxy", **keys, backend="app")
    before = (await probe.sample(4_000)).marks
    with down(proxy, proxy.one, proxy.two):
        pass
    after = (await probe.sample(4_000)).marks
    assert int(after["times_down"]) == int(before["times_down"]) + 1


@pytest.mark.asyncio
async def test_samples_leave_no_descriptors_open(keys: dict[str, Any]) -> None:
    probe = probe_of("haproxy", **keys, backend="app")
    await probe.sample(4_000)
    before = open_files_at_first()
    for _ in range(50):
        await probe.sample(4_000)
    await asyncio.sleep(0.05)
    # The web servers behind the proxy run in this process, and have a connection open now and then.
    assert open_files() < before + 10
