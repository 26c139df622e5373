"""Counts what an agent sends: a plain TCP forwarder that stands before the collector."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """Forwards to a port of this machine, and keeps the size of each request with its headers."""

    port: int
    connected_at: float | None = None
    """When the first connection was taken, in time.monotonic()."""
    _sizes: list[int] = field(default_factory=list)

    @staticmethod
    @contextmanager
    def before(port: int) -> Iterator[Meter]:
        """One that listens while the block runs."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            meter = Meter(server.getsockname()[1])
            threading.Thread(target=meter._accept, args=(server, port), daemon=True).start()
            yield meter

    def requests(self) -> list[int]:
        """The sizes so far, in bytes."""
        return list(self._sizes)

    def _accept(self, server: socket.socket, port: int) -> None:
        with suppress(OSError):
            while True:
                agent, _ = server.accept()
                self.connected_at = self.connected_at or time.monotonic()
                collector = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=self._up, args=(agent, collector), daemon=True).start()
                threading.Thread(target=_down, args=(collector, agent), daemon=True).start()

    def _up(self, agent: socket.socket, collector: socket.socket) -> None:
        """What comes in one piece or in several until the answer begins is one request."""
        with suppress(OSError), agent, collector:
            while piece := agent.recv(1_048_576):
                if piece.startswith(b"POST "):
                    self._sizes.append(0)
                self._sizes[-1] += len(piece)
                collector.sendall(piece)


def _down(collector: socket.socket, agent: socket.socket) -> None:
    with suppress(OSError):
        while piece := collector.recv(1_048_576):
            agent.sendall(piece)
