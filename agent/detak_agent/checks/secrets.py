"""Secrets of checks: written in agent.toml, or in a file of their own, or handed over by systemd.

`key` is always the setting that would hold the secret itself; the one that names its file is called `{key}_file`.
"""

from __future__ import annotations

import asyncio

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.threads import Lane
from detak_agent.credentials import NoCredentialError, secret_path


def problems(written: str, file: str, key: str = "password") -> list[tuple[str, str]]:
    """What is wrong with the two settings together."""
    if written and file:
        return [(f"{key}_file", f"may not stand beside {key}: which of them counts?")]
    return []


def secret(written: str, file: str, key: str = "password") -> str:
    """The secret: as written, or the file's content without the line break at its end.

    A name without a slash is that of a systemd credential. It is read anew each time it is needed, so that a changed
    secret needs no restart. Raises CouldNotCheckError where it cannot be read.
    """
    if not file:
        return written
    try:
        path = secret_path(f"{key}_file", file)
    except NoCredentialError as error:
        raise CouldNotCheckError(str(error)) from None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise CouldNotCheckError(f"{key}_file {path} is not UTF-8") from None
    except OSError as error:
        raise CouldNotCheckError(f"{key}_file {path} cannot be read: {error.strerror}") from None


class SecretReader:
    """Reads a check's secret without blocking the loop, anew for each sample."""

    def __init__(self, written: str, file: str, key: str = "password") -> None:
        self._written = written
        self._file = file
        self._key = key
        self._lane = Lane()

    async def read(self, deadline_ms: int) -> str:
        """The secret, empty where none is set; CouldNotCheckError where its file cannot be read in time."""
        if not self._file:
            return self._written
        try:
            return await self._lane.run(lambda: secret("", self._file, self._key), deadline_ms)
        except asyncio.TimeoutError:
            raise CouldNotCheckError(f"reading {self._key}_file {self._file} hangs") from None
