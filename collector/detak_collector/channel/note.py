"""What a serving collector notes of its channel, for the commands that run beside it: one small file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from detak_collector.channel.certificate_refusals import Refuser
from detak_collector.channel.private_files import write_whole

FILE_NAME = "channel.json"
LASTING_MS = 30_000
"""What was noted longer ago than this is over, or the collector is not running."""


class Noted(msgspec.Struct, frozen=True):
    """As of `utc`: who refuses the certificate, whether that makes nodes silent, and where beats ever came from."""

    utc: int
    is_unheard: bool = False
    refusers: list[Refuser] = []
    known: list[str] = []

    def says_unheard(self, now_utc: int) -> bool:
        """Whether so many refuse it at this moment that it does not watch."""
        return self.is_unheard and now_utc - self.utc <= LASTING_MS


def read_noted(state_directory: Path) -> Noted | None:
    """What was noted last; None where there is nothing that can be read."""
    try:
        return msgspec.json.decode((state_directory / FILE_NAME).read_bytes(), type=Noted)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def write_noted(state_directory: Path, noted: Noted) -> None:
    """Replaces the file; raises OSError."""
    write_whole(state_directory / FILE_NAME, msgspec.json.encode(noted), 0o600)
