"""The SQLite file as a database: its safety switches, its schema, its errors. It does not know what the tables mean."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from detak_collector.store.base import StoreBrokenError, StoreError, StoreUnavailableError
from detak_collector.store.migrations import MIGRATIONS, NAMES

BUSY_TIMEOUT_MS = 5_000
PRIMARY_CODE = 0xFF
"""The low byte of SQLite's extended result codes."""

CHECKPOINT_ROWS = 1_000
"""After so many changed rows a connection moves what is in the write-ahead log to the file."""

_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE}
_UNAVAILABLE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT}
_FULL_SHARED_MEMORY = sqlite3.SQLITE_IOERR_SHMSIZE
"""The file that connections share lies on the same disk, and this is how it is told that it cannot grow."""

_FAILED = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_MAKE_ROOM = ": make room on that disk"
_ADVICE = {
    sqlite3.SQLITE_FULL: _MAKE_ROOM,
    sqlite3.SQLITE_IOERR: ": see what the kernel says of the disk (`dmesg`), then start again; agents deliver again "
    "what was not acknowledged",
    sqlite3.SQLITE_CANTOPEN: ": see that the file and its folder are there, and belong to the user that this runs as",
    sqlite3.SQLITE_CORRUPT: ": restore the latest backup; agents deliver again what came after it",
}
_REQUIRED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": BUSY_TIMEOUT_MS}


def translated(error: sqlite3.Error, path: Path) -> StoreError:
    """The same error as a decision: refuse this one thing, try again, or end."""
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & PRIMARY_CODE
    if code in _REFUSED:
        return StoreError(f"{path}: {error}")
    if extended == _FULL_SHARED_MEMORY:
        return StoreUnavailableError(f"{path}: database or disk is full{_MAKE_ROOM}")
    kind = StoreUnavailableError if code in _UNAVAILABLE else StoreBrokenError
    return kind(f"{path}: {error}{_ADVICE.get(code, '')}")


def connect(path: Path) -> sqlite3.Connection:
    """A connection that any one thread at a time may use, with every safety switch set and seen to be set."""
    try:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    try:
        _make_safe(connection)
    except sqlite3.Error as error:
        connection.close()
        raise translated(error, path) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _make_safe(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # SQLite's own checkpoints keep it to themselves when a sync fails.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    for name, wanted in _REQUIRED.items():
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != wanted:
            raise StoreBrokenError(f"SQLite refuses {name} = {wanted} and says {found}: use a local file system")


def migrate(path: Path, now_utc: int) -> None:
    """Brings the file at `path` to this version's schema, making it where it is missing; refuses a newer one."""
    connection = connect(path)
    try:
        connection.isolation_level = "DEFERRED"
        database = Database(connection)
        refuse_unknown(path, [applied.name for applied in MIGRATIONS.applied(database)])
        MIGRATIONS.apply(database)
        with connection:
            connection.execute(
                "INSERT OR IGNORE INTO collector (id, identity, created_utc) VALUES (1, ?, ?)",
                (secrets.token_hex(8), now_utc),
            )
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        connection.close()


def refuse_unknown(path: Path, applied: Sequence[str]) -> None:
    """Raises StoreBrokenError where the file has had migrations that this version does not know."""
    unknown = [name for name in applied if name not in NAMES]
    if unknown:
        raise StoreBrokenError(
            f"{path}: written by a newer Detak (schema {unknown[-1]}, this version knows up to {NAMES[-1]}): "
            "install that version or restore an older backup"
        )


@dataclass(slots=True)
class Soundness:
    """Whether the file can be relied on, for all connections of this process.

    After a write or a sync that failed nobody knows what the disk holds, and another attempt may seem to succeed. So
    what has failed once stays failed until the process ends.
    """

    failure: str = ""

    def require(self) -> None:
        """Raises StoreBrokenError where it cannot."""
        if self.failure:
            raise StoreBrokenError(self.failure)

    def note(self, error: sqlite3.Error, told: StoreError) -> None:
        """Remembers it, where it was the disk that failed and not what was asked."""
        if isinstance(told, StoreBrokenError) and getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE in _FAILED:
            self.failure = str(told)


@contextmanager
def transaction(
    connection: sqlite3.Connection, path: Path, *, writing: bool = True, soundness: Soundness | None = None
) -> Iterator[None]:
    """All or nothing; when it ends without an error, what was written is durable."""
    soundness = soundness or Soundness()
    soundness.require()
    try:
        connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        yield
        # Another connection may have failed since.
        soundness.require()
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        told = translated(error, path)
        # Noted before the next one may write.
        soundness.note(error, told)
        _roll_back(connection)
        raise told from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def sync_directories(directory: Path) -> None:
    """Makes it durable that `directory` and those around it are there: a file's own sync does not."""
    for one in (directory, *directory.resolve().parents):
        with suppress(OSError):
            entry = os.open(one, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(entry)
            finally:
                os.close(entry)


def _mark(path: Path) -> tuple[int, int] | None:
    """By which a file is known from another one of its name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class SqliteConnection:
    """One connection to the file."""

    lives = 1

    def __init__(
        self,
        path: Path,
        soundness: Soundness,
        *,
        durable: bool = True,
        opened: Callable[[Path], sqlite3.Connection] = connect,
    ) -> None:
        self._path = path
        self._soundness = soundness
        self._connection = opened(path)
        self._file = _mark(path)
        self._moved = 0
        self.execute = self._connection.execute
        self.executemany = self._connection.executemany
        if not durable:
            self.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self, *, writing: bool = True) -> Iterator[None]:
        """As the seam says; a file that was removed or replaced takes nothing more: it would be lost at the end."""
        if writing and _mark(self._path) != self._file:
            self._soundness.failure = self._soundness.failure or (
                f"{self._path}: was removed or replaced while it was open, so nothing more is taken: bring it back, or "
                "restore the latest backup; agents deliver again what came after it"
            )
        with transaction(self._connection, self._path, writing=writing, soundness=self._soundness):
            yield
        if writing:
            self._checkpoint_at_times()
            # Whoever has failed meanwhile: nobody is told any more that something succeeded.
            self._soundness.require()

    def _checkpoint_at_times(self) -> None:
        """On a full disk the log cannot be moved, but what is in it is durable: that is tried again at the next one."""
        changed = self._connection.total_changes
        if changed - self._moved < CHECKPOINT_ROWS:
            return
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            told = translated(error, self._path)
            self._soundness.note(error, told)
            if not isinstance(told, StoreUnavailableError):
                raise told from error
        else:
            self._moved = changed

    def together(self) -> AbstractContextManager[None]:
        """As the seam says: nothing travels here."""
        return nullcontext()

    def changes(self) -> int:
        """As the seam says; any other change counts too."""
        version: int = self.execute("PRAGMA data_version").fetchone()[0]
        return version

    def close(self) -> None:
        """As the seam says. After a failure it is left to the end of the process: closing would write to the file."""
        if not self._soundness.failure:
            self._connection.close()


class SqliteDatabase:
    """The file at `path`."""

    shared = False
    lacks_standby = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._soundness = Soundness()

    @property
    def place(self) -> str:
        """Where the file is."""
        return str(self.path)

    def connect(self, *, durable: bool = True) -> SqliteConnection:
        """As the seam says."""
        self._soundness.require()
        return SqliteConnection(self.path, self._soundness, durable=durable)

    def close(self) -> None:
        """As the seam says: nothing is held."""

    @contextmanager
    def reading(self) -> Iterator[SqliteConnection]:
        """As the seam says."""
        with closing(self.connect()) as connection, connection.transaction(writing=False):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[SqliteConnection]:
        """As the seam says."""
        with closing(self.connect()) as connection, connection.transaction():
            yield connection
