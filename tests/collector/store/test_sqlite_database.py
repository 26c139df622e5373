import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from detak_collector.store.base import StoreBrokenError, StoreError, StoreUnavailableError
from detak_collector.store.migrations import MIGRATIONS, NAMES
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_collector.store.sqlite_database import SqliteDatabase, connect, transaction, translated
from evidence_builders import reading


def test_every_connection_is_durable_and_checks_references(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "file")) as connection:
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        assert found == ["wal", 2]
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_a_newer_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    open_store(tmp_path, reading(0)).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('detak', '9999_later', '')"
        )
    with pytest.raises(StoreBrokenError, match=r"written by a newer Detak .schema 9999_later,.*install that version"):
        open_store(tmp_path, reading(0))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreBrokenError, match="file is not a database"):
        open_store(tmp_path, reading(0))


def test_the_identity_of_a_collector_stays(tmp_path: Path) -> None:
    with closing(open_store(tmp_path, reading(0))) as store:
        identity = store.collector
    with closing(open_store(tmp_path, reading(9))) as store:
        assert store.collector == identity


def test_the_list_of_migrations_is_complete(tmp_path: Path) -> None:
    assert tuple(migration.name for migration in MIGRATIONS._migrations) == NAMES


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE fact (id INTEGER PRIMARY KEY) STRICT")
        connection.execute(
            "CREATE TRIGGER second AFTER INSERT ON fact WHEN new.id = 2 BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        with pytest.raises(StoreError, match="no"), transaction(connection, path):
            connection.executemany("INSERT INTO fact VALUES (?)", [(1,), (2,)])
        assert connection.execute("SELECT count(*) FROM fact").fetchone() == (0,)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, StoreUnavailableError),
        (sqlite3.SQLITE_BUSY, StoreUnavailableError),
        (sqlite3.SQLITE_IOERR_SHMSIZE, StoreUnavailableError),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreBrokenError),
        (sqlite3.SQLITE_CORRUPT, StoreBrokenError),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, StoreError),
    ],
)
def test_an_error_of_the_database_carries_what_to_do_about_it(code: int, kind: type[StoreError]) -> None:
    error = sqlite3.OperationalError("told by SQLite")
    error.sqlite_errorcode = code
    assert type(translated(error, Path("file"))) is kind


def test_a_database_that_another_process_keeps_locked_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with closing(connect(path)) as mine, closing(connect(path)) as other, transaction(other, path):
        mine.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(StoreUnavailableError, match="locked"), transaction(mine, path):
            pass


def failing(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("told by SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_CORRUPT])
def test_once_the_disk_has_failed_no_connection_of_the_process_writes_or_reads_any_more(
    tmp_path: Path, code: int
) -> None:
    open_store(tmp_path, reading(0)).close()
    database = SqliteDatabase(tmp_path / FILE_NAME)
    earlier = database.connect()
    with pytest.raises(StoreBrokenError, match="told by SQLite"), database.writing():
        raise failing(code)
    with pytest.raises(StoreBrokenError, match="told by SQLite"), earlier.transaction():
        pytest.fail("it went on")
    with pytest.raises(StoreBrokenError, match="told by SQLite"), database.reading():
        pytest.fail("it went on")


def test_a_transaction_under_way_when_another_connection_fails_is_not_committed(tmp_path: Path) -> None:
    open_store(tmp_path, reading(0)).close()
    database = SqliteDatabase(tmp_path / FILE_NAME)
    with pytest.raises(StoreBrokenError), database.writing() as connection:  # noqa: PT012 - both are under way
        connection.execute("UPDATE collector SET identity = 'other'")
        with suppress(StoreBrokenError), database.reading():
            raise failing(sqlite3.SQLITE_IOERR_READ)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        assert other.execute("SELECT identity FROM collector").fetchone() != ("other",)


def test_a_statement_that_is_wrong_does_not_end_the_use_of_the_file(tmp_path: Path) -> None:
    open_store(tmp_path, reading(0)).close()
    database = SqliteDatabase(tmp_path / FILE_NAME)
    with pytest.raises(StoreError), database.reading() as connection:
        connection.execute("SELECT nothing FROM nowhere")
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM collector").fetchone() == (1,)


def test_the_write_ahead_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    open_store(tmp_path, reading(0)).close()
    path = tmp_path / FILE_NAME
    log = path.with_name(f"{FILE_NAME}-wal")
    with closing(SqliteDatabase(path).connect()) as connection:
        sizes = []
        for commit in range(40):
            with connection.transaction():
                connection.executemany(
                    "INSERT INTO text (text) VALUES (?)", [(f"{commit}/{row}/{'x' * 400}",) for row in range(200)]
                )
            sizes.append(log.stat().st_size)
    assert max(sizes) < 2 * sizes[4]


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_more_is_taken_once_the_file_is_gone_or_is_another_one(tmp_path: Path, *, replaced: bool) -> None:
    store = open_store(tmp_path, reading(0))
    row = store.watch.begin(reading(0))
    (tmp_path / FILE_NAME).rename(tmp_path / "away")
    if replaced:
        (tmp_path / FILE_NAME).write_bytes((tmp_path / "away").read_bytes())
    with pytest.raises(StoreBrokenError, match="was removed or replaced while it was open"):
        store.watch.extend(row, reading(1_000))
    # No other connection of the process goes on either.
    with pytest.raises(StoreBrokenError, match="was removed or replaced"):
        store.registry.issue("a", b"a", 1, reading(0))
