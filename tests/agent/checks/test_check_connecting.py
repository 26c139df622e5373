import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import serve
from agent.checks.database_stand_ins import silent
from detak_agent.checks.addresses import Lookup
from detak_agent.checks.connecting import Caller, leads_elsewhere


def caller(port: int, *hosts: str) -> Caller:
    """Calls a name that leads to these addresses."""

    def resolve(_host: str, port: int, **_keys: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port)) for host in hosts]

    made = Caller("db.example", port)
    made._lookup = Lookup(resolve)
    return made


@contextlib.contextmanager
def black_hole(host: str, port: int) -> Iterator[None]:
    """A port that takes no more connections and refuses none."""
    with contextlib.ExitStack() as held:
        full = held.enter_context(socket.socket())
        full.bind((host, port))
        full.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield


@pytest.mark.asyncio
async def test_an_address_that_is_silent_leaves_time_for_the_next_one() -> None:
    async with serve(silent) as port:
        with black_hole("127.0.0.2", port):
            called = caller(port, "127.0.0.2", "127.0.0.1")
            begin = time.monotonic()
            connected = await called.connected(begin + 0.4)
            took_s = time.monotonic() - begin
        with connected:
            assert connected.getpeername() == ("127.0.0.1", port)
        # One half of the time for each.
        assert 0.1 < took_s < 0.35
        assert called.where == f"db.example (127.0.0.1:{port})"
        assert called.waiting_for == f"{called.where} took the connection, but did not answer"


@pytest.mark.asyncio
async def test_an_address_that_refuses_is_passed_over_and_the_last_one_speaks_for_all() -> None:
    async with serve(silent) as port:
        (await caller(port, "127.0.0.3", "127.0.0.1").connected(time.monotonic() + 1)).close()
    with pytest.raises(ConnectionRefusedError, match=rf"refused by db\.example \(127\.0\.0\.3:{port}\)"):
        await caller(port, "127.0.0.1", "127.0.0.3").connected(time.monotonic() + 1)


@pytest.mark.asyncio
async def test_a_local_socket_is_reached_and_its_absence_named(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with pytest.raises(FileNotFoundError, match=r"cannot talk to /.*/socket: No such file or directory"):
        await Caller(path, 1).connected(time.monotonic() + 1)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        (await Caller(path, 1).connected(time.monotonic() + 1)).close()
    with pytest.raises(ConnectionRefusedError, match=f"refused by {path}"):
        await Caller(path, 1).connected(time.monotonic() + 1)


@pytest.mark.asyncio
async def test_a_connection_that_is_given_up_is_closed(recwarn: pytest.WarningsRecorder) -> None:
    async with serve(silent) as port:
        with black_hole("127.0.0.2", port), pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(caller(port, "127.0.0.2").connected(time.monotonic() + 0.1), 0.1)
    assert not [str(warning.message) for warning in recwarn if issubclass(warning.category, ResourceWarning)]


def test_what_is_remote_follows_the_address_unless_the_settings_say_so() -> None:
    assert not leads_elsewhere("/run/socket", None)
    assert not leads_elsewhere("localhost", None)
    assert leads_elsewhere("192.0.2.1", None)
    assert leads_elsewhere("/run/socket", True)
