"""The directory that holds the agent's state, and the lock that keeps a second agent out of it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from detak_agent.failures import CouldNotError


class StateDirectory:
    """Held by one process at a time; the kernel lets go of it when that process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Make and lock it; raises CouldNotError."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CouldNotError(f"state_directory {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip()
            os.close(self._lock)
            raise CouldNotError(f"state_directory {path}: another agent uses it (process {holder or '?'})") from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._lock)
