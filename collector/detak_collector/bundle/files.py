"""The files of a bundle, from a directory or out of a tar archive, of which nothing is ever written to disk."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO, RawIOBase
from pathlib import Path, PurePosixPath
from typing import IO

from detak_collector.catalogue import CatalogueError

CATALOGUE = "services.toml"
ARCHIVE_BYTES = 1024 * 1024 * 1024
"""The most that an archive may hold, unpacked, its own headers included."""

ARCHIVE_FILES = 1_000
SUFFIXES = (".toml", ".ndjson", ".json", ".csv")
"""Of an archive's other files only the names are looked at."""

Files = Mapping[str, Callable[[], IO[bytes]]]
"""File name to a way to open it."""


def files_of(path: Path) -> Files:
    """The files at `path`; raises CatalogueError where there is neither a directory nor an archive."""
    if path.is_dir():
        return {entry.name: partial(_opened, entry) for entry in sorted(path.iterdir()) if entry.is_file()}
    try:
        return {name: partial(BytesIO, content) for name, content in _in_one_folder(path).items()}
    except FileNotFoundError:
        raise CatalogueError([f"{path}: there is no such file or directory"]) from None
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        raise CatalogueError([f"{path}: neither a directory nor a sound tar archive: {error}"]) from None


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _in_one_folder(path: Path) -> dict[str, bytes]:
    """The archive's files that lie in the same folder as its one services.toml."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if zipped:
            with gzip.GzipFile(fileobj=file) as unzipped:
                contents = dict(_contents(_Limited(unzipped), path))
        else:
            contents = dict(_contents(_Limited(file), path))
    folders = [name.parent for name in contents if name.name == CATALOGUE]
    if len(folders) != 1:
        raise CatalogueError([f"{path}: must hold one {CATALOGUE} (got {len(folders)})"])
    return {name.name: content for name, content in contents.items() if name.parent == folders[0]}


def _contents(stream: _Limited, path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for number, entry in enumerate(archive, start=1):
            name = PurePosixPath(entry.name)
            if number > ARCHIVE_FILES:
                raise CatalogueError([f"{path}: holds more than {ARCHIVE_FILES} files"])
            if name.is_absolute() or ".." in name.parts:
                raise CatalogueError([f"{path}: {entry.name!r} points outside of the archive"])
            if entry.isdir():
                continue
            if not entry.isreg() or entry.issparse():
                raise CatalogueError([f"{path}: {entry.name!r} is not an ordinary file"])
            if name.suffix in SUFFIXES:
                content = archive.extractfile(entry)
                yield name, content.read() if content else b""


class _Limited(RawIOBase):
    """Reads from a stream, and no more than ARCHIVE_BYTES of it, so that a small file cannot fill the memory."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        super().__init__()
        self._stream = stream
        self._left = ARCHIVE_BYTES

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"more than {ARCHIVE_BYTES} bytes when unpacked")
        return content
