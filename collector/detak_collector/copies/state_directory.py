"""The state directory while one process owns it: private to this user, and nobody else's until it is let go."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detak_collector.errors import CannotServeError

LOCK_NAME = "collector.lock"


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Makes the directory where it is missing; raises CannotServeError where another process has it."""
    os.umask(0o077)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK_NAME).open("a")
    except OSError as error:
        raise CannotServeError(f"state_directory {path}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotServeError(f"state_directory {path}: another collector is running on it") from None
        yield
