"""The node's keys, one file for each collector, readable by the agent alone."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

from detak_agent.config import CollectorSettings
from detak_agent.credentials import DIRECTORY, is_credential, secret_path
from detak_agent.failures import CouldNotError
from detak_agent.private_files import hand_over, write_private
from detak_agent.trust import PinFiles, Pins, Trust

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
FOLDER = "keys"


def key_path(collector: CollectorSettings, state_directory: Path) -> Path:
    """Where the key for this collector lies; raises CouldNotError where systemd should have handed it over."""
    if collector.key_file is not None:
        return secret_path("key_file", collector.key_file)
    return _beside(collector, state_directory, "key")


def pin_files(collector: CollectorSettings, state_directory: Path) -> PinFiles:
    """Where the fingerprints lie that were pasted at enrolment."""
    endings = ("fingerprint", "authority", "refusal")
    fingerprint, authority, refusal = (_beside(collector, state_directory, ending) for ending in endings)
    return PinFiles(fingerprint, authority, refusal, state_directory)


def trust_of(collector: CollectorSettings, state_directory: Path) -> Trust:
    """What is configured, or else what was pasted."""
    configured = Pins(collector.fingerprint, tuple(collector.ca_keys))
    return Trust(collector.ca_file, configured, pin_files(collector, state_directory))


def is_handed_over(collector: CollectorSettings) -> bool:
    """Whether systemd hands the key over, so that nobody can write it anew here."""
    return collector.key_file is not None and is_credential(collector.key_file)


def read_key(path: Path) -> str | None:
    """The key, or None if this node was never enrolled there. Raises CouldNotError, also where others can read it."""
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _OTHERS and not _is_systemds(path):
                raise CouldNotError(
                    f"{path}: others on this machine may use this key (mode {mode:04o}): chmod 600 {path}"
                )
            return file.read().strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotError(f"{path}: the key cannot be read: {error}") from error


def write_key(path: Path, key: str, state_directory: Path | None = None) -> None:
    """Put the key in place at once and durably: a crash leaves the old key or the new one."""
    owner = state_directory or path.parent
    try:
        owner.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True)
            hand_over(path.parent, owner)
        write_private(path, key + "\n", owner)
    except OSError as error:
        raise CouldNotError(f"{path}: the key cannot be written: {error.strerror}") from error


def previous_path(path: Path) -> Path:
    """Where the key lies that the last renewal replaced."""
    return path.with_name(path.name + ".previous")


def _beside(collector: CollectorSettings, state_directory: Path, ending: str) -> Path:
    parts = urlsplit(collector.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = re.sub(r"[^A-Za-z0-9.-]", "-", parts.hostname or "")
    return state_directory / FOLDER / f"{host}_{port}.{ending}"


def _is_systemds(path: Path) -> bool:
    """A credential's ACL, which lets the service's user read it, shows as a right of the group."""
    directory = os.environ.get(DIRECTORY)
    return directory is not None and Path(directory) in path.parents
