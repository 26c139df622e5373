"""From the files of a bundle to what the engine is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, TypeVar

from detak_collector.bundle.facts import read_facts
from detak_collector.bundle.files import CATALOGUE, Files, files_of
from detak_collector.catalogue import CatalogueError, Entered, parse_declarations, parse_exclusions
from detak_collector.catalogue.moments import instant
from detak_collector.catalogue.organisation import FILE_BYTES, parse_beside
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.table import table
from detak_collector.downtime.catalogue import Catalogue, Declaration, Exclusion
from detak_collector.downtime.facts import Node

FACTS, EXCLUSIONS, DECLARATIONS, DETAILS = "facts.ndjson", "exclusions.ndjson", "declarations.ndjson", "bundle.json"
NAMES = (CATALOGUE, FACTS, EXCLUSIONS, DECLARATIONS, DETAILS)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says: catalogue, facts by node, corrections, and the moment as of which it speaks, if it says."""

    catalogue: Catalogue
    facts: Mapping[str, Node]
    entered: tuple[Entered, ...]
    declarations: tuple[Declaration, ...] = ()
    as_of: int | None = None

    def exclusions(self, until: int) -> tuple[Exclusion, ...]:
        """Its exclusions; of those that recur, the windows that begin before `until`. Raises CatalogueError."""
        return tuple(window for one in self.entered for window in one.windows(until))


def read_bundle(path: Path) -> Bundle:
    """The bundle in a directory or a .tar, .tar.gz or .tgz file; raises CatalogueError with every problem in it."""
    reader = _Reader(files_of(path), [])
    reader.check_names()
    catalogue = reader.attempt(reader.catalogue)
    facts = reader.attempt(reader.facts)
    as_of = reader.attempt(reader.as_of)
    exclusions = reader.attempt(lambda: reader.exclusions(catalogue)) if catalogue is not None else None
    declarations = reader.attempt(lambda: reader.declarations(catalogue)) if catalogue is not None else None
    if catalogue is None or facts is None or reader.problems:
        raise CatalogueError(reader.problems)
    return Bundle(catalogue, facts, exclusions or (), declarations or (), as_of)


@dataclass(frozen=True, slots=True)
class _Reader:
    files: Files
    problems: list[str]

    def attempt(self, step: Callable[[], T]) -> T | None:
        """What a step reads, or None with its problems noted, so that the next step is tried as well."""
        try:
            return step()
        except CatalogueError as error:
            self.problems.extend(error.lines)
            return None

    def check_names(self) -> None:
        """A misspelt file must not be passed over; other files may lie beside."""
        for name in self.files:
            if name not in NAMES and name.endswith((".ndjson", ".json", ".toml")):
                for close in get_close_matches(name, NAMES, n=1, cutoff=0.8):
                    self.problems.append(f"{name}: not a file of a bundle; rename it to {close} or take it away")

    def catalogue(self) -> Catalogue:
        return parse_beside(
            self._text(CATALOGUE), CATALOGUE, lambda name: self._text(name) if name in self.files else None
        )

    def facts(self) -> dict[str, Node]:
        top = Place(FACTS, [])
        with self._open(FACTS) as stream:
            found = read_facts(stream, top)
        top.settle()
        return found

    def exclusions(self, catalogue: Catalogue) -> tuple[Entered, ...]:
        return parse_exclusions(self._text(EXCLUSIONS), catalogue) if EXCLUSIONS in self.files else ()

    def declarations(self, catalogue: Catalogue) -> tuple[Declaration, ...]:
        return parse_declarations(self._text(DECLARATIONS), catalogue) if DECLARATIONS in self.files else ()

    def as_of(self) -> int | None:
        """The moment as of which the bundle speaks, from bundle.json, if it has one."""
        if DETAILS not in self.files:
            return None
        top = Place(DETAILS, [])
        try:
            details = table(json.loads(self._text(DETAILS)), top)
        except (ValueError, RecursionError) as error:
            raise CatalogueError([f"{DETAILS}: not JSON: {error}"]) from None
        moment = None
        if details is not None:
            moment = details.optional("as_of", instant)
            details.finish()
        top.settle()
        return moment

    def _text(self, name: str) -> str:
        with self._open(name) as file:
            content = file.read(FILE_BYTES + 1)
        if len(content) > FILE_BYTES:
            raise CatalogueError([f"{name}: larger than {FILE_BYTES} bytes"])
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise CatalogueError([f"{name}: not a UTF-8 text: {error}"]) from None

    def _open(self, name: str) -> IO[bytes]:
        if name not in self.files:
            raise CatalogueError([f"{name}: missing; a bundle needs {CATALOGUE} and {FACTS}"])
        try:
            return self.files[name]()
        except OSError as error:
            raise CatalogueError([f"{name}: cannot be read: {error}"]) from None
