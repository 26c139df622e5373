"""A disk that becomes full while a copy is made: told by its folder and by what the copy needs, whoever noticed it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detak_collector.operating.disk import in_words

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def room_in(folder: Path, needed_bytes: int) -> Iterator[None]:
    """Raises OSError that names the folder, where that is missing, or its disk becomes full meanwhile."""
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(folder))
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        room = os.statvfs(folder)
        told = (
            f"this disk has no room for the copy: it needs about {in_words(needed_bytes)} while it is made, and "
            f"{in_words(room.f_bavail * room.f_frsize)} are free"
        )
        raise OSError(error.errno, told, str(folder)) from error
