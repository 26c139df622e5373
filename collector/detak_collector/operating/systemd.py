"""Tells systemd how the collector fares; without systemd it does nothing. See sd_notify(3)."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress

_PINGS_IN_TIME = 4
"""How often the watchdog hears of the collector within its time."""


def notify(state: str) -> None:
    """Assignments such as `READY=1`, one a line, to the service manager if there is one. A lost one is no error."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, suppress(OSError):
        channel.sendto(state.encode(), address)


def reloading() -> None:
    """That a reload has begun, with the moment that `Type=notify-reload` asks for; READY=1 ends it."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000}")


async def keep_alive() -> None:
    """Pings the watchdog, if one was set, for as long as the event loop goes round. It never ends.

    The disk has no part in it: `/readyz` tells of one that does not answer, and a collector that was ended for that
    would have to begin on the same disk.
    """
    microseconds = int(os.environ.get("WATCHDOG_USEC") or 0)
    while microseconds:
        notify("WATCHDOG=1")
        await asyncio.sleep(microseconds / _PINGS_IN_TIME / 1_000_000)
    await asyncio.Event().wait()
