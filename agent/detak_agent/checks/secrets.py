"""Passwords of checks: written in agent.toml, or in a file of their own, or handed over by systemd."""

from __future__ import annotations

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.credentials import NoCredentialError, secret_path


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
    try:
        path = secret_path("password_file", password_file)
    except NoCredentialError as error:
        raise CouldNotCheckError(str(error)) from None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise CouldNotCheckError(f"password_file {path} is not UTF-8") from None
    except OSError as error:
        raise CouldNotCheckError(f"password_file {path} cannot be read: {error.strerror}") from None
