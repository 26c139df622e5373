"""Disk space set aside while there is plenty, so that a full disk does not end the evidence.

It is given back when the disk is full, once: the journal then lives within what it has, dropping its oldest records
for gaps that name them, until there is room to set the space aside again.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

_log = logging.getLogger("detak_agent")

FILE_NAME = "reserve"
RESERVE_BYTES = 2 * 1024 * 1024
"""The journal's log may grow by 1 MiB before it is written over, and the gaps need little more."""

_ROOMY = 8
"""So many times as much must be free before it is set aside: to fill the disk ourselves would be absurd."""


def free_bytes(directory: Path) -> int:
    """What this user may still write there."""
    numbers = os.statvfs(directory)
    return numbers.f_bavail * numbers.f_frsize


class Reserve:
    """One file beside the journal that holds nothing."""

    def __init__(self, directory: Path, size: int = RESERVE_BYTES, free: Callable[[Path], int] = free_bytes) -> None:
        self._path = directory / FILE_NAME
        self._size = size
        self._free = free

    @property
    def is_held(self) -> bool:
        """Whether the space is set aside."""
        return self._path.exists()

    def hold(self) -> bool:
        """Set the space aside where there is plenty of it; whether it is."""
        if self.is_held:
            return True
        if self._free(self._path.parent) < _ROOMY * self._size:
            return False
        fresh = self._path.with_name(FILE_NAME + ".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fresh.replace(self._path)
        except OSError as error:
            _log.warning("journal: no space can be set aside for a full disk: %s", error.strerror)
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            return False
        return True

    def spend_where_full(self) -> bool:
        """Give the space back if the disk has hardly any left."""
        return self._free(self._path.parent) < self._size and self.spend()

    def spend(self) -> bool:
        """Give the space back to the disk; False if there is none left to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        _log.error("journal: the disk is full; its reserve of %d MiB is spent, make room", self._size // 2**20)
        return True
