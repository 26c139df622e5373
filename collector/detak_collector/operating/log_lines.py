"""Log lines to a file or pipe, written by a thread of their own: who reads them late, or never, holds up nobody."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from contextlib import suppress

MOST_WAITING = 1_000
MOST_CHARACTERS = 48 * 1024
"""Of one line, with all that belongs to it."""

LAST_S = 1.0
"""How long the end of the program waits for what is still to be written."""

_LOOK_S = 0.005


class LinesHandler(logging.Handler):
    """Writes to an open file. What it does not take in time is dropped, and the next line says how much."""

    def __init__(self, descriptor: int, most_waiting: int = MOST_WAITING) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: queue.Queue[str] = queue.Queue(most_waiting)
        self._dropped = 0
        self._writer: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """As logging says; it never waits."""
        told = f" lines_dropped={self._dropped}" if self._dropped else ""
        try:
            self._waiting.put_nowait(self.format(record)[:MOST_CHARACTERS] + told + "\n")
        except queue.Full:
            self._dropped += 1
            return
        self._dropped = 0
        if self._writer is None or not self._writer.is_alive():
            # Not before it is needed: most commands have nothing to say, and a fork has no threads.
            self._writer = threading.Thread(target=self._write_for_ever, name="log", daemon=True)
            self._writer.start()

    def flush(self) -> None:
        """Waits a moment until all is written."""
        until = time.monotonic() + LAST_S
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(_LOOK_S)

    def _write_for_ever(self) -> None:
        while True:
            line = self._waiting.get()
            # Where nobody is left to read it, it is lost.
            with suppress(OSError):
                _write(self._descriptor, line.encode("utf-8", "replace"))
            self._waiting.task_done()


def _write(descriptor: int, left: bytes) -> None:
    while left:
        left = left[os.write(descriptor, left) :]
