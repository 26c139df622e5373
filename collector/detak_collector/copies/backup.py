"""Makes a backup: the store as of one moment, and every file that the collector is configured by, in one archive.

The archive appears under its name only once it is whole, checked and on disk. It holds keys, and is as secret as they
are.
"""

from __future__ import annotations

import grp
import hashlib
import io
import os
import pwd
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

from detak_collector import catalogue
from detak_collector.channel.private_files import sync_folder
from detak_collector.config import Config
from detak_collector.copies import snapshot
from detak_collector.copies.instance import Instance
from detak_collector.copies.manifest import FILES, FORMAT, MANIFEST, STORE, Manifest, Member, Place
from detak_collector.copies.restored import checked_head
from detak_collector.copies.room import room_in
from detak_collector.store.instance import of_connection, write
from detak_collector.store.sqlite import FILE_NAME

LAST_NAME = "last-backup.json"
COMPRESSION = 3


class LastBackup(msgspec.Struct, frozen=True):
    """`last-backup.json` in the state directory: when the last one was made, and where it went."""

    utc: int
    path: str


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is whole. `store_bytes`: the size of the store in it. `ledger`: the head of its chain."""

    path: Path
    size: int
    store_bytes: int
    files: int
    ledger: str


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up."""

    config_path: Path
    config: Config

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.config.state_directory / FILE_NAME

    def files(self) -> Iterator[tuple[Place, Path]]:
        """Every file that the collector is configured by, and its authority, each once; those that are there."""
        seen: set[Path] = set()
        for path in (self.config_path, *_named(self.config)):
            if path.is_file() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield _place(path, self.config_path), path


def _named(config: Config) -> Iterator[Path]:
    yield config.services
    yield from _calendars(config.services)
    if config.tls is not None:
        yield from (config.tls.certificate, config.tls.key)
        if config.tls.authority is not None and config.tls.authority.is_dir():
            yield from sorted(config.tls.authority.iterdir())
    if config.syslog is not None:
        named = (config.syslog.ca_file, config.syslog.certificate, config.syslog.key)
        yield from (path for path in named if path is not None)


def _calendars(services: Path) -> Iterator[Path]:
    """The tables of holidays; of a catalogue that cannot be read nobody knows which they are."""
    try:
        loaded = catalogue.load(services)
    except catalogue.CatalogueError:
        return
    yield from (services.parent / one.holidays_file for one in loaded.calendars if one.holidays_file is not None)


def _place(path: Path, config_path: Path) -> Place:
    if path == config_path:
        return "configuration"
    return "beside" if path.absolute().is_relative_to(config_path.parent.absolute()) else "elsewhere"


def make(
    source: Source,
    target: Path,
    now_utc: int,
    *,
    fence: Callable[[], None] | None = None,
    progress: snapshot.Progress = snapshot.untold,
) -> Made:
    """Makes the archive at `target`, which must not exist; raises StoreError or OSError.

    With a `fence` it is the copy that serves elsewhere instead of this one: that is called once all of the archive is
    on disk, before it appears under its name.
    """
    if target.exists():
        raise FileExistsError(0, "is there already: name another file, or remove it", str(target))
    with (
        room_in(target.parent, _needed(source)),
        tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder,
    ):
        copy, archive = Path(folder) / "store", Path(folder) / "archive"
        snapshot.take(source.store, copy, progress)
        schema = snapshot.check(copy)
        snapshot.refuse_newer(source.store, schema)
        ledger = str(checked_head(copy, schema) or "")
        collector, instance = _identified(copy, None if fence is None else now_utc, schema)
        found = [(place, path, path.read_bytes()) for place, path in source.files()]
        members = [_of_store(copy), *(_member(n, *one, source.config_path) for n, one in enumerate(found))]
        made_by = version("detak-collector")
        manifest = Manifest(FORMAT, now_utc, made_by, collector, instance.epoch, schema, members, ledger)
        with _archive(archive) as tar:
            _add(tar, MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1), now_utc)
            for member, (_, _, content) in zip(members[1:], found, strict=True):
                _add(tar, member.name, content, now_utc)
            tar.add(copy, STORE, filter=lambda info: _plain(info, now_utc))
        made = Made(target, archive.stat().st_size, members[0].size, len(found), ledger)
        if fence is not None:
            fence()
        archive.rename(target)
    sync_folder(target.parent)
    return made


def _needed(source: Source) -> int:
    """The copy of the store, and at the worst as much again for the archive."""
    return 2 * source.store.stat().st_size if source.store.is_file() else 0


def _identified(copy: Path, successor_utc: int | None, schema: list[str]) -> tuple[str, Instance]:
    """The collector's identity and the copy's, made the next one where it is to serve elsewhere."""
    with closing(sqlite3.connect(copy)) as connection, connection:
        (collector,) = connection.execute("SELECT identity FROM collector").fetchone()
        if "0009_instance" not in schema:
            return collector, Instance(0, b"", "")
        instance = of_connection(connection)
        if successor_utc is not None:
            instance = instance.successor(successor_utc)
            write(connection, instance)
        return collector, instance


def _of_store(copy: Path) -> Member:
    digest = hashlib.sha256()
    with copy.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return Member(STORE, "store", FILE_NAME, copy.stat().st_size, digest.hexdigest(), 0o600)


def _member(number: int, place: Place, path: Path, content: bytes, config_path: Path) -> Member:
    kept = path.absolute()
    where = str(kept.relative_to(config_path.parent.absolute())) if place == "beside" else str(kept)
    status = path.stat()
    digest = hashlib.sha256(content).hexdigest()
    owner, group = _user_name(status.st_uid), _group_name(status.st_gid)
    mode = status.st_mode & 0o777
    return Member(f"{FILES}{number:03}-{path.name}", place, where, len(content), digest, mode, owner, group)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


@contextmanager
def _archive(path: Path) -> Iterator[tarfile.TarFile]:
    """An archive that is on disk when it is closed."""
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        with closing(tarfile.open(fileobj=file, mode="w:gz", compresslevel=COMPRESSION)) as tar:
            yield tar
        file.flush()
        os.fsync(file.fileno())


def _add(tar: tarfile.TarFile, name: str, content: bytes, now_utc: int) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(_plain(info, now_utc), io.BytesIO(content))


def _plain(info: tarfile.TarInfo, now_utc: int) -> tarfile.TarInfo:
    info.mode, info.mtime = 0o600, now_utc // 1_000
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info
