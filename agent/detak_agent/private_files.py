"""Small files that only the agent may read, put in place at once and durably."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, text: str, owner: Path) -> None:
    """Replace the file: a crash leaves the old one or the new one, mode 0600. Raises OSError.

    Root gives it to whoever owns the directory `owner`, so that a command that root ran does not lock the agent out; a
    folder within that is made on the way as well.
    """
    fresh = path.with_name(path.name + ".new")
    is_new = not path.parent.is_dir()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_new and owner in path.parent.parents:
        hand_over(path.parent, owner)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        hand_over(file.fileno(), owner)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    synchronise(path.parent)


def hand_over(what: int | Path, owner: Path) -> None:
    """As root: to the owner of that directory. Raises OSError."""
    if os.geteuid() == 0 and owner.is_dir():
        status = owner.stat()
        os.chown(what, status.st_uid, status.st_gid)


def synchronise(directory: Path) -> None:
    """What was put into the directory, or renamed there, survives a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
