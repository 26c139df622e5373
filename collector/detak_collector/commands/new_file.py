"""A file that a command writes where none may be yet: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from detak_collector.config import ConfigurationError


@contextmanager
def new_file(path: Path, mode: int) -> Iterator[TextIO]:
    """The file at `path` to be written, as readable as `mode` from its first byte; gone again where that fails.

    Raises ConfigurationError where something is there already, OSError with the name of the file.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError:
        raise ConfigurationError([f"--output: {path} is there already, and is not overwritten"]) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)
            yield file
            file.flush()
            os.fsync(descriptor)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
