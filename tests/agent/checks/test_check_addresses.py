import asyncio
import errno
import socket
import threading

import pytest

from detak_agent.checks.addresses import Address, Lookup, endpoint, is_remote, met


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.9.9.9", socket.gethostname()]
)
def test_this_machine_is_local(host: str) -> None:
    assert not is_remote(host)


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "db.example", "example.localhost.example"])
def test_another_machine_is_remote(host: str) -> None:
    assert is_remote(host)


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    assert endpoint("::1", 80) == "[::1]:80"
    assert str(Address(socket.AF_INET, "10.0.0.5", 5432)) == "10.0.0.5:5432"


@pytest.mark.asyncio
async def test_a_numeric_address_is_never_looked_up() -> None:
    def forbidden(
        *_what: object, **_how: object
    ) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str]]]:
        raise AssertionError

    assert await Lookup(forbidden).addresses("10.0.0.5", 80) == [Address(socket.AF_INET, "10.0.0.5", 80)]


@pytest.mark.asyncio
async def test_a_name_that_does_not_exist_is_said_so() -> None:
    with pytest.raises(OSError, match=r"the name nowhere\.invalid does not resolve"):
        await Lookup().addresses("nowhere.invalid", 80)


@pytest.mark.asyncio
async def test_a_lookup_that_hangs_is_joined_and_not_doubled() -> None:
    release, calls = threading.Event(), []

    def slow(
        host: str, port: int, **_how: object
    ) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
        calls.append(host)
        release.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.9", port))]

    lookup = Lookup(slow)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(lookup.addresses("db.example", 1), 0.03)
    second = asyncio.ensure_future(lookup.addresses("db.example", 1))
    await asyncio.sleep(0)
    release.set()
    assert await second == [Address(socket.AF_INET, "10.0.0.9", 1)]
    assert calls == ["db.example"]


def test_an_error_keeps_its_number_and_says_where() -> None:
    told = met(ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "10.0.0.5:5432")
    assert isinstance(told, ConnectionRefusedError)
    assert told.strerror == "connection refused by 10.0.0.5:5432"
    assert met(OSError(errno.EMFILE, "x"), "h:1").strerror == "cannot talk to h:1: Too many open files"
