"""Where a secret lies that the configuration names: in a file, or among what systemd handed over."""

from __future__ import annotations

import os
from pathlib import Path

from detak_agent.failures import CouldNotError

DIRECTORY = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what `LoadCredential=` names (systemd.exec(5))."""


class NoCredentialError(CouldNotError):
    """A credential is named and none was handed over."""


def is_credential(name: str) -> bool:
    """Whether this is the name of a systemd credential and not a path: it has no slash."""
    return "/" not in name


def secret_path(key: str, name: str) -> Path:
    """The file that the value `name` of the setting `key` means; raises NoCredentialError."""
    if not is_credential(name):
        return Path(name)
    directory = os.environ.get(DIRECTORY)
    if directory is None:
        raise NoCredentialError(
            f"{key} {name} names a systemd credential, and none was handed over: "
            f"add LoadCredential={name}:/path/to/it to the service, or write a path"
        )
    return Path(directory) / name
