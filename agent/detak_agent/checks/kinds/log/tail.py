"""Follows a log file: its new whole lines, also across rotation by renaming and by copying and truncating.

It may hang on a dead disk or file server: run it in a daemon thread. No call reads more than `MOST_BYTES` of a file.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from detak_agent.checks.base import CouldNotCheckError

MOST_BYTES = 4 * 1_024 * 1_024
LONGEST_LINE_BYTES = 64 * 1_024
REMEMBERED_BYTES = 64


@dataclass(frozen=True, slots=True)
class New:
    """What came since the last call. `skipped_bytes` were too many to read; `missing`: no such file for a while."""

    lines: list[str]
    skipped_bytes: int = 0
    missing: bool = False


class LogTail:
    """One log by its path. The first call stands at the end of what is there, and finds nothing."""

    def __init__(self, path: Path, shown: str) -> None:
        self._path = path
        self._shown = shown
        self._current: _OpenFile | None = None
        self._retiring: _OpenFile | None = None
        self._was_missing = False
        self._is_first = True

    def read(self) -> New:
        """The new lines. Raises CouldNotCheckError where the file cannot be read."""
        try:
            return self._read()
        except PermissionError:
            raise CouldNotCheckError(
                f"{self._shown} may not be read by the agent's user: add it to the group that may (adm for most logs)"
            ) from None
        except OSError as error:
            raise CouldNotCheckError(f"{self._shown} cannot be read: {error.strerror}") from None

    def _read(self) -> New:
        found = self._opened()
        parts = []
        # Who writes may do so into a renamed file for a while: it is read once more after the new one has appeared.
        if self._retiring is not None:
            parts.append(self._retiring.read(with_rest=True))
            self._retiring = None
        if found is not None and self._current is not None and not found.is_same(self._current):
            parts.append(self._current.read())
            self._retiring, self._current = self._current, None
        if self._current is None:
            if found is not None and self._is_first:
                found.go_to_end()
            self._current = found
        if self._current is not None:
            parts.append(self._current.read())
        # In the middle of a rotation there is no file for a moment.
        missing, self._was_missing = found is None and (self._was_missing or self._is_first), found is None
        self._is_first = False
        if missing:
            # What was deleted keeps its place on the disk for as long as it is open.
            self._current = None
        return New([line for part in parts for line in part.lines], sum(part.skipped_bytes for part in parts), missing)

    def _opened(self) -> _OpenFile | None:
        """What is at the path now."""
        try:
            return _OpenFile(self._path)
        except FileNotFoundError:
            return None


class _OpenFile:
    """A file held open, so that its number cannot become another file's, and what was renamed can still be read."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CouldNotCheckError(f"{path} is no ordinary file")
        self._identity = (status.st_dev, status.st_ino)
        self._at = 0
        self._before = b""

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.close(self._descriptor)

    def is_same(self, other: _OpenFile) -> bool:
        """Whether both are one file."""
        return self._identity == other._identity

    def go_to_end(self) -> None:
        """What is there already is of no interest."""
        self._move_to(os.fstat(self._descriptor).st_size)

    def read(self, *, with_rest: bool = False) -> New:
        """The whole lines from here on; `with_rest` takes a last line that has no end, too."""
        size = os.fstat(self._descriptor).st_size
        if size < self._at or not self._is_as_remembered():
            self._move_to(0)
        skipped = max(0, size - self._at - MOST_BYTES)
        if skipped:
            self._move_to(size - MOST_BYTES)
        data = os.pread(self._descriptor, MOST_BYTES, self._at)
        whole = len(data) if with_rest else data.rfind(b"\n") + 1
        if not whole and len(data) >= LONGEST_LINE_BYTES:
            whole = len(data)
        self._move_to(self._at + whole)
        return New(data[:whole].decode("utf-8", "replace").splitlines(), skipped)

    def _move_to(self, at: int) -> None:
        self._at = at
        first = max(0, at - REMEMBERED_BYTES)
        self._before = os.pread(self._descriptor, at - first, first)

    def _is_as_remembered(self) -> bool:
        """False where the file was truncated and has grown beyond this place again (copytruncate of logrotate)."""
        return os.pread(self._descriptor, len(self._before), self._at - len(self._before)) == self._before
