"""Passwords of checks: written in agent.toml, or in a file of their own, or handed over by systemd."""

from __future__ import annotations

import os
from pathlib import Path

from detak_agent.checks.base import CouldNotCheckError

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what `LoadCredential=` names (systemd.exec(5))."""


def problems(password: str, password_file: str) -> list[tuple[str, str]]:
    """What is wrong with the two keys together."""
    if password and password_file:
        return [("password_file", "may not stand beside password: which of them counts?")]
    return []


def secret(password: str, password_file: str) -> str:
    """The password: as written, or the file's content without the line break at its end.

    A name without a slash is that of a systemd credential. It is read anew each time it is needed, so that a changed
    password needs no restart. Raises CouldNotCheckError where it cannot be read.
    """
    if not password_file:
        return password
    path = _path(password_file)
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise CouldNotCheckError(f"password_file {path} is not UTF-8") from None
    except OSError as error:
        raise CouldNotCheckError(f"password_file {path} cannot be read: {error.strerror}") from None


def _path(password_file: str) -> Path:
    if "/" in password_file:
        return Path(password_file)
    directory = os.environ.get(CREDENTIALS)
    if directory is None:
        raise CouldNotCheckError(
            f"password_file {password_file} names a systemd credential, and none was handed over: "
            f"add LoadCredential={password_file}:/path/to/it to the service, or write a path"
        )
    return Path(directory) / password_file
