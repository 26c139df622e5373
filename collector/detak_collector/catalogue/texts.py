"""The catalogue as the files it was written in: what a version keeps, and by what two of them are told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detak_collector.catalogue.organisation import load_with_texts, parse_beside
from detak_collector.catalogue.place import CatalogueError
from detak_collector.downtime.catalogue import Catalogue

SERVICES = "services.toml"
"""What the file itself is called in a version, however it is called on disk."""

MOST_BYTES = 1_500_000
"""Of all files of a version together: every one is kept for good, and travels to the other collector whole."""


@dataclass(frozen=True, slots=True)
class Texts:
    """services.toml and every table of holidays that it names, by their names."""

    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """What `sha256sum services.toml holidays.csv … | sha256sum` prints, the tables in the order of their names."""
        tables = sorted(name for name in self.files if name != SERVICES)
        lines = (f"{_sha256(self.files[name])}  {name}\n" for name in (SERVICES, *tables))
        return _sha256("".join(lines))

    def parse(self, called: str = SERVICES) -> Catalogue:
        """The catalogue that they say; raises CatalogueError, whose lines name the file as `called`."""
        return parse_beside(self.files[SERVICES], called, self.files.get)


@dataclass(frozen=True, slots=True)
class Read:
    """A catalogue that is right, and what it was read from."""

    texts: Texts
    catalogue: Catalogue


def read(path: Path) -> Read:
    """What is on disk; raises CatalogueError with all that is wrong with it."""
    found, content, tables = load_with_texts(path)
    texts = Texts({**tables, SERVICES: content})
    size = sum(len(one.encode()) for one in texts.files.values())
    if size > MOST_BYTES:
        raise CatalogueError([f"{path}: at most {MOST_BYTES} bytes with its tables (got {size})"])
    return Read(texts, found)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
