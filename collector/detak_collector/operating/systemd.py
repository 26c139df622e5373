"""Tells systemd how the collector fares; without systemd it does nothing. See sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time


def notify(state: str) -> None:
    """Assignments such as `READY=1`, one a line, to the service manager if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(state.encode(), address)


def reloading() -> None:
    """That a reload has begun, with the moment that `Type=notify-reload` asks for; READY=1 ends it."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000}")
