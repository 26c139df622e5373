"""Puts a backup back: everything is unpacked and checked beside its place first, and the store comes last, in one step.

What is there already is only replaced when that was asked for, and then it is kept under another name.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from detak_collector.channel.private_files import sync_folder
from detak_collector.copies import snapshot
from detak_collector.copies.manifest import FORMAT, MANIFEST, MOST_FILE_BYTES, Manifest, Member
from detak_collector.copies.restored import checked_head
from detak_collector.copies.room import room_in
from detak_collector.ledger.chain import Head
from detak_collector.store.base import StoreError
from detak_collector.store.instance import of_connection, write
from detak_collector.store.sqlite import FILE_NAME

BESIDE_STORE = ("-wal", "-shm")


class BackupError(Exception):
    """A backup that cannot be restored; the text says why."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself, and every file of it but the store."""

    archive: Path
    manifest: Manifest
    files: tuple[tuple[Member, bytes], ...]

    def state_directory(self, config_path: Path) -> Path:
        """Where the store belongs on this machine, as the configuration in the backup says; raises BackupError."""
        for member, content in self.files:
            if member.place == "configuration":
                return config_path.parent / _state_directory(content, self.archive)
        raise BackupError(f"{self.archive}: there is no collector.toml in it")

    def differing(self, config_path: Path) -> list[Path]:
        """The configuration files that are there already, and are not what the backup holds."""
        return [
            path
            for member, content in self.files
            if (path := _target(member, config_path)).exists() and path.read_bytes() != content
        ]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A store that is not in its place yet. `head`: where its chain ends, if it has one."""

    path: Path
    head: Head | None


def _state_directory(content: bytes, archive: Path) -> str:
    try:
        return str(tomllib.loads(content.decode())["state_directory"])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise BackupError(f"{archive}: its collector.toml names no state_directory") from error


def _target(member: Member, config_path: Path) -> Path:
    if member.place == "configuration":
        return config_path
    return config_path.parent / member.path if member.place == "beside" else Path(member.path)


def read(archive: Path) -> Backup:
    """Everything but the store, checked; raises BackupError or OSError."""
    with _reading(archive) as tar:
        manifest = _manifest(tar)
        return Backup(archive, manifest, tuple((one, _content(tar, one)) for one in manifest.members[1:]))


@contextmanager
def unpacked_store(backup: Backup, state_directory: Path) -> Iterator[Unpacked]:
    """The store of a backup in a folder within this directory, checked as a whole. Raises BackupError or StoreError."""
    member = backup.manifest.members[0]
    with tempfile.TemporaryDirectory(prefix=".restore.", dir=state_directory) as folder:
        store = Path(folder) / FILE_NAME
        with room_in(state_directory, member.size), _reading(backup.archive) as tar:
            _unpack(tar, member, store)
        schema = snapshot.check(store)
        snapshot.refuse_newer(backup.archive, schema)
        head = checked_head(store, schema)
        if backup.manifest.ledger not in {"", str(head)}:
            told = f"its ledger ends with {head}, and {MANIFEST} says {backup.manifest.ledger}"
            raise BackupError(f"{backup.archive}: {told}")
        yield Unpacked(store, head)


@contextmanager
def _reading(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
    except BackupError as error:
        raise BackupError(f"{archive}: {error}") from error
    except KeyError as error:
        raise BackupError(f"{archive}: not a whole backup of a collector: {error.args[0]}") from error
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BackupError(f"{archive}: not a whole backup of a collector: {error}") from error


def _manifest(tar: tarfile.TarFile) -> Manifest:
    try:
        manifest = msgspec.json.decode(_opened(tar, MANIFEST).read(MOST_FILE_BYTES), type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupError(f"{MANIFEST}: {error}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise BackupError(f"{MANIFEST}: it is no JSON that this version reads") from error
    if manifest.format != FORMAT:
        raise BackupError(f"of format {manifest.format}, this version reads {FORMAT}")
    if not manifest.members or manifest.members[0].place != "store":
        raise BackupError(f"{MANIFEST}: there is no store in it")
    for member in manifest.members:
        if member.place == "beside" and not _stays_beside(member.path):
            raise BackupError(f"{MANIFEST}: {member.path!r} leads out of the configuration's folder")
    return manifest


def _stays_beside(path: str) -> bool:
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _opened(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise BackupError(f"{name} is no file")
    return file


def _content(tar: tarfile.TarFile, member: Member) -> bytes:
    content = _opened(tar, member.name).read(MOST_FILE_BYTES + 1)
    _refuse_damaged(member, len(content), hashlib.sha256(content).hexdigest())
    return content


def _unpack(tar: tarfile.TarFile, member: Member, target: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with _opened(tar, member.name) as source, target.open("xb") as file:
        while block := source.read(1 << 20):
            digest.update(block)
            size += len(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    _refuse_damaged(member, size, digest.hexdigest())


def _refuse_damaged(member: Member, size: int, digest: str) -> None:
    if (size, digest) != (member.size, member.sha256):
        raise BackupError(f"{member.name} is damaged")


def put_configuration(backup: Backup, config_path: Path, now_utc: int) -> list[Path]:
    """Writes the configuration's files to their places; those that stood there are kept beside. Raises OSError."""
    written = []
    for member, content in backup.files:
        target = _target(member, config_path)
        if target.exists() and target.read_bytes() == content:
            continue
        _make_folder(target.parent, member)
        if target.exists():
            target.rename(set_aside(target, now_utc))
        _place(target, content, member)
        written.append(target)
    return written


def _make_folder(folder: Path, member: Member) -> None:
    """Where it is missing: of whom its files are, so that the service can read and renew them, and as open as they."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    folder.chmod(0o755 if member.mode & 0o004 else 0o700)
    if os.geteuid() == 0:
        _give(folder, member)


def _place(target: Path, content: bytes, member: Member) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), member.mode & 0o777)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:
        _give(target, member)


def _give(target: Path, member: Member) -> None:
    """To the user and group of the same names, where this machine knows them."""
    for name, give in ((member.owner, "user"), (member.group, "group")):
        try:
            if name:
                shutil.chown(target, **{give: name})
        except LookupError:
            continue


def set_aside(path: Path, now_utc: int) -> Path:
    """The name under which something that is replaced is kept."""
    return path.with_name(f"{path.name}.before-{datetime.fromtimestamp(now_utc / 1_000, UTC):%Y%m%dT%H%M%SZ}")


def put_store(fresh: Path, state_directory: Path, now_utc: int) -> Path | None:
    """Makes a checked store the one of this directory, which nobody else uses; tells where the former one is kept.

    Raises StoreError or OSError; until the very last step the former store is in force.
    """
    target = state_directory / FILE_NAME
    _succeed(fresh, now_utc)
    _belong_as(state_directory, fresh)
    former = set_aside(target, now_utc) if target.exists() else None
    if former is not None:
        _keep_former(target, former)
    for ending in BESIDE_STORE:
        # Pages of the former store's log would be read into the new one.
        target.with_name(target.name + ending).unlink(missing_ok=True)
    fresh.replace(target)
    sync_folder(state_directory)
    return former


def _keep_former(target: Path, former: Path) -> None:
    for ending in ("", *BESIDE_STORE):
        path = target.with_name(target.name + ending)
        if path.exists():
            os.link(path, former.with_name(former.name + ending))


def _succeed(store: Path, now_utc: int) -> None:
    """The restored copy takes the place of every other, and belongs to the machine on which it is first served."""
    try:
        with closing(sqlite3.connect(store)) as connection, connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "instance" in tables:
                write(connection, of_connection(connection).successor(now_utc))
            # Who was signed in when the backup was made, or had a token, may have been sent away since.
            for table in sorted(tables & {"account_session", "account_reset", "api_token"}):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - one of these
    except sqlite3.Error as error:
        raise StoreError(f"{store}: {error}") from error
    with store.open("rb") as file:
        os.fsync(file.fileno())


def _belong_as(folder: Path, path: Path) -> None:
    path.chmod(0o600)
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
