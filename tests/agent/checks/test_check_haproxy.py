import asyncio
import contextlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import Certificates, Handler, ask, problems_of, serve, settings_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.haproxy import client as haproxy_client
from detak_agent.checks.kinds.haproxy.health import Answer, judge
from detak_agent.checks.kinds.haproxy.kind import HaproxySettings
from detak_agent.checks.kinds.haproxy.stats import NotStatisticsError, Process, Row, process_of, rows_of
from detak_agent.checks.registry import REGISTRY

COLUMNS = "# pxname,svname,qcur,scur,slim,status,chkdown,lastchg,check_status,check_code,last_chk,check_desc,\n"
APP = (
    COLUMNS + "app,one,0,3,10,UP,1,60,L7OK,200,,Layer7 check passed,\n"
    'app,two,2,0,10,DOWN,4,9,L7STS,503,"busy, ""really""",Layer7 wrong status,\n'
    "app,BACKEND,1,3,20,UP,0,60,,,,,\n"
)
INFO = "Name: HAProxy\nPid: 77\nUptime_sec: 60\nStart_time_sec: 1700000000\nStopping: 0\nCurrConns: 9\nMaxconn: 100\n"
BY_SOCKET = {"socket": "/run/haproxy/stats.sock"}


def answering(body: bytes, status: str = "200 OK") -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    return handle


def by_page(port: int, scheme: str = "http", host: str = "127.0.0.1") -> dict[str, Any]:
    return {"url": f"{scheme}://{host}:{port}/stats", "backend": "app"}


def test_statistics_are_read_with_what_the_health_checks_met() -> None:
    one, two, backend = rows_of(APP)
    assert one == Row("app", "one", "UP", 3, 10, 0, 1, 60, "Layer7 check passed 200")
    assert two.shown == 'two DOWN (Layer7 wrong status 503: busy, "really")'
    assert (backend.name, backend.queued, backend.times_down) == ("BACKEND", 1, 0)


def test_statistics_of_a_release_with_fewer_columns_are_read() -> None:
    (row,) = rows_of("# pxname,svname,qcur,qmax,scur,status,check_status\napp,one,,,1,DOWN,L4CON\n")
    assert row == Row("app", "one", "DOWN", sessions=1, why="L4CON")


@given(st.text(max_size=200))
def test_what_are_no_statistics_is_refused(text: str) -> None:
    for told in (text, COLUMNS + text + ",x,y\n"):
        try:
            rows_of(told)
        except NotStatisticsError:
            continue
        assert told.startswith("# pxname,")


def test_the_process_is_read_also_where_it_does_not_tell_its_start() -> None:
    assert process_of(INFO) == Process(77, 60, 1_700_000_000, False, 9, 100)
    assert process_of(INFO.replace("Start_time_sec: 1700000000\n", "")).started_s is None
    with pytest.raises(NotStatisticsError):
        process_of("Permission denied\n")


def settings(**keys: Any) -> HaproxySettings:
    made = settings_of("haproxy", **{**BY_SOCKET, "backend": "app", **keys})
    assert isinstance(made, HaproxySettings)
    return made


def backend(*servers: str, status: str = "UP", limit: int | None = 10, queued: int = 0) -> Answer:
    rows = [Row("app", f"s{number}", state, 2, limit) for number, state in enumerate(servers, 1)]
    return Answer(Row("app", "BACKEND", status, 5, 7, queued), rows)


def judged(answer: Answer, **keys: Any) -> Outcome:
    return judge(answer, settings(**keys), {})


@pytest.mark.parametrize("state", ["UP", "UP 1/3", "no check"])
def test_servers_in_these_states_take_requests(state: str) -> None:
    assert judged(backend(state, state), at_least=2).message == "2 of 2 servers up, 4 of 20 sessions"


@pytest.mark.parametrize(("state", "found"), [("DOWN 1/2", "degraded"), ("NOLB", "degraded"), ("MAINT", "up"),
                                              ("DRAIN", "up"), ("MAINT (via a/b)", "up")])  # fmt: skip
def test_servers_in_these_states_do_not_and_those_that_a_person_set_aside_are_no_fault(state: str, found: str) -> None:
    outcome = judged(backend("UP", state))
    assert (outcome.state, outcome.values["servers_up"]) == (found, 1)
    assert f"1 of 2 servers up: s2 {state}" in outcome.message


def test_a_backend_is_down_when_haproxy_says_so_and_the_faulty_servers_are_named_first() -> None:
    outcome = judged(backend("MAINT", *["DOWN"] * 7, status="DOWN"))
    assert outcome.state == "down"
    assert outcome.message == (
        "backend app DOWN, 0 of 8 servers up: s2 DOWN, s3 DOWN, s4 DOWN, s5 DOWN, s6 DOWN, s7 DOWN, 2 more"
    )


def test_a_share_of_sessions_needs_a_limit_on_every_server_that_is_up() -> None:
    full = backend("UP", "DOWN", limit=2)
    assert judged(full).message.endswith("100.0 % of the sessions in use, 2 of 2 (limit 90 %)")
    assert "sessions_percent" not in judged(backend("UP", limit=None)).values
    assert judged(full, sessions_degraded_percent=None).message == "only 1 of 2 servers up: s2 DOWN"


def test_a_queue_has_limits() -> None:
    assert judged(backend("UP", queued=5)).state == "up"
    assert judged(backend("UP", queued=5), queue_degraded=5).state == "degraded"
    assert judged(backend("UP", queued=5), queue_down=5).message == "5.0 requests wait for a server (limit 5)"


@pytest.mark.parametrize(("status", "state"), [("OPEN", "up"), ("FULL", "degraded"), ("STOP", "down")])
def test_a_frontend_is_as_its_status_says(status: str, state: str) -> None:
    answer = Answer(Row("web", "FRONTEND", status, 1, 100))
    assert judge(answer, settings(backend="", frontend="web"), {}).state == state


def test_a_process_that_stops_or_is_full_is_told() -> None:
    up = backend("UP")
    stopping = Answer(up.row, up.servers, Process(7, 60, 0, True, 1, 100))
    full = Answer(up.row, up.servers, Process(7, 60, 0, False, 95, 100))
    assert judged(stopping).message == "HAProxy is stopping, and takes no new connections"
    assert judged(full).message == "HAProxy holds 95.0 % of all the connections it may, 95 of 100 (limit 90 %)"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"<html>hello", "200 OK", "answers, but not with HAProxy's statistics"),
        (b"a" * 2_000, "200 OK", "answers, but not with HAProxy's statistics"),
        (b"", "302 Found", "answers with status 302: is this path the one of its line `stats uri`"),
        (b"", "401 Unauthorized", "wants a user and a password"),
        (COLUMNS.encode() + b"x" * 2_000, "200 OK", "sends more than 1000 bytes"),
    ],
)
async def test_a_page_that_is_something_else_is_unknown(
    monkeypatch: pytest.MonkeyPatch, body: bytes, status: str, words: str
) -> None:
    monkeypatch.setattr(haproxy_client, "MOST_BYTES", 1_000)
    async with serve(answering(body, status)) as port:
        with pytest.raises(CouldNotCheckError, match=words):
            await ask("haproxy", **by_page(port))


@pytest.mark.asyncio
async def test_a_server_that_does_not_speak_http_or_hangs_up_is_down() -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail\r\n\r\n")
        await writer.drain()

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with serve(other) as port, serve(close) as closing:
        with pytest.raises(OSError, match=f"127.0.0.1:{port} answered something that is not HTTP"):
            await ask("haproxy", **by_page(port))
        with pytest.raises(OSError, match=f"127.0.0.1:{closing} closed the connection without an answer"):
            await ask("haproxy", **by_page(closing))


@pytest.mark.asyncio
async def test_a_page_over_tls_must_be_trusted_unless_told_otherwise(certificates: Certificates) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    context: ssl.SSLContext = certificates.context("good")
    async with serve(answering(APP.encode()), tls=context) as port:
        keys = by_page(port, "https", "localhost")
        trusted = await ask("haproxy", **keys, ca_file=certificates.authority)
        unverified = await ask("haproxy", **keys, verify_tls=False)
        with pytest.raises(CouldNotCheckError, match="from an authority that this node does not know"):
            await ask("haproxy", **keys)
    assert trusted.state == unverified.state == "degraded"


@contextlib.contextmanager
def unprivileged(path: Path) -> Iterator[None]:
    """While nobody may use the file, not even the tests where they run as root."""
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.asyncio
async def test_a_socket_that_is_not_there_is_down_and_one_without_the_right_is_unknown(tmp_path: Path) -> None:
    path = str(tmp_path / "stats.sock")
    with pytest.raises(FileNotFoundError, match=f"there is no socket {path}: HAProxy does not run"):
        await ask("haproxy", socket=path, backend="app")

    async with await asyncio.start_unix_server(lambda _reader, _writer: None, path):
        with (
            unprivileged(Path(path)),
            pytest.raises(CouldNotCheckError, match=f"the agent may not talk to {path}: give"),
        ):
            await ask("haproxy", socket=path, backend="app")


@pytest.mark.asyncio
async def test_a_socket_that_closes_or_says_something_else_is_told(tmp_path: Path) -> None:
    said = b""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    path = str(tmp_path / "stats.sock")
    async with await asyncio.start_unix_server(handle, path):
        with pytest.raises(OSError, match="closed the connection without an answer"):
            await ask("haproxy", socket=path, backend="app")
        said = b"hello\n"
        with pytest.raises(CouldNotCheckError, match="answers, but not with HAProxy's statistics"):
            await ask("haproxy", socket=path, backend="app")
        said = INFO.encode() + b"\n" + APP.encode()
        outcome = await ask("haproxy", socket=path, backend="app")
    assert outcome.marks == {"times_down": "0", "process": "77:1700000000"}
    assert outcome.message == ('only 1 of 2 servers up: two DOWN (Layer7 wrong status 503: busy, "really")')


def test_a_target_says_what_is_looked_at_and_through_what() -> None:
    kind = REGISTRY["haproxy"]
    page = settings(socket="", url="https://lb.example:8404/stats", backend="app", server="one")
    assert kind.target(page) == "backend app/one by https://lb.example:8404/stats"
    assert kind.remote(page)
    assert kind.target(settings(backend="", frontend="web")) == "frontend web by /run/haproxy/stats.sock"
    assert not kind.remote(settings())


PAGE = {"url": "http://h:8404/stats", "backend": "app"}


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"backend": "app"}, ["socket"]),
        ({**BY_SOCKET, **PAGE}, ["socket"]),
        ({"socket": "run/x", "backend": "app"}, ["socket"]),
        ({**BY_SOCKET, "backend": "app", "user": "x"}, ["user"]),
        ({**PAGE, "url": "ftp://h/"}, ["url"]),
        ({**PAGE, "url": "http://u:p@h/"}, ["url"]),
        ({**PAGE, "url": "http://h/a b"}, ["url"]),
        ({**PAGE, "ca_file": "/x.pem"}, ["ca_file"]),
        ({**PAGE, "user": "x"}, ["user"]),
        (BY_SOCKET, ["backend"]),
        ({**BY_SOCKET, "backend": "a", "frontend": "b"}, ["backend"]),
        ({**BY_SOCKET, "backend": "a b"}, ["backend"]),
        ({**BY_SOCKET, "frontend": "a", "server": "b"}, ["server"]),
        ({**BY_SOCKET, "frontend": "a", "at_least": 2}, ["at_least"]),
        ({**BY_SOCKET, "frontend": "a", "queue_down": 2}, ["queue_down"]),
        ({**BY_SOCKET, "backend": "a", "queue_down": 2, "queue_degraded": 3}, ["queue_down"]),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], wrong: list[str]) -> None:
    assert [key for key, _ in problems_of("haproxy", **keys)] == wrong
