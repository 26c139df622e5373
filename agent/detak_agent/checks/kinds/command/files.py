"""The files that do the measuring, and their SHA-256: who exchanges a plug-in changes what is measured.

Everything here may hang on a dead file server: call it in a daemon thread, or with a limit.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Mapping, Sequence

from detak_agent.checks.base import CouldNotCheckError

BLOCK_BYTES = 1_024 * 1_024
SHOWN_DIGITS = 16
MARK = "plugin_sha256"

_Stamp = tuple[int, int, int, int, int]


def digest_of(path: str) -> str:
    """The SHA-256 of a file's content, in hexadecimal; raises OSError."""
    found = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path would be made for every sample
        while block := file.read(BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()


def digests_within(paths: Sequence[str], within_s: float) -> Mapping[str, str]:
    """The digests by path, `unreadable` where there is none; a file server that hangs delays the caller no longer."""
    found = dict.fromkeys(paths, "unreadable")

    def work() -> None:
        for path in paths:
            with contextlib.suppress(OSError):
                found[path] = digest_of(path)

    thread = threading.Thread(target=work, name="detak-digest", daemon=True)
    thread.start()
    thread.join(within_s)
    return dict(found)


class PluginFiles:
    """Knows the files' digests, and computes one again only when its file was changed or exchanged."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._known: dict[str, tuple[_Stamp, str]] = {}

    def marks(self) -> dict[str, str]:
        """One mark for all of them. Raises CouldNotCheckError where the plug-in or another file cannot be used."""
        together = "".join(self._digest(path) for path in self._paths)
        one = together if len(self._paths) == 1 else hashlib.sha256(together.encode()).hexdigest()
        return {MARK: one[:SHOWN_DIGITS]}

    def _digest(self, path: str) -> str:
        try:
            # Opening asks a network file system's server, which stat(2) may leave out; nothing starts if that is dead.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                status = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if path not in self._known or self._known[path][0] != stamp:
                self._known[path] = (stamp, digest_of(path))
        except FileNotFoundError:
            raise CouldNotCheckError(f"{path} is not there: install it, or correct the path in command") from None
        except OSError as error:
            reason = f"{error.strerror} (the agent must read what measures, for its SHA-256)"
            raise CouldNotCheckError(f"{path} cannot be read: {reason}") from None
        return self._known[path][1]
