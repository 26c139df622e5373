"""A database driver in a process of its own, so that one that crashes or never returns takes only its sample with it.

The child reads requests and writes answers, each one line of JSON. It ends when its input does: it never outlives the
agent. It blocks: ask it in a daemon thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from detak_agent.checks.kinds.command.expendable import expendable

MOST_ANSWER_BYTES = 256 * 1_024
_PART_BYTES = 64 * 1_024


class DriverCrashedError(Exception):
    """The child ended in the middle of a sample."""


@dataclass(frozen=True, slots=True)
class _Child:
    """A running child. `end` releases it, once; it is called at the latest when nobody needs its owner any more."""

    process: subprocess.Popen[bytes]
    end: Callable[[], object]


def _release(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with contextlib.suppress(OSError):
            pipe.close()
    process.wait()


class DriverProcess:
    """One child, started with the first request and again after it was killed."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, if it runs."""
        return None if self._child is None else self._child.process.pid

    def kill(self) -> None:
        """End the child and what is being asked of it; the next request starts another. Safe from any thread."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.process.kill()

    def ask(self, request: Mapping[str, Any], until: float, waiting: Callable[[str], None]) -> dict[str, Any]:
        """The child's answer. `waiting` is told what the child waits for; `until` is in time.monotonic().

        Raises TimeoutError, and then the child is gone; DriverCrashedError where it ended by itself.
        """
        child = self._running()
        try:
            return self._conversation(child.process, request, until, waiting)
        except BaseException:
            self._end(child)
            raise

    def _end(self, child: _Child) -> None:
        """Only who asks may close the pipes: a number that was freed under a reader would soon be another file's."""
        with self._lock:
            if self._child is child:
                self._child = None
        child.end()

    def _running(self) -> _Child:
        with self._lock:
            if self._child is None:
                # Isolated, so that neither the working directory nor a variable decides what is imported.
                process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                    [sys.executable, "-I", "-m", self._module],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                )
                self._child = _Child(process, weakref.finalize(self, _release, process))
                assert process.stdout is not None
                os.set_blocking(process.stdout.fileno(), False)
                expendable(process.pid)
            return self._child

    def _conversation(
        self, child: subprocess.Popen[bytes], request: Mapping[str, Any], until: float, waiting: Callable[[str], None]
    ) -> dict[str, Any]:
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
        except BrokenPipeError:
            raise _crashed(child) from None
        heard = b""
        while True:
            heard += self._part(child, until)
            *lines, heard = heard.split(b"\n")
            for line in lines:
                said = json.loads(line)
                if "waiting" not in said:
                    return dict(said)
                waiting(said["waiting"])
            if len(heard) > MOST_ANSWER_BYTES:
                raise DriverCrashedError(f"it answered with more than {MOST_ANSWER_BYTES} bytes")

    @staticmethod
    def _part(child: subprocess.Popen[bytes], until: float) -> bytes:
        assert child.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            left_s = until - time.monotonic()
            if left_s <= 0 or not selector.select(left_s):
                raise TimeoutError
        part = os.read(child.stdout.fileno(), _PART_BYTES)
        if not part:
            raise _crashed(child)
        return part


def _crashed(child: subprocess.Popen[bytes]) -> DriverCrashedError:
    status = child.wait()
    return DriverCrashedError(f"by signal {-status}" if status < 0 else f"with status {status}")
