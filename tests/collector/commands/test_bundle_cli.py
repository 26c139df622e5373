"""A bundle as an operator makes it and an auditor checks it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.bundle import auditor
from detak_collector.bundle.manifest import BLOCKS, CORRECTIONS, MANIFEST, NAME, RESULT
from detak_collector.clocks import system_clock
from detak_collector.config import load
from detak_collector.operating.catalogue_keeper import CatalogueKeeper
from outage_history import SERVICES, fill
from packed_bundles import files_of, forged

DOCUMENT = (Path(__file__).parents[3] / "docs" / "bundle.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```bash\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
MINUTE = 60_000
ADD = ("exclude", "add", "--category", "planned", "--service", "portal", "--from", "2023-11-15T06:00",
       "--to", "2023-11-15T06:30", "--document", "ND-12/2023", "--reason", "patches", "--by", "Ani")  # fmt: skip

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """26 minutes of downtime in November 2023, of which 8 are excluded."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    fill(home / "state", {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    return home


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["--config", str(home / "collector.toml"), *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return say


@pytest.fixture
def path(say: Say, tmp_path: Path) -> Path:
    """The bundle of that month, with an exclusion in force."""
    assert say(*ADD)[0] == 0
    assert say("exclude", "approve", "x1", "--by", "Budi")[0] == 0
    path = tmp_path / "2023-11.tar.gz"
    code, told, errors = say("bundle", "2023-11", "-o", path)
    assert code == 0, errors
    assert told.startswith(f"{path}: 2023-11 as of ")
    assert told.endswith(f"SHA-256 {sha256(path.read_bytes()).hexdigest()}\n")
    return path


def as_of(path: Path) -> str:
    told = json.loads(files_of(path.read_bytes())[RESULT])["as_of"]
    assert isinstance(told, str)
    return told


@pytest.fixture
def drilled(say: Say, path: Path) -> Path:
    """The same bundle, with a drill that was declared ahead as well."""
    assert say(*(word.replace("2023-11-15T06", "2099-11-15T06") for word in ADD), "--drill")[0] == 0
    assert say("exclude", "approve", "x2", "--by", "Budi")[0] == 0
    assert say("bundle", "2023-11", "-o", path)[0] == 0
    return path


def test_recomputing_gives_the_report_of_the_store_but_for_its_year(say: Say, drilled: Path) -> None:
    path = drilled
    code, told, errors = say("recompute", path, "--format", "json")
    assert (code, "recomputed: the same, to the byte" in errors) == (0, True)
    again = json.loads(told)
    _, told, _ = say("report", "--period", "2023-11", "--as-of", as_of(path), "--format", "json")
    report = json.loads(told)
    assert again["figure"]["counted_ms"] == 18 * MINUTE
    for one in (again, report):
        del one["year_to_date"]
        for month in one["months"]:
            month.pop("year_to_date", None)
    assert [one["drill"] for one in again["exclusions"]] == [False, True]
    assert again == report


def test_what_is_a_drill_cannot_be_told_otherwise_and_a_bundle_that_knew_none_still_holds(
    say: Say, drilled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = drilled.read_bytes()
    assert auditor.run(["check", str(drilled)]) == 0
    for told, why in ((b"[]", "exclusion x2: is a drill"), (b'["x1","x2"]', "exclusion x1: is no drill")):
        drilled.write_bytes(forged(sound, _replacing(b'["x2"]', told)))
        assert auditor.run(["check", str(drilled)]) == 1
        assert why in capsys.readouterr().out
    drilled.write_bytes(forged(sound, _replacing(b',"drills":["x2"]', b""), version=1))
    assert auditor.run(["check", str(drilled)]) == 0
    code, told_of_first, errors = say("recompute", drilled, "--format", "json")
    assert (code, "the same, to the byte" in errors) == (0, True)
    assert ["drill" in one for one in json.loads(told_of_first)["exclusions"]] == [False, False], "it does not say"


def _replacing(before: bytes, after: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert before in files[CORRECTIONS], files[CORRECTIONS]
        files[CORRECTIONS] = files[CORRECTIONS].replace(before, after)

    return change


def test_a_bundle_as_of_the_same_moment_is_the_same_bytes_whatever_was_entered_since(
    say: Say, path: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.tar.gz"
    assert say("exclude", "withdraw", "x1", "--reason", "wrong", "--document", "ND-1", "--by", "Ani")[0] == 0
    assert say("exclude", "approve", "x2", "--by", "Budi")[0] == 0
    assert say("ledger", "head")[0] == 0
    assert say("bundle", "2023-11", "--as-of", as_of(path), "-o", again)[0] == 0
    assert again.read_bytes() == path.read_bytes()
    assert say("bundle", "2023-11", "-o", again)[0] == 0
    assert json.loads(files_of(again.read_bytes())[RESULT])["figure"]["counted_ms"] == 26 * MINUTE


def test_every_file_has_its_place_in_the_document(path: Path) -> None:
    files = files_of(path.read_bytes())
    assert next(iter(files)) == MANIFEST
    assert all(NAME.fullmatch(name) for name in files)
    folders = {name.partition("/")[0] for name in files}
    assert [one for one in sorted(folders) if f"`{one}" not in DOCUMENT] == []


def test_the_auditor_finds_entries_and_figure_as_they_were_and_what_an_exclusion_changed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert auditor.run(["check", str(path)]) == 0
    capsys.readouterr()
    assert auditor.run(["without", str(path), "x1"]) == 0
    assert "change    +480,000 ms counted" in capsys.readouterr().out
    assert auditor.run(["without", str(path), "x9"]) == 2
    assert "no exclusion or declaration is called 'x9'; there are: x1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b'"scope":"portal","scope_kind":"service"', b'"scope":"","scope_kind":"all"', "is not as it was proposed"),
        (b'"approved_by":"Budi"', b'"approved_by":"Cici"', "is not as it was proposed"),
        (b'"reason":"patches"', b'"reason":"a storm"', "is not as it was proposed"),
        (b'"begin":1700002800000', b'"begin":1600002800000', "is not as it was proposed"),
        (b'"id":"x1"', b'"id":"x2"', "exclusion x1: approved in the ledger, and left out"),
    ],
)
def test_a_forged_exclusion_is_found(
    path: Path, before: bytes, after: bytes, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(files: dict[str, bytes]) -> None:
        assert before in files[CORRECTIONS], files[CORRECTIONS]
        files[CORRECTIONS] = files[CORRECTIONS].replace(before, after)

    path.write_bytes(forged(path.read_bytes(), change))
    assert auditor.run(["check", str(path)]) == 1
    assert why in capsys.readouterr().out


def test_a_figure_that_comes_out_as_another_one_is_bad_news(say: Say, path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        files[RESULT] = files[RESULT].replace(b"18", b"17")

    path.write_bytes(forged(path.read_bytes(), change))
    code, _, errors = say("recompute", path)
    assert (code, "recomputed: NOT THE SAME as what it was bundled with" in errors) == (1, True)


def test_a_service_is_explained_from_the_bundle_as_from_the_store(say: Say, path: Path) -> None:
    code, told, _ = say("explain", "portal", "--bundle", path)
    assert (code, "db-01/web" in told, "planned x1, document ND-12/2023" in told) == (0, True, True)
    assert say("explain", "portal", "--period", "2023-11", "--as-of", as_of(path))[1] == told
    code, _, errors = say("explain", "nobody", "--bundle", path)
    assert (code, "no such service; one of portal, pusat" in errors) == (2, True)


@pytest.mark.parametrize("words", [("--period", "2023-11"), ("--as-of", "2023-12-01")])
def test_a_bundle_is_of_one_period_and_one_moment(say: Say, path: Path, words: tuple[str, str]) -> None:
    code, _, errors = say("recompute", path, *words)
    assert (code, "this bundle is of one period and one moment" in errors) == (2, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("2023-11-99",), "PERIOD: "),
        ((), "give either PERIOD, or --from and --to"),
        (("2023-11", "--as-of", "2999-01-01"), "lies ahead"),
        (("2023-11", "--as-of", "2020-01-01"), "nothing was known then"),
    ],
)
def test_what_cannot_be_bundled_is_told_and_nothing_is_written(
    say: Say, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    path = tmp_path / "out" / "b.tar.gz"
    path.parent.mkdir()
    code, _, errors = say("bundle", *words, "-o", path)
    assert (code, why in errors) == (2, True)
    assert list(path.parent.iterdir()) == []


def test_an_archive_that_somebody_wrote_by_hand_is_still_recomputed(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "hand.tar.gz"
    fact = b'{"node":"db-01","check":"web","state":"down","first":"2024-01-05T01:00:00Z","last":"2024-01-05T02:00:00Z"}'
    with tarfile.open(path, mode="w:gz") as archive:
        details = b'{"as_of":"2024-02-01T00:00:00Z"}'
        for name, content in (("bundle.json", details), ("services.toml", SERVICES.encode()), ("facts.ndjson", fact)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    code, told, _ = say("recompute", path, "--period", "2024-01", "--format", "json")
    assert (code, json.loads(told)["figure"]["counted_ms"]) == (0, 60 * MINUTE)


def unpacked(path: Path, folder: Path) -> Path:
    for name, content in files_of(path.read_bytes()).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def shell(folder: Path, kept: str) -> subprocess.CompletedProcess[str]:
    words = ["bash", "-euo", "pipefail", "-c", "\n".join(COMMANDS)]
    environment = {"PATH": "/usr/bin:/bin", "KEPT": kept, "LC_ALL": "C"}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_commands_of_the_document_find_a_sound_bundle_sound(path: Path, tmp_path: Path) -> None:
    folder = unpacked(path, tmp_path / "unpacked")
    head = json.loads((folder / MANIFEST).read_text())["ledger"]
    done = shell(folder, head)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "0.0208 %: 1080000 of 5184000000 ms"
    assert shell(folder, "1:" + "0" * 64).returncode == 1


@pytest.mark.parametrize("name", [BLOCKS, "ledger/records/1.ndjson", "facts/2023-11.ndjson", RESULT, "services.toml"])
def test_the_commands_of_the_document_find_an_altered_file(path: Path, tmp_path: Path, name: str) -> None:
    folder = unpacked(path, tmp_path / "unpacked")
    head = json.loads((folder / MANIFEST).read_text())["ledger"]
    content = (folder / name).read_text()
    (folder / name).write_text(content.replace("1", "2", 1))
    assert shell(folder, head).returncode == 1


def test_windows_that_recur_and_declarations_are_bundled_as_they_have_effect(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    down = ("declare", "add", "--category", "down", "--service", "portal", "--from", "2023-11-15T08:00",
            "--to", "2023-11-15T08:30", "--document", "BA-1", "--reason", "users called", "--by", "Ani")  # fmt: skip
    assert say(*ADD, "--recurrence", "FREQ=DAILY;COUNT=3")[0] == 0
    assert say(*down)[0] == 0
    assert say("exclude", "approve", "x1", "--by", "Budi")[0] == 0
    assert say("declare", "approve", "d2", "--by", "Budi")[0] == 0
    assert say("bundle", "2023-11", "-o", path)[0] == 0
    files = files_of(path.read_bytes())
    told = json.loads(files[CORRECTIONS])
    assert [one["window"] for one in told["exclusions"]] == [1, 2, 3]
    assert json.loads(files[RESULT])["figure"]["counted_ms"] == 48 * MINUTE
    assert say("recompute", path)[0] == 0
    assert auditor.run(["check", str(path)]) == 0


def test_the_catalogue_is_the_version_in_force_and_another_one_is_found_where_no_figure_shows_it(
    home: Path, say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, path = load(home / "collector.toml"), tmp_path / "b.tar.gz"
    with closing(config.store.open(system_clock()())) as store:
        CatalogueKeeper(store, system_clock(), config).begin()
    (home / "services.toml").write_text(SERVICES.replace('"portal"', '"other"'))
    assert say("bundle", "2023-11", "-o", path)[0] == 0
    files = files_of(path.read_bytes())
    assert files["services.toml"].decode() == SERVICES
    assert json.loads(files[MANIFEST])["catalogue"]["number"] == 1
    assert auditor.run(["check", str(path)]) == 0

    def change(files: dict[str, bytes]) -> None:
        files["services.toml"] += b"# so\n"

    path.write_bytes(forged(path.read_bytes(), change))
    capsys.readouterr()
    assert auditor.run(["check", str(path)]) == 1
    assert "services.toml: is no version of the catalogue in the ledger" in capsys.readouterr().out


def test_incidents_that_people_made_and_published_figures_come_along(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    report = ("report", "--period", "2023-11", "--format", "json")
    assert len(json.loads(say(*report)[1])["incidents"]) == 2
    assert say("incidents", "merge", "1", "3", "--reason", "one switch")[0] == 0
    assert say("history", "add", "2022", "0.05", "--document", "ND-1")[0] == 0
    assert say("bundle", "2023-11", "-o", path)[0] == 0
    told, later = json.loads(files_of(path.read_bytes())[RESULT]), json.loads(say(*report)[1])
    assert len(told["incidents"]) == 1
    assert [told[key] for key in ("incidents", "history")] == [later[key] for key in ("incidents", "history")]
    assert told["history"][0]["year"] == 2022
    assert say("recompute", path)[0] == 0
