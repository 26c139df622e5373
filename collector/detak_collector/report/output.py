"""Puts a report where it belongs: whole into a file, never half over an old one, or to whoever reads the output."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_report(path: Path, content: bytes) -> None:
    """The file at `path` is this content, or what it was before. Raises OSError.

    A file that is there is replaced and keeps who may read it.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            made.chmod(path.stat().st_mode & 0o777)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
