"""agent.toml and the files in agent.d beside it, read as TOML. What they may say is for `config`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detak_agent.failures import ConfigurationError
from detak_agent.settings_reading import Errors

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_PIECES = 200
_AS_WHOM = ": run this as root, or as the agent's user"
_HOW_TO_BEGIN = (
    ": the line that `detak-collector enroll NODE` prints makes one, and so does `detak-agent discover --output FILE`"
)

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One file. `name` is what errors call it: agent.toml, or agent.d/10-db.toml."""

    name: str
    table: Table


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of an array such as `[[check]]`: where it stands, and where its errors go."""

    table: Table
    file: str
    path: str
    errors: Errors

    def seen_from(self, other: Entry) -> str:
        """What to call it in an error about another entry."""
        return self.path if self.file == other.file else f"{self.file}: {self.path}"


def folder_of(path: Path) -> Path:
    """Where the pieces of this configuration lie: agent.d beside agent.toml."""
    return path.with_suffix(".d")


def read_pieces(path: Path) -> list[Piece]:
    """The file, then each `*.toml` of its folder by name; raises ConfigurationError with all that cannot be read.

    There need be no folder. Hidden files are left out, as what an editor or a package manager sets aside.
    """
    folder = folder_of(path)
    named = {path.name: path, **{f"{folder.name}/{one.name}": one for one in _files_in(folder)}}
    pieces: list[Piece] = []
    faults: list[str] = []
    for name, file in named.items():
        read = _piece_in(file, name)
        if isinstance(read, Piece):
            pieces.append(read)
        else:
            faults += read
    if faults:
        raise ConfigurationError(faults)
    return pieces


def piece_of(text: str, name: str) -> Piece:
    """The piece with this text; raises ConfigurationError where it is no TOML."""
    try:
        return Piece(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{name}: not TOML: {error}"]) from error


def entries(pieces: Sequence[Piece], key: str, errors: Errors) -> Iterator[Entry]:
    """The tables of the array `key`, file after file; what is no table is left out, and refused elsewhere."""
    for piece in pieces:
        found = piece.table.get(key, [])
        tables = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        for index, table in enumerate(tables):
            yield Entry(table, piece.name, f"{key}[{index}]", errors.of(piece.name))


def _files_in(folder: Path) -> list[Path]:
    try:
        found = sorted(one for one in folder.iterdir() if one.suffix == ".toml" and not one.name.startswith("."))
    except PermissionError as error:
        raise ConfigurationError([f"{folder}: cannot be read: {error.strerror}{_AS_WHOM}"]) from error
    except OSError as error:
        if not folder.exists():
            return []
        raise ConfigurationError([f"{folder}: cannot be read: {error.strerror}"]) from error
    if len(found) > MOST_PIECES:
        raise ConfigurationError([f"{folder}: more than {MOST_PIECES} files (got {len(found)})"])
    return found


def _piece_in(path: Path, name: str) -> Piece | Sequence[str]:
    """The piece, or what is wrong with its file."""
    try:
        # Some editors put a byte order mark before UTF-8.
        return piece_of(path.read_text(encoding="utf-8-sig"), name)
    except ConfigurationError as error:
        return error.lines
    except UnicodeDecodeError:
        return [f"{path}: cannot be read: not UTF-8"]
    except PermissionError as error:
        return [f"{path}: cannot be read: {error.strerror}{_AS_WHOM}"]
    except OSError as error:
        is_first = isinstance(error, FileNotFoundError) and name == path.name
        return [f"{path}: cannot be read: {error.strerror}{_HOW_TO_BEGIN if is_first else ''}"]
