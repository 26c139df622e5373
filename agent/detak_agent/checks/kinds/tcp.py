"""The check kind `tcp`: a port takes connections and, if asked to, says what it should."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from typing import Annotated

from msgspec import Meta

from detak_agent.checks.addresses import endpoint, is_remote, met
from detak_agent.checks.base import CheckSettings, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s

MOST_BYTES = 4_096
SHOWN_BYTES = 60


class TcpSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `tcp`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)]
    send: Annotated[str, Meta(max_length=1_000)] = ""
    expect: Annotated[str, Meta(max_length=500)] = ""
    remote: bool | None = None


def target(settings: TcpSettings) -> str:
    """What is connected to."""
    return endpoint(settings.host, settings.port)


def remote(settings: TcpSettings) -> bool:
    """As the settings say, else by the address."""
    return is_remote(settings.host) if settings.remote is None else settings.remote


def problems(settings: TcpSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = []
    if any(character.isspace() or character in "/[]" for character in settings.host):
        found.append(("host", "must be a host name or an address, without port, brackets or spaces"))
    try:
        re.compile(settings.expect.encode())
    except re.error as error:
        found.append(("expect", f"is no regular expression: {error}"))
    return found


class TcpProbe:
    """A fresh connection for each sample."""

    def __init__(self, settings: TcpSettings) -> None:
        self._settings = settings
        self._expect = re.compile(settings.expect.encode(), re.DOTALL) if settings.expect else None
        self._caller = Caller(settings.host, settings.port)

    async def sample(self, deadline_ms: int) -> Outcome:
        begin = time.monotonic()
        try:
            message = await asyncio.wait_for(self._converse(begin + patience_s(deadline_ms)), patience_s(deadline_ms))
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        if message:
            return Outcome("down", message)
        latency_ms = (time.monotonic() - begin) * 1_000
        return Outcome("up", f"answered in {latency_ms:.0f} ms", values={"latency_ms": latency_ms})

    async def _converse(self, until: float) -> str:
        """What is wrong, or nothing."""
        with await self._caller.connected(until) as connection:
            try:
                return await self._speak(connection)
            except OSError as error:
                raise met(error, self._caller.where) from error

    async def _speak(self, connection: socket.socket) -> str:
        loop, caller = asyncio.get_running_loop(), self._caller
        if self._settings.send:
            caller.waiting_for = f"{caller.where} took the connection but did not read what was sent"
            await loop.sock_sendall(connection, self._settings.send.encode())
        if self._expect is None:
            return ""
        caller.waiting_for = f"{caller.where} took the connection but sent nothing"
        heard = b""
        while len(heard) < MOST_BYTES:
            part = await loop.sock_recv(connection, MOST_BYTES - len(heard))
            heard += part
            if self._expect.search(heard):
                return ""
            if not part:
                return self._unexpected(heard, f"{caller.where} closed the connection")
            caller.waiting_for = self._unexpected(heard, f"{caller.where} did not go on")
        return self._unexpected(heard, f"{caller.where} sent {MOST_BYTES} bytes")

    def _unexpected(self, heard: bytes, what: str) -> str:
        said = heard[:SHOWN_BYTES].decode(errors="replace")
        return f"{what}, and not {self._settings.expect!r} but {said!r} came" if heard else f"{what} and sent nothing"


def build(settings: TcpSettings, _surroundings: Surroundings) -> TcpProbe:
    """The probe for these settings."""
    return TcpProbe(settings)


KIND = Kind(
    name="tcp",
    summary="A TCP port takes connections and, if asked to, sends what is expected",
    settings=TcpSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
