"""What one sample asks a device, and how an interface is found by its name. It judges nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping

from detak_agent.checks.kinds.snmp.ber import Value
from detak_agent.checks.kinds.snmp.health import (
    BOOTS,
    IF_COLUMNS,
    IF_DESCR,
    IF_NAME,
    UPTIME,
    UPTIME_WRAPS_S,
    Facts,
    Interface,
    interface_of,
    text_of,
)
from detak_agent.checks.kinds.snmp.kind import SnmpSettings
from detak_agent.checks.kinds.snmp.session import RefusedError, Session
from detak_agent.checks.uptimes import UptimeMark

_SHOWN_NAMES = 12


class Reader:
    """Keeps the index of the interface, which spares reading the table of names, and the start of the device."""

    def __init__(self, settings: SnmpSettings) -> None:
        self._settings = settings
        self._start = UptimeMark(UPTIME_WRAPS_S)
        self._index = settings.interface if isinstance(settings.interface, int) else None
        self._was_there = False

    async def facts(self, session: Session) -> Facts:
        """One sample; RefusedError where the device does not say what the settings ask for."""
        begin = time.monotonic()
        oids = [UPTIME, BOOTS, *(wanted.oid for wanted in self._settings.values), *_of_interface(self._index)]
        values = await session.get(oids)
        interface = await self._interface(session, values)
        uptime, boots = values[UPTIME], values[BOOTS]
        uptime_s = uptime / 100 if isinstance(uptime, int) else None
        return Facts(
            uptime_s=uptime_s,
            started="" if uptime_s is None else self._started(uptime_s),
            boots=boots if isinstance(boots, int) else None,
            latency_ms=(time.monotonic() - begin) * 1_000,
            interface=interface,
            missing=self._gone() if self._settings.interface is not None and interface is None else "",
            values=values,
        )

    async def _interface(self, session: Session, values: Mapping[str, Value]) -> Interface | None:
        interface = None if self._index is None else interface_of(self._index, values)
        name = self._settings.interface
        if isinstance(name, str) and (interface is None or name not in interface.names):
            self._index = await self._index_of(session, name)
            interface = None
            if self._index is not None:
                interface = interface_of(self._index, await session.get(_of_interface(self._index)))
        self._was_there = self._was_there or interface is not None
        return interface

    async def _index_of(self, session: Session, name: str) -> int | None:
        """The index of the interface of this name, which a device may give anew when it starts."""
        shown: list[str] = []
        for column in (IF_NAME, IF_DESCR):
            names = {index: text_of(value) for index, value in (await session.column(column)).items()}
            for index, one in names.items():
                if one == name:
                    return index
            shown = shown or list(names.values())
        if self._was_there:
            return None
        if not shown:
            raise RefusedError("shows no interfaces: may this user or community read IF-MIB?")
        more = ", …" if len(shown) > _SHOWN_NAMES else ""
        raise RefusedError(f"has no interface {name!r}; it has {', '.join(shown[:_SHOWN_NAMES])}{more}")

    def _gone(self) -> str:
        name = self._settings.interface
        if not self._was_there:
            raise RefusedError(f"has no interface with index {name}, or does not let it be read")
        return f"interface {name} is gone: the device does not list it any more"

    def _started(self, uptime_s: float) -> str:
        return self._start.of(uptime_s, time.clock_gettime(time.CLOCK_BOOTTIME), time.time())


def _of_interface(index: int | None) -> list[str]:
    return [] if index is None else [f"{column}.{index}" for column in IF_COLUMNS]
