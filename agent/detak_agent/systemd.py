"""Tells systemd how the agent is, by datagrams to its socket, and asks it why to stop; without systemd neither."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

from detak_agent.leaving import why_stopping
from detak_wire.messages import StopReason

_PINGS_IN_TIME = 4
"""How often the watchdog hears of the agent within its time."""


class Notifier:
    """sd_notify(3). A lost message is not worth an error: systemd's own time-outs speak for it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_ms = _watchdog_ms(environment)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self, monotonic_ns: int) -> None:
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_ns // 1_000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def failed(self, status: str) -> None:
        """Why the agent ends; `systemctl status` often shows no line of the journal of a service that has ended."""
        self._send(f"STATUS={status}")

    async def keep_alive(self) -> None:
        """Ping the watchdog for as long as the event loop goes round; a process that is frozen falls silent.

        The disk has no part in it. An agent that waits for one goes on measuring, and has everything in memory; ended
        for that it would lose it, and the next one would wait for the same disk.
        """
        while self._address and self.watchdog_ms is not None:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_ms / _PINGS_IN_TIME / 1_000)

    async def why_stopping(self) -> StopReason:
        """Whether the machine goes down, or only the agent is stopped."""
        return await why_stopping() if self._address else "stop"

    def _send(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            ) as sender:
                sender.sendto(text.encode(), self._address)
        except OSError:
            return


def _watchdog_ms(environment: Mapping[str, str]) -> int | None:
    microseconds = environment.get("WATCHDOG_USEC", "")
    for_us = environment.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
    return int(microseconds) // 1_000 or None if microseconds.isdigit() and for_us else None
