"""Tells a collector that its certificate is refused here: with the TLS alert of a handshake that fails.

asyncio closes a connection without the alert that says why. So it is said once more, on a connection of its own, where
the collector can count it: else all it sees is that its nodes fell silent.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

TIMEOUT_S = 5.0


def distrusting() -> ssl.SSLContext:
    """What trusts nobody: its alert says that the authority is unknown."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def tell_refusal(end: socket.socket, context: ssl.SSLContext, host: str) -> None:
    """Shakes hands on a connected socket and closes it. Blocks, for TIMEOUT_S at most; nothing is ever sent on it."""
    with suppress(OSError, ValueError), end:
        end.settimeout(TIMEOUT_S)
        with context.wrap_socket(end, server_hostname=host):
            pass


def tell_refusal_at(host: str, port: int, context: ssl.SSLContext) -> None:
    """The same, connecting first."""
    with suppress(OSError):
        tell_refusal(socket.create_connection((host, port), TIMEOUT_S), context, host)
