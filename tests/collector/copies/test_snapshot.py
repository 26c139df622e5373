"""A copy of the store taken while it is written to, from another process too."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from detak_collector.copies import snapshot
from detak_collector.store.base import StoreBrokenError, StoreError
from detak_collector.store.migrations import NAMES
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_wire.messages import Part
from evidence_builders import NODE, RUN, arrival, beat, opening, reading, span


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    open_store(tmp_path / "state", reading(0)).close()
    return tmp_path / "state" / FILE_NAME


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM span ORDER BY number")]


def test_everything_acknowledged_before_it_began_is_in_it_and_the_writer_never_waits(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "PAGES_AT_ONCE", 1)
    serving = open_store(store.parent, reading(0))
    serving.registry.issue(NODE, b"t" * 32, 60_000 + reading(0).utc, reading(0))
    serving.registry.redeem(b"t" * 32, NODE, b"k" * 32, reading(0))
    acknowledged, seen = [0], []
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            closed = span(number, first=2_000 * number, closed=True)
            part = Part(RUN, opening() if number == 1 else None, [closed])
            serving.evidence.commit([arrival(beat(part, sent=2_000 * number + 100))])
            acknowledged[0] = number

    thread = threading.Thread(target=write)
    thread.start()
    while acknowledged[0] < 50:
        done.wait(0.001)
    before = acknowledged[0]
    snapshot.take(store, tmp_path / "copy", lambda _, __: seen.append(acknowledged[0]))
    done.set()
    thread.join()
    serving.close()
    found = rows(tmp_path / "copy")
    assert found == list(range(1, len(found) + 1))
    assert before <= len(found) <= seen[0] + 1
    # It went on while the copy was made, and what it wrote then is not half there.
    assert seen[-1] > before
    assert snapshot.check(tmp_path / "copy") == list(NAMES)


def test_a_commit_while_it_is_copied_neither_begins_it_anew_nor_gets_into_it(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "PAGES_AT_ONCE", 1)
    steps = []

    def commit_meanwhile(_: int, total: int) -> None:
        steps.append(total)
        assert len(steps) <= total + 1, "it began anew"
        with closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("INSERT INTO text (text) VALUES (?)", (f"later {len(steps)}",))

    snapshot.take(store, tmp_path / "copy", commit_meanwhile)
    assert len(steps) > 5
    with closing(sqlite3.connect(tmp_path / "copy")) as connection:
        assert connection.execute("SELECT count(*) FROM text").fetchone() == (0,)


def test_a_copy_is_one_file_that_only_its_owner_reads(store: Path, tmp_path: Path) -> None:
    snapshot.take(store, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy", "state"]


def test_a_copy_that_is_damaged_is_found_out(store: Path, tmp_path: Path) -> None:
    snapshot.take(store, tmp_path / "copy")
    content = bytearray((tmp_path / "copy").read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    (tmp_path / "copy").write_bytes(bytes(content))
    with pytest.raises(StoreBrokenError):
        snapshot.check(tmp_path / "copy")


def test_where_there_is_no_store_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store to copy yet"):
        snapshot.take(tmp_path / "none", tmp_path / "copy")


@pytest.mark.parametrize("schema", [[*NAMES, "0999_later"], []])
def test_a_schema_that_is_not_known_is_refused(schema: list[str], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="written by a newer Detak"):
        snapshot.refuse_newer(tmp_path, schema)
