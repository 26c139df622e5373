"""TLS on an accepted connection, with little memory: thousands of agents stay connected and say little.

asyncio gives each such connection 256 KiB to read into. It hands over what it has read before it reads for another
one, so here all of them read into one room.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import sslproto

ROOM_BYTES = 4 * 1024
"""Enough for a beat. OpenSSL keeps room for the largest piece that a connection was ever handed, so these are small."""

_room = bytearray(ROOM_BYTES)
_room_view = memoryview(_room)


class LeanTls(sslproto.SSLProtocol):
    """As asyncio's, which reads `max_size` bytes at most into a buffer that it makes for itself.

    `visitor` is told `connection_made` once TLS is agreed on. Then `agreed` is done too; it is done all the same where
    the connection ends before that, with an error (OSError, which ssl.SSLError is) or without one.
    """

    max_size = ROOM_BYTES

    def __init__(
        self, visitor: asyncio.BaseProtocol, context: ssl.SSLContext, agreed: asyncio.Future[None], handshake_s: int
    ) -> None:
        loop = agreed.get_loop()
        super().__init__(loop, visitor, context, agreed, server_side=True, ssl_handshake_timeout=handshake_s)
        self._ssl_buffer, self._ssl_buffer_view = _room, _room_view
