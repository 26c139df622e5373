"""The state directory while one process owns it: private to this user, and nobody else's until it is let go."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detak_collector.channel.private_files import belong_as
from detak_collector.errors import CannotServeError

LOCK_NAME = "collector.lock"


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Makes the directory where it is missing; raises CannotServeError where another process has it."""
    os.umask(0o077)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK_NAME).open("a")
        belong_as(path, lock.fileno())
    except OSError as error:
        raise CannotServeError(f"state_directory {path}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotServeError(f"state_directory {path}: another collector is running on it") from None
        yield


def is_owned(path: Path) -> bool:
    """Whether a process has the directory now, such as a collector that serves."""
    try:
        with (path / LOCK_NAME).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
