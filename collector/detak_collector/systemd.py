"""Tells systemd how the collector fares; without systemd it does nothing. See sd_notify(3)."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """One assignment such as `READY=1`, to the service manager if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(state.encode(), address)
