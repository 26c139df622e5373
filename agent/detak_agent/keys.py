"""The node's keys, one file for each collector, readable by the agent alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from detak_agent.config import CollectorSettings
from detak_agent.failures import CouldNotError


def key_path(collector: CollectorSettings, state_directory: Path) -> Path:
    """Where the key for this collector lies."""
    if collector.key_file is not None:
        return Path(collector.key_file)
    parts = urlsplit(collector.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = re.sub(r"[^A-Za-z0-9.-]", "-", parts.hostname or "")
    return state_directory / "keys" / f"{host}_{port}.key"


def read_key(path: Path) -> str | None:
    """The key, or None if this node was never enrolled there."""
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotError(f"{path}: the key cannot be read: {error}") from error


def write_key(path: Path, key: str) -> None:
    """Put the key in place at once and durably: a crash leaves the old key or the new one."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _synchronise(path.parent)
    except OSError as error:
        raise CouldNotError(f"{path}: the key cannot be written: {error.strerror}") from error


def _synchronise(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
