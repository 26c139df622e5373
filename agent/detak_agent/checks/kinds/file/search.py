"""Looking for files: how many match, the newest and the oldest of them, and whether the newest holds something.

It may hang on a dead disk or file server: run it in a daemon thread. A folder is read entry by entry and never kept.
"""

from __future__ import annotations

import os
import re
import stat
import time
from dataclasses import dataclass, replace
from fnmatch import translate
from pathlib import Path

from detak_agent.checks.base import CouldNotCheckError

MOST_CONTENT_BYTES = 256 * 1_024
_WILDCARD = re.compile(r"[*?[]")


def has_wildcards(path: str) -> bool:
    """Whether the path stands for several files."""
    return _WILDCARD.search(path) is not None


@dataclass(frozen=True, slots=True)
class Found:
    """One file or folder. `modified_s` is on the wall clock; `matches` is None where no pattern was looked for."""

    path: str
    modified_s: float
    size_bytes: int
    is_file: bool
    matches: bool | None = None
    cut: bool = False


class Search:
    """One look. Raises CouldNotCheckError where a right is missing, or the disk gives an error."""

    def __init__(self, path: str, root: Path = Path("/"), until: float = float("inf")) -> None:
        self._path = path
        self._root = root
        self._until = until
        self.count = 0
        self.newest: Found | None = None
        self.oldest: Found | None = None
        self.missing_folder = ""

    def run(self) -> None:
        """Count what matches."""
        folder, _, name = self._path.rpartition("/")
        if not has_wildcards(name):
            self._take(self._path)
            return
        wanted = re.compile(translate(name))
        hidden_too = name.startswith(".")
        try:
            with os.scandir(self._real(folder or "/")) as entries:
                for entry in entries:
                    if wanted.match(entry.name) and (hidden_too or not entry.name.startswith(".")):
                        self._take(f"{folder}/{entry.name}")
                    if time.monotonic() > self._until:
                        raise CouldNotCheckError(f"{folder or '/'} holds more entries than can be looked at in time")
        except FileNotFoundError:
            self.missing_folder = folder
        except OSError as error:
            raise _unreadable(folder or "/", error) from None

    def read_newest(self, pattern: re.Pattern[bytes] | None) -> None:
        """Whether the newest file holds the pattern, in its first 256 KiB."""
        newest = self.newest
        if pattern is None or newest is None or not newest.is_file:
            return
        try:
            # A pipe that took the file's place in this moment must not be waited for.
            descriptor = os.open(self._real(newest.path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(MOST_CONTENT_BYTES + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unreadable(newest.path, error) from None
        matches = pattern.search(content[:MOST_CONTENT_BYTES]) is not None
        self.newest = replace(newest, matches=matches, cut=len(content) > MOST_CONTENT_BYTES)

    def _take(self, path: str) -> None:
        try:
            status = os.stat(self._real(path))  # noqa: PTH116 - a Path for each of many files is dear
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _unreadable(path, error) from None
        found = Found(path, status.st_mtime, status.st_size, stat.S_ISREG(status.st_mode))
        self.count += 1
        if self.newest is None or found.modified_s > self.newest.modified_s:
            self.newest = found
        if self.oldest is None or found.modified_s < self.oldest.modified_s:
            self.oldest = found

    def _real(self, path: str) -> str:
        return f"{self._root}/{path.lstrip('/')}"


def _unreadable(path: str, error: OSError) -> CouldNotCheckError:
    if isinstance(error, PermissionError):
        return CouldNotCheckError(
            f"{path} cannot be looked at: the agent's user has no right to (read, and x on folders)"
        )
    return CouldNotCheckError(f"{path} cannot be looked at: {error.strerror}")
