"""The machine's own identity, read at the edge and handed in."""

from __future__ import annotations

from pathlib import Path

from detak_collector.copies.instance import home_of

MACHINE_ID = Path("/etc/machine-id")


def this_machine(path: Path = MACHINE_ID) -> str:
    """What a store remembers of the machine that it serves on; empty where the machine has no identity."""
    try:
        return home_of(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return ""
