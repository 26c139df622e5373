"""Asks systemd on the system bus. It imports dbus-fast: only the kind `systemd` loads it, when it must.

One connection is kept: a sample costs the agent 0.2 ms, a new connection 0.6 ms (and the bus daemon a look-up of the
agent's groups), running systemctl 3.5 ms. Nothing is lost by it, since whoever uses a service needs no bus.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from dbus_fast import AuthError, InvalidMessageError, Message, MessageType
from dbus_fast.aio import MessageBus

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.systemd.kind import SystemdSettings, full_name
from detak_agent.checks.kinds.systemd.units import Ending, Unit, Units, judge

SOCKET = "run/dbus/system_bus_socket"
_SYSTEMD = "org.freedesktop.systemd1"
_NOT_THERE = frozenset({"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"})
_NOT_STARTED = "org.freedesktop.DBus.Error.Spawn."
_UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"

_BROKEN = (EOFError, InvalidMessageError)
"""The connection ended, or what came is no D-Bus."""

P = TypeVar("P", str, bytes, int, bool)


class _LostError(Exception):
    """The connection ended before the answer came."""


class SystemBus:
    """A connection to the system bus, made when it is needed and closed with its owner."""

    def __init__(self, root: Path) -> None:
        self._path = root / SOCKET
        self._bus: MessageBus | None = None
        self._closing: weakref.finalize[Any, Any] | None = None
        self._attended: asyncio.Future[None] | None = None

    @property
    def connected(self) -> bool:
        return self._bus is not None and self._bus.connected

    async def connect(self) -> None:
        """Raises CouldNotCheckError where there is no bus."""
        self.close()
        bus = MessageBus(bus_address=f"unix:path={quote(str(self._path))}")
        try:
            self._bus = await bus.connect()
        except OSError as error:
            why = error.strerror or error
            raise CouldNotCheckError(
                f"no system bus at {self._path} ({why}): install and start dbus, by which systemd is asked"
            ) from None
        except (AuthError, *_BROKEN) as error:
            raise CouldNotCheckError(f"the system bus at {self._path} refused the agent: {error}") from None
        # The reader in the event loop would keep the connection alive when a reload drops the check.
        self._closing = weakref.finalize(self, bus.disconnect)
        self._closing.atexit = False
        # Nothing else would see its end: neither the error that it may have, nor that the event loop ends first.
        self._attended = asyncio.ensure_future(_attend(bus))

    def close(self) -> None:
        """Let go of the connection; what is under way on it is lost."""
        self._bus = None
        if self._closing is not None:
            self._closing()

    async def call(self, path: str, interface: str, member: str, signature: str, *arguments: object) -> Message:
        """The answer of systemd, which may be an error; _LostError if there is none."""
        if self._bus is None or not self._bus.connected:
            raise _LostError
        asked = Message(
            destination=_SYSTEMD,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(arguments),
        )
        try:
            answer: Message | None = await self._bus.call(asked)
        except (OSError, *_BROKEN):
            raise _LostError from None
        if answer is None:
            raise _LostError
        return answer


async def _attend(bus: MessageBus) -> None:
    try:
        with contextlib.suppress(OSError, *_BROKEN):
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
    finally:
        bus.disconnect()
        await _end_is_read()


async def _end_is_read() -> None:
    """Let the event loop look at the socket: the library closes it once its end is read."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


class SystemdClient:
    """Asks for all units at once, and for more only of those that do not simply run."""

    def __init__(self, settings: SystemdSettings, root: Path) -> None:
        self._settings = settings
        self._names = [full_name(unit) for unit in settings.units]
        self._units = Units(settings)
        self._bus = SystemBus(root)

    async def sample(self, deadline_ms: int) -> Outcome:
        try:
            return await asyncio.wait_for(self._measure(), patience_s(deadline_ms))
        except asyncio.TimeoutError:
            self._bus.close()
            raise CouldNotCheckError(f"systemd did not answer on the system bus within {deadline_ms} ms") from None
        except _LostError:
            raise CouldNotCheckError("the system bus closed the connection before systemd answered") from None
        except BaseException:
            self._bus.close()
            raise

    async def _measure(self) -> Outcome:
        # The bus may have ended since the last sample, also without the loop having had the time to see it.
        await _end_is_read()
        if not self._bus.connected:
            await self._bus.connect()
        units = await self._all(self._names)
        return judge([self._units.find(unit) for unit in units], self._settings.at_least)

    async def _all(self, names: list[str]) -> list[Unit]:
        answer = await self._bus.call(
            "/org/freedesktop/systemd1", f"{_SYSTEMD}.Manager", "ListUnitsByNames", "as", names
        )
        if answer.message_type is MessageType.ERROR:
            raise CouldNotCheckError(_refused(answer))
        return list(await asyncio.gather(*(self._whole(fields) for fields in answer.body[0])))

    async def _whole(self, fields: list[Any]) -> Unit:
        name, _, load, active, sub, _, path, *_ = fields
        kind = name.rpartition(".")[2].capitalize()
        bare = Unit(name, load, active, sub)
        if not bare.runs:
            ending = await self._ending(path, kind)
            return Unit(name, load, active, sub, await self._invocation(path) if not ending.job else "", ending)
        if kind == "Timer":
            return Unit(name, load, active, sub, triggers=await self._triggered(path))
        return Unit(name, load, active, sub, await self._invocation(path))

    async def _triggered(self, path: str) -> Unit | None:
        name = await self._property(path, "Timer", "Unit", "")
        return (await self._all([name]))[0] if name else None

    async def _invocation(self, path: str) -> str:
        return bytes(await self._property(path, "Unit", "InvocationID", b"")).hex()

    async def _ending(self, path: str, kind: str) -> Ending:
        result = await self._property(path, kind, "Result", "")
        if kind != "Service":
            return Ending(result)
        code, status, restarts, type_, remains = await asyncio.gather(
            self._property(path, kind, "ExecMainCode", 0),
            self._property(path, kind, "ExecMainStatus", 0),
            self._property(path, kind, "NRestarts", 0),
            self._property(path, kind, "Type", ""),
            self._property(path, kind, "RemainAfterExit", default=False),
        )
        return Ending(result, code, status, restarts, job=type_ == "oneshot" and not remains)

    async def _property(self, path: str, kind: str, name: str, default: P) -> P:
        """A property, or `default` where this unit or this version of systemd has none."""
        answer = await self._bus.call(path, "org.freedesktop.DBus.Properties", "Get", "ss", f"{_SYSTEMD}.{kind}", name)
        value = None if answer.message_type is MessageType.ERROR else answer.body[0].value
        return value if isinstance(value, type(default)) else default


def _refused(answer: Message) -> str:
    words = answer.body[0] if answer.body else answer.error_name
    # Where another init runs, the bus tries to start systemd itself.
    if answer.error_name in _NOT_THERE or str(answer.error_name).startswith(_NOT_STARTED):
        return "systemd is not on the system bus: was this machine booted with another init?"
    if answer.error_name == _UNKNOWN_METHOD:
        return f"this systemd is too old, version 230 or newer is needed: {words}"
    return f"systemd does not tell the agent of its units: {words}"
