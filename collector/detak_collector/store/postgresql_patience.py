"""Ends connections on which a server has not answered for long: the library would wait for ever.

A server that is frozen, or that waits for a standby which never comes back, answers its keepalives all the same.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol
from weakref import WeakSet

LOOK_S = 0.5


class Asking(Protocol):
    """A connection. `asked_at` (monotonic seconds) is since when an answer is waited for; None where it is not."""

    asked_at: float | None
    patience_s: float

    def give_up(self) -> None:
        """Wakes whoever waits for the answer: it finds the connection closed."""
        ...


class Patience:
    """Of one database: looks at its connections in a thread of its own, as long as there are any."""

    def __init__(self) -> None:
        self._connections: WeakSet[Asking] = WeakSet()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, connection: Asking) -> None:
        """Looks at this one too."""
        with self._lock:
            self._connections.add(connection)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="patience", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Looks no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            with self._lock:
                connections = list(self._connections)
            now = time.monotonic()
            for one in connections:
                asked_at = one.asked_at
                if asked_at is not None and now - asked_at > one.patience_s:
                    one.give_up()
