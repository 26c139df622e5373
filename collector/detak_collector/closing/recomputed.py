"""Which seals this program has recomputed: `verify --sealed` notes it, and `doctor` asks for it after an upgrade."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from detak_collector.channel.private_files import write_whole
from detak_collector.closing.seals import Seal

FILE_NAME = "seals-recomputed.json"


class Recomputed(msgspec.Struct, frozen=True):
    """`seals-recomputed.json` in the state directory: by entry, the seals that `program` came to again, or did not."""

    program: str
    same: list[str] = []
    others: list[str] = []

    def unseen(self, standing: Iterable[Seal], program: str) -> list[str]:
        """The seals of other programs that this one has not recomputed yet."""
        seen = {*self.same, *self.others} if self.program == program else set()
        return [one.what for one in standing if one.body.program != program and one.entry.id not in seen]

    def differing(self, standing: Iterable[Seal], program: str) -> list[str]:
        """Those that this program came to another account of."""
        others = self.others if self.program == program else []
        return [one.what for one in standing if one.entry.id in others]


def read_recomputed(state_directory: Path) -> Recomputed:
    """What was noted last; of no program where nothing can be read."""
    try:
        return msgspec.json.decode((state_directory / FILE_NAME).read_bytes(), type=Recomputed)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Recomputed("")


def write_recomputed(state_directory: Path, noted: Recomputed) -> None:
    """Replaces the file; raises OSError."""
    write_whole(state_directory / FILE_NAME, msgspec.json.encode(noted), 0o600)
