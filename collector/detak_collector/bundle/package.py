"""Opens a packed bundle: a compressed tar, of which nothing is written to disk and everything is limited.

Whoever sent it may mean harm: links, devices, paths that lead out, names that are no part of a bundle, files twice,
archives that unpack to more than they may, and files that are not as `bundle.json` says, are refused.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import RawIOBase
from pathlib import Path
from typing import IO, TypeVar

from detak_collector.bundle.codec import MisfitError, read
from detak_collector.bundle.manifest import FORMAT, MANIFEST, NAME, READABLE_VERSIONS, RESULT, Manifest
from detak_collector.bundle.months import LINE_BYTES, decoded

PACKED_BYTES = 1024 * 1024 * 1024
"""The most that a packed bundle may hold, unpacked, the archive's own headers included."""

PACKED_FILES = 100_000
ZIPPED = b"\x1f\x8b"

T = TypeVar("T")


class BundleError(Exception):
    """A bundle that is not taken; the text is for people and names the file."""


@dataclass(frozen=True, slots=True)
class Package:
    """The files of a bundle by name, each as its manifest says."""

    path: Path
    manifest: Manifest
    files: Mapping[str, bytes]

    def content(self, name: str) -> bytes:
        """A file; raises BundleError where it is not there."""
        if name not in self.files:
            raise BundleError(f"{self.path}: {name}: missing")
        return self.files[name]

    def read(self, kind: type[T], name: str) -> T:
        """A JSON file as the type that it holds; raises BundleError."""
        with_place = f"{self.path}: {name}"
        try:
            return read(kind, decoded(self.content(name).strip(), with_place), with_place)
        except MisfitError as error:
            raise BundleError(str(error)) from None

    def text(self, name: str) -> str:
        """A text file; raises BundleError."""
        try:
            return self.content(name).decode()
        except UnicodeDecodeError:
            raise BundleError(f"{self.path}: {name}: not a UTF-8 text") from None

    def under(self, folder: str) -> dict[str, bytes]:
        """The files of a folder, by their names in it."""
        prefix = f"{folder}/"
        return {name.removeprefix(prefix): one for name, one in self.files.items() if name.startswith(prefix)}


def is_packed(path: Path) -> bool:
    """Whether it is an archive whose first file is the manifest of a packed bundle: one look, whatever its size."""
    if not path.is_file():
        return False
    try:
        for archive, entry in _entries(path):
            file = archive.extractfile(entry) if entry.name == MANIFEST and entry.isreg() else None
            return file is not None and "format" in decoded(file.read(LINE_BYTES + 1).strip(), MANIFEST)
    except (BundleError, MisfitError, OSError):
        return False
    return False


def open_package(path: Path) -> Package:
    """The bundle at `path`; raises BundleError, or OSError where it cannot be read."""
    files = dict(_contents(path))
    if MANIFEST not in files:
        raise BundleError(f"{path}: no packed bundle: it lacks {MANIFEST}")
    bare = Package(path, _NO_MANIFEST, files)
    told = decoded_manifest(bare)
    _check(path, told, files)
    return Package(path, told, files)


def decoded_manifest(package: Package) -> Manifest:
    """The manifest, of a format that this program knows; raises BundleError."""
    try:
        raw = decoded(package.content(MANIFEST).strip(), f"{package.path}: {MANIFEST}")
    except MisfitError as error:
        raise BundleError(str(error)) from None
    if raw.get("format") != FORMAT or raw.get("version") not in READABLE_VERSIONS:
        said = f"{str(raw.get('format'))[:40]} {str(raw.get('version'))[:40]}"
        known = " and ".join(map(str, READABLE_VERSIONS))
        raise BundleError(f"{package.path}: this program reads {FORMAT} {known} (got {said})")
    return package.read(Manifest, MANIFEST)


def _check(path: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Every file is there and as the manifest says, and no other."""
    told = {**manifest.files, RESULT: manifest.result}
    for name in sorted({*told, *files} - {MANIFEST}):
        if name not in files:
            raise BundleError(f"{path}: {name[:200]}: missing, though {MANIFEST} names it")
        if name not in told:
            raise BundleError(f"{path}: {name}: {MANIFEST} does not name it")
        if sha256(files[name]).hexdigest() != told[name]:
            raise BundleError(f"{path}: {name}: altered: its SHA-256 is not the one in {MANIFEST}")
    if not manifest.from_utc < manifest.to_utc or any(not one.begin < one.end for one in manifest.months):
        raise BundleError(f"{path}: {MANIFEST}: a time ends before it begins")


_NO_MANIFEST = Manifest("", 0, "", "", 0, 0, 0, "", "", "", (), {})


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    for archive, entry in _entries(path):
        name = _sound_name(path, entry)
        if name in seen:
            raise BundleError(f"{path}: {name}: is there twice")
        seen.add(name)
        file = archive.extractfile(entry)
        try:
            yield name, file.read() if file else b""
        except _UNSOUND as error:
            raise _unsound(path, error) from None


def _sound_name(path: Path, entry: tarfile.TarInfo) -> str:
    shown = repr(entry.name[:200])
    if not entry.isreg() or entry.issparse():
        raise BundleError(f"{path}: {shown}: not an ordinary file: links, folders and devices have no place here")
    if NAME.fullmatch(entry.name) is None or entry.name in {"tables/.", "tables/.."}:
        raise BundleError(f"{path}: {shown}: not the name of a file of a bundle")
    return entry.name


_UNSOUND = (tarfile.TarError, EOFError, ValueError, zlib.error, gzip.BadGzipFile, OverflowError)


def _unsound(path: Path, error: Exception) -> BundleError:
    return BundleError(f"{path}: not a sound archive: {error}")


def _entries(path: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    with path.open("rb") as file:
        zipped = file.read(2) == ZIPPED
        file.seek(0)
        unzipped = gzip.GzipFile(fileobj=file) if zipped else file
        try:
            with tarfile.open(fileobj=_Limited(unzipped), mode="r|") as archive:
                for number, entry in enumerate(archive, start=1):
                    if number > PACKED_FILES:
                        raise BundleError(f"{path}: holds more than {PACKED_FILES} files")
                    yield archive, entry
        except _UNSOUND as error:
            raise _unsound(path, error) from None


class _Limited(RawIOBase):
    """Reads from a stream, and no more than PACKED_BYTES of it, so that a small file cannot fill the memory."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        super().__init__()
        self._stream = stream
        self._left = PACKED_BYTES

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"more than {PACKED_BYTES} bytes when unpacked")
        return content
