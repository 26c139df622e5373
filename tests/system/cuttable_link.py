"""A way to a server that can be cut and healed: a small TCP proxy on loopback, in threads of the test."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress

ADDRESS = "127.0.0.1"
PIECE = 65_536
LOOK_S = 0.1


class Link:
    """Listens on a port of its own and forwards to `target`, until it is cut: then nothing gets through either way."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server((ADDRESS, 0))
        self.port: int = self._server.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"

    def cut(self) -> None:
        self._whole.clear()

    def heal(self) -> None:
        self._whole.set()

    def close(self) -> None:
        self._closed.set()
        self._server.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        self._server.settimeout(LOOK_S)
        while not self._closed.is_set():
            with suppress(OSError):
                near, _ = self._server.accept()
                thread = threading.Thread(target=self._forward, args=(near,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _forward(self, near: socket.socket) -> None:
        """While it is cut a connection is left without a word; those that were open when it was cut are lost."""
        with near, suppress(OSError):
            while not self._whole.is_set():
                if self._closed.wait(LOOK_S):
                    return
            with socket.create_connection((ADDRESS, self._target), timeout=5) as far:
                self._pump(near, far)

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while self._whole.is_set() and not self._closed.is_set():
                for key, _ in ready.select(LOOK_S):
                    assert isinstance(key.fileobj, socket.socket)
                    piece = key.fileobj.recv(PIECE)
                    if not piece:
                        return
                    key.data.sendall(piece)
