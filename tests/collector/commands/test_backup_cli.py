"""Backups as an administrator makes and restores them."""

import hashlib
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.copies.state_directory import owned
from detak_collector.store.sqlite import FILE_NAME
from outage_history import SERVICES, fill

CALENDAR = """
[[calendar]]
id = "kantor"
timezone = "Asia/Jakarta"
weekly = { mon-fri = "07:30-17:00" }
holidays = "holidays.csv"
joint_leave_none = [2022, 2023, 2024]
"""


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A collector with an outage of ten minutes, a calendar's table and an authority of its own."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home), "--name", "detak.example"]) == 0
    (home / "services.toml").write_text(SERVICES + CALENDAR)
    (home / "holidays.csv").write_text("date,name,kind,decree\n2023-01-01,Tahun Baru,national,SKB 1\n")
    fill(home / "state", {"web": [(300, 310)], "api": []}, 400)
    capsys.readouterr()
    return home


def call(home: Path, *arguments: str | Path) -> int:
    return cli.run(["--config", str(home / "collector.toml"), *map(str, arguments)])


def report(home: Path, capsys: pytest.CaptureFixture[str]) -> object:
    capsys.readouterr()
    assert call(home, "report", "--period", "2023-11", "--format", "json") in {0, 1}
    document = json.loads(capsys.readouterr().out)
    return [document["figure"], document["services"]]


def epoch(home: Path) -> int:
    with closing(sqlite3.connect(home / "state" / FILE_NAME)) as connection:
        found: int = connection.execute("SELECT epoch FROM instance").fetchone()[0]
        return found


def made(home: Path, name: str = "b.tar.gz") -> Path:
    assert call(home, "backup", home.parent / name) == 0
    return home.parent / name


def with_manifest(archive: Path, change: Callable[[dict[str, object]], object]) -> Path:
    """The same archive with another manifest."""
    changed = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as source, tarfile.open(changed, "w:gz") as target:
        for info in source:
            content = source.extractfile(info).read()  # type: ignore[union-attr]
            if info.name == "manifest.json":
                manifest = json.loads(content)
                change(manifest)
                content = json.dumps(manifest).encode()
                info.size = len(content)
            target.addfile(info, io.BytesIO(content))
    return changed


def test_a_backup_restored_on_an_empty_machine_is_the_same_collector(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, before = made(home), report(home, capsys)
    new = tmp_path / "new"
    new.mkdir()
    assert call(new, "restore", archive) == 0
    assert report(new, capsys) == before
    files = [
        "collector.toml",
        "services.toml",
        "holidays.csv",
        "tls/server.pem",
        "ca/authority.pem",
        "ca/authority.key",
    ]
    assert [(new / name).read_bytes() for name in files] == [(home / name).read_bytes() for name in files]
    modes = [(new / name).stat().st_mode & 0o777 for name in ("ca/authority.key", "state/detak.sqlite")]
    assert modes == [0o600, 0o600]
    # Whatever still serves from the store that was backed up gives way to it.
    assert epoch(new) > epoch(home)


def test_a_backup_is_private_and_leaves_nothing_beside_it(home: Path) -> None:
    archive = made(home)
    assert archive.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in archive.parent.iterdir()) == ["b.tar.gz", "detak"]


def test_a_backup_never_overwrites_another(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = made(home)
    before = archive.read_bytes()
    assert call(home, "backup", archive) == 3
    assert "is there already: name another file, or remove it" in capsys.readouterr().err
    assert archive.read_bytes() == before


def test_restoring_over_something_is_refused_and_with_force_keeps_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = made(home)
    (home / "services.toml").write_text(SERVICES.replace("DJBC", "DJP"))
    with closing(sqlite3.connect(home / "state" / FILE_NAME)) as connection:
        connection.execute("DELETE FROM span")
        connection.commit()
    assert call(home, "restore", archive) == 2
    said = capsys.readouterr().err
    assert f"{home}/services.toml: is there already and differs" in said
    assert f"{home}/state/detak.sqlite: there is a store already" in said
    assert call(home, "restore", "--force", archive) == 0
    assert (home / "services.toml").read_text() == SERVICES + CALENDAR
    [kept] = [one for one in home.iterdir() if one.name.startswith("services.toml.before-")]
    assert "DJP" in kept.read_text()
    counts = []
    for path in sorted((home / "state").glob("detak.sqlite*")):
        if path.name.endswith(("-wal", "-shm")):
            continue
        with closing(sqlite3.connect(path)) as connection:
            counts.append(connection.execute("SELECT count(*) FROM span").fetchone()[0] > 0)
    assert counts == [True, False]


def test_a_log_of_the_former_store_is_never_read_into_the_restored_one(home: Path) -> None:
    archive = made(home)
    wal = home / "state" / f"{FILE_NAME}-wal"
    connection = sqlite3.connect(home / "state" / FILE_NAME)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("DELETE FROM span")
    connection.commit()
    left = wal.read_bytes()
    connection.close()
    wal.write_bytes(left)
    assert call(home, "restore", "--force", archive) == 0
    with closing(sqlite3.connect(home / "state" / FILE_NAME)) as restored:
        assert restored.execute("SELECT count(*) > 0 FROM span").fetchone() == (1,)
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_collector_that_runs_is_neither_restored_nor_moved(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = made(home)
    with owned(home / "state"):
        assert call(home, "restore", "--force", archive) == 3
        assert call(home, "move", home.parent / "m.tar.gz") == 3
        assert capsys.readouterr().err.count("another collector is running on it") == 2
    assert not (home.parent / "m.tar.gz").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda manifest: manifest.update(format=2), "of format 2, this version reads 1"),
        (lambda manifest: manifest.update(members=[]), "there is no store in it"),
        (lambda manifest: manifest["members"][0].update(sha256="0" * 64), "store/detak.sqlite is damaged"),
        (lambda manifest: manifest["members"][1].update(size=1), "files/000-collector.toml is damaged"),
        (lambda manifest: manifest["members"][2].update(path="../../etc/passwd"), "leads out of the configuration's"),
        (lambda manifest: manifest.pop("collector"), "Object missing required field `collector`"),
    ],
)
def test_a_backup_that_is_not_as_it_was_made_is_refused_whole(
    home: Path, tmp_path: Path, change: Callable[[dict[str, object]], object], reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    changed = with_manifest(made(home), change)
    new = tmp_path / "new"
    new.mkdir()
    assert call(new, "restore", changed) == 3
    assert reason in capsys.readouterr().err
    assert not (new / "collector.toml").exists()
    assert not list(new.rglob("detak.sqlite"))


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\x1f\x8b" + b"\x00" * 50])
def test_what_is_no_backup_is_said_so(home: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (home.parent / "b").write_bytes(content)
    assert call(home, "restore", home.parent / "b") == 3
    assert "not a whole backup of a collector" in capsys.readouterr().err


def test_a_backup_that_was_cut_off_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = made(home)
    archive.write_bytes(archive.read_bytes()[:-2_000])
    assert call(home, "restore", "--force", archive) == 3
    assert "not a whole backup of a collector" in capsys.readouterr().err


def test_a_store_of_a_newer_version_is_refused(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = made(home)
    changed = archive.with_name("newer.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(tmp_path / "all", filter="data")
    with closing(sqlite3.connect(tmp_path / "all/store/detak.sqlite")) as connection:
        connection.execute("UPDATE _sqlite_migrations SET name = '0999_later' WHERE id = 3")
        connection.commit()
    store = (tmp_path / "all/store/detak.sqlite").read_bytes()
    manifest = json.loads((tmp_path / "all/manifest.json").read_text())
    manifest["members"][0].update(size=len(store), sha256=hashlib.sha256(store).hexdigest())
    (tmp_path / "all/manifest.json").write_text(json.dumps(manifest))
    with tarfile.open(changed, "w:gz") as target:
        target.add(tmp_path / "all", ".")
        for name in ("manifest.json", *(one["name"] for one in manifest["members"])):
            target.add(tmp_path / "all" / name, name)
    assert call(home, "restore", "--force", changed) == 3
    assert "written by a newer Detak (schema 0999_later" in capsys.readouterr().err


def test_what_was_moved_away_serves_no_more_and_its_copy_serves(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, before = home.parent / "m.tar.gz", report(home, capsys)
    assert call(home, "move", archive) == 0
    assert "detak-collector restore m.tar.gz" in capsys.readouterr().out
    assert call(home, "serve") == 2
    assert "it was moved, with m.tar.gz" in capsys.readouterr().err
    new = tmp_path / "new"
    new.mkdir()
    assert call(new, "restore", archive) == 0
    assert report(new, capsys) == before
    assert call(new, "adopt") == 0
    assert "This copy serves here already" in capsys.readouterr().out


def test_a_move_that_was_given_up_is_undone_by_adopting_the_old_copy(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "move", home.parent / "m.tar.gz") == 0
    moved = epoch(home)
    assert call(home, "adopt") == 0
    assert "From now on this copy serves here" in capsys.readouterr().out
    assert epoch(home) > moved


def test_a_move_whose_file_cannot_be_written_fences_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "move", home.parent / "nowhere" / "m.tar.gz") == 3
    capsys.readouterr()
    assert call(home, "adopt") == 0
    assert "This copy serves here already" in capsys.readouterr().out


def test_a_backup_into_a_folder_that_is_not_there_names_it(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "backup", tmp_path / "nowhere" / "b.tar.gz") == 3
    assert capsys.readouterr().err == f"{tmp_path}/nowhere: there is no such folder\n"


def test_an_archive_of_something_else_is_told_in_plain_words(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as archive:
        archive.add(home / "services.toml")
    assert call(home, "restore", other) == 3
    said = capsys.readouterr().err
    assert said == f"{other}: not a whole backup of a collector: filename 'manifest.json' not found\n"
    assert call(home, "restore", home / "services.toml") == 3
    assert capsys.readouterr().err.endswith("not a whole backup of a collector: not a gzip file\n")


def test_a_manifest_that_is_no_text_is_refused(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.tar.gz"
    with tarfile.open(broken, "w:gz") as archive:
        info = tarfile.TarInfo("manifest.json")
        content = b'{"format":1,"made_utc":5,"version":"\xe7"}'
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    assert call(home, "restore", broken) == 3
    assert capsys.readouterr().err == f"{broken}: manifest.json: it is no JSON that this version reads\n"
