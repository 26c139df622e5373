"""One run of a plug-in: a process group of its own, without a shell, that is killed as a whole in the end.

It blocks: run it in a daemon thread. What the plug-in prints is read as far as it may matter, the rest thrown away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.kinds.command.expendable import expendable
from detak_agent.checks.kinds.command.starting import Child, start

MOST_OUTPUT_BYTES = 64 * 1_024
MOST_ERROR_BYTES = 4 * 1_024
_PART_BYTES = 64 * 1_024
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 0.001, 0.02

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HANDED_ON = ("HOME", "TZ")
_WORDS = {
    errno.EACCES: "cannot be executed by the agent's user: chmod 755, or install it anew",
    errno.EPERM: "cannot be executed by the agent's user",
    errno.ENOENT: "cannot be executed: the interpreter that its first line names is not there",
    errno.ENOEXEC: "cannot be executed: it is no program, and has no #! line that names one",
    errno.E2BIG: "cannot be executed: its arguments are too long",
    errno.ETXTBSY: "cannot be executed: it is being written",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a plug-in ended: its exit status, or minus the signal that killed it, and what it printed."""

    status: int
    output: bytes
    errors: bytes


def environment(further: Mapping[str, str]) -> dict[str, str]:
    """A small environment that is the same on every start: none of the agent's own, which holds its credentials."""
    handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return {"PATH": _PATH, "LC_ALL": "C.UTF-8", **handed_on, **further}


class PluginProcess:
    """Runs once. `give_up`, from another thread, kills what runs and keeps what does not yet run from starting."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._lock = threading.Lock()
        self._given_up = False
        self._starting_thread: int | None = None
        self._group: int | None = None

    def give_up(self) -> None:
        """End it now; safe at any time, also after its end. It never waits."""
        with self._lock:
            self._given_up = True
            if self._starting_thread is not None:
                _kill_children_of(self._starting_thread)
            self._kill()

    def run(self, variables: Mapping[str, str], within_s: float) -> Ended | None:
        """How it ended, or None where it was killed after `within_s`. Raises CouldNotCheckError if it cannot start."""
        until = time.monotonic() + within_s
        process = self._start(variables)
        try:
            with contextlib.closing(_Heard(process)) as heard:
                in_time = heard.listen_until_the_end(until)
                self._end_group()
                status = process.wait()
            return Ended(status, bytes(heard.output), bytes(heard.errors)) if in_time else None
        finally:
            self._end_group()
            process.wait()

    def _start(self, variables: Mapping[str, str]) -> Child:
        """A running plug-in. It may hang where the program, or its interpreter, lies on a dead disk or file server."""
        with self._lock:
            self._raise_if_given_up()
            self._starting_thread = threading.get_native_id()
        try:
            process = start(self._arguments, variables)
        except OSError as error:
            reason = _WORDS.get(error.errno or 0, f"cannot be executed: {error.strerror}")
            raise CouldNotCheckError(f"{self._arguments[0]} {reason}") from None
        finally:
            with self._lock:
                self._starting_thread = None
        with self._lock:
            self._group = process.pid
            if self._given_up:
                self._kill()
        expendable(process.pid)
        return process

    def _raise_if_given_up(self) -> None:
        if self._given_up:
            raise CouldNotCheckError("the sample was given up")

    def _end_group(self) -> None:
        """Kill what is left of the group. Before its leader is waited for, its number cannot belong to another one."""
        with self._lock:
            self._kill()
            self._group = None

    def _kill(self) -> None:
        if self._group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)


def _kill_children_of(thread: int) -> None:
    """End what a thread of ours has begun that still waits for its program, and so has our own command line (proc(5)).

    Only by this is its number known: the thread learns it when the program has been found and read.
    """
    with contextlib.suppress(OSError):
        own = Path("/proc/self/cmdline").read_bytes()
        for child in Path(f"/proc/self/task/{thread}/children").read_text(encoding="ascii").split():
            if Path(f"/proc/{child}/cmdline").read_bytes() == own:
                os.kill(int(child), signal.SIGKILL)


class _Heard:
    """Both pipes of a process, read until it ends. A grandchild that keeps one open is not waited for."""

    def __init__(self, process: Child) -> None:
        self._process = process
        self._pipes: dict[FileIO, tuple[bytearray, int]] = {}
        self.output, self.errors = bytearray(), bytearray()
        for pipe, kept, most in (
            (process.output, self.output, MOST_OUTPUT_BYTES),
            (process.errors, self.errors, MOST_ERROR_BYTES),
        ):
            os.set_blocking(pipe.fileno(), False)
            self._pipes[pipe] = (kept, most)

    def close(self) -> None:
        """Let go of both pipes."""
        for pipe in self._pipes:
            pipe.close()

    def listen_until_the_end(self, until: float) -> bool:
        """Whether the process ended in time, by then with all that it had printed."""
        wait_s = _SHORTEST_WAIT_S
        with selectors.DefaultSelector() as selector:
            for pipe in self._pipes:
                selector.register(pipe, selectors.EVENT_READ, pipe)
            while not self._has_ended():
                left_s = until - time.monotonic()
                if left_s <= 0:
                    return False
                ready = selector.select(min(wait_s, left_s))
                for key, _ in ready:
                    if not self._read(key.data):
                        selector.unregister(key.fileobj)
                wait_s = _SHORTEST_WAIT_S if ready else min(wait_s * 2, _LONGEST_WAIT_S)
        for pipe in self._pipes:
            self._read(pipe)
        return True

    def _has_ended(self) -> bool:
        # It is left a zombie for now, so that its number still names its group.
        found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is not None

    def _read(self, pipe: FileIO) -> bool:
        """Take what is there; False at the end of the pipe."""
        kept, most = self._pipes[pipe]
        try:
            part = os.read(pipe.fileno(), _PART_BYTES)
        except BlockingIOError:
            return True
        kept += part[: most - len(kept)]
        return bool(part)
