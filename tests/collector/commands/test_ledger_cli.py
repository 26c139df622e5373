"""The ledger as an operator and an auditor use it."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.store.sqlite import FILE_NAME
from outage_history import SERVICES, fill

DOCUMENT = (Path(__file__).parents[3] / "docs" / "ledger.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```bash\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
HEAD = re.compile(r"\d+:[0-9a-f]{64}")

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A collector that has recorded an outage; nothing is chained yet."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    fill(home / "state", {"web": [(300, 310)], "api": []}, 400)
    return home


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["--config", str(home / "collector.toml"), *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return say


def head(say: Say) -> str:
    code, told, _ = say("ledger", "head")
    assert code == 0
    assert HEAD.fullmatch(told.strip())
    return told.strip()


def enter(say: Say, year: int) -> None:
    code, _, errors = say("history", "add", str(year), "0.01", "--document", "ND-1")
    assert code == 0, errors


def change(home: Path, *statements: str) -> None:
    with closing(sqlite3.connect(home / "state" / FILE_NAME)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    words = ["bash", "-euo", "pipefail", "-c", script]
    environment = {"PATH": "/usr/bin:/bin", **variables}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_sound_store_is_intact_and_its_old_heads_still_hold(say: Say) -> None:
    first = head(say)
    enter(say, 2021)
    second = head(say)
    assert first != second
    for kept in (first, second, first.partition(":")[2]):
        code, told, _ = say("verify", "--head", kept)
        assert code == 0
        assert told.startswith("intact: ")
        assert f"head {second}" in told
        assert kept in told


def test_verifying_changes_nothing_and_says_what_is_not_chained_yet(say: Say) -> None:
    code, told, _ = say("verify")
    assert code == 0
    assert "intact: 0 records in 0 blocks" in told
    assert re.search(r"not chained yet: \d+ records", told)
    assert say("verify")[1] == told


def test_a_record_that_was_altered_is_named(say: Say, home: Path) -> None:
    head(say)
    change(home, "UPDATE span SET state = 'up' WHERE state = 'down'")
    code, told, _ = say("verify")
    assert code == 1
    assert re.fullmatch(r"NOT INTACT: span \d+ of run \w+ of node db-01, check web \(sequence \d+\): altered, in "
                        r"block 1\n", told)  # fmt: skip


def test_a_cut_tail_and_a_chain_made_anew_show_against_a_head_that_was_kept(say: Say, home: Path) -> None:
    first = head(say)
    enter(say, 2021)
    kept = head(say)
    change(home, "DELETE FROM ledger WHERE number = 2", "DELETE FROM entry")
    assert say("verify")[0] == 0
    code, told, _ = say("verify", "--head", kept)
    assert (code, "block 2: cut off" in told) == (1, True)
    assert say("verify", "--head", first)[0] == 0
    change(home, "UPDATE span SET state = 'up' WHERE state = 'down'", "DELETE FROM ledger")
    anew = head(say)
    assert say("verify", "--head", anew)[0] == 0
    code, told, _ = say("verify", "--head", first)
    assert (code, "rewritten" in told) == (1, True)


def test_of_older_blocks_only_the_headers_are_read_where_that_was_asked(say: Say, home: Path) -> None:
    head(say)
    change(home, "UPDATE span SET state = 'up' WHERE state = 'down'")
    code, told, _ = say("verify", "--since", "2999-01-01")
    assert code == 0
    assert "only the headers of blocks from before 2998-12-31 17:00:00 UTC were read" in told
    assert say("verify", "--since", "2020-01-01")[0] == 1


@pytest.mark.parametrize("wrong", ["9", "x" * 64, "1:2"])
def test_what_is_no_head_is_a_wrong_use(say: Say, wrong: str) -> None:
    code, _, errors = say("verify", "--head", wrong)
    assert code == 2
    assert "expected NUMBER:HEX as a report or a mail has it" in errors


def test_where_there_is_no_store_it_could_not_be_verified(tmp_path: Path) -> None:
    home = tmp_path / "new"
    assert cli.run(["init", str(home)]) == 0
    assert cli.run(["--config", str(home / "collector.toml"), "verify"]) == 3


def exported(say: Say, folder: Path) -> str:
    """The head that was told."""
    enter(say, 2021)
    head(say)
    enter(say, 2022)
    code, told, errors = say("ledger", "export", "-o", folder)
    assert code == 0, errors
    return told.splitlines()[-1].removeprefix("head ")


@pytest.mark.peers("jq", "sha256sum")
def test_the_documents_commands_find_an_exported_chain_sound(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    kept = exported(say, folder)
    for script in COMMANDS:
        done = shell(script, folder, KEPT=kept)
        assert done.returncode == 0, (script, done.stdout, done.stderr)
    assert (folder / "heads.txt").read_text().splitlines()[-1] == kept
    assert len((folder / "heads.txt").read_text().splitlines()) == 2


def altered(folder: Path) -> None:
    path = folder / "records" / "1.ndjson"
    path.write_text(path.read_text().replace('"state":"down"', '"state":"up"'))


def shortened(folder: Path) -> None:
    path = folder / "records" / "1.ndjson"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def out_of_order(folder: Path) -> None:
    path = folder / "records" / "1.ndjson"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))


def antedated(folder: Path) -> None:
    path = folder / "blocks.ndjson"
    path.write_text(re.sub(r'"recorded_utc":\d+', '"recorded_utc":1', path.read_text()))


def cut(folder: Path) -> None:
    path = folder / "blocks.ndjson"
    path.write_text(path.read_text().splitlines(keepends=True)[0])


def beheaded(folder: Path) -> None:
    path = folder / "blocks.ndjson"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


@pytest.mark.peers("jq", "sha256sum")
@pytest.mark.parametrize("tamper", [altered, shortened, out_of_order, antedated, cut, beheaded])
def test_the_documents_commands_find_what_was_done_to_it(
    say: Say, tmp_path: Path, tamper: Callable[[Path], None]
) -> None:
    folder = tmp_path / "chain"
    kept = exported(say, folder)
    tamper(folder)
    assert any(shell(script, folder, KEPT=kept).returncode != 0 for script in COMMANDS)


def test_an_export_never_writes_into_a_folder_that_is_there(say: Say, tmp_path: Path) -> None:
    code, _, errors = say("ledger", "export", "-o", tmp_path)
    assert code == 3
    assert str(tmp_path) in errors


def test_the_head_that_a_report_states_covers_its_evidence(say: Say) -> None:
    _, told, _ = say("report", "--period", "2023-11", "--format", "json")
    stated = json.loads(told)["ledger"]
    assert stated["block"] == 1
    code, told, _ = say("verify", "--head", f"{stated['block']}:{stated['head']}")
    assert code == 0
    assert "not chained yet" not in told


@pytest.mark.parametrize("form", ["text", "html", "csv"])
def test_every_report_for_people_states_the_head(say: Say, form: str) -> None:
    kept = head(say)
    _, told, errors = say("report", "--period", "2023-11", "--format", form)
    assert kept in told, errors


def test_the_status_states_the_head(say: Say) -> None:
    kept = head(say)
    assert f"ledger head {kept}" in say("status")[1]


def test_a_restored_store_goes_on_from_the_head_of_its_backup_and_says_so(say: Say, home: Path, tmp_path: Path) -> None:
    code, told, errors = say("backup", tmp_path / "b.tar.gz")
    assert code == 0, errors
    (backed_up,) = HEAD.findall(told)
    enter(say, 2021)
    later = head(say)
    code, told, errors = say("restore", tmp_path / "b.tar.gz", "--force")
    assert code == 0, errors
    assert f"The ledger goes on from {backed_up}" in told
    after = head(say)
    assert int(after.partition(":")[0]) == int(backed_up.partition(":")[0]) + 1
    assert say("verify", "--head", backed_up)[0] == say("verify", "--head", after)[0] == 0
    code, told, _ = say("verify", "--head", later)
    assert code == 1
    assert f"the chain went on from its head, {backed_up}" in told


def test_a_backup_of_a_broken_chain_is_refused(say: Say, home: Path, tmp_path: Path) -> None:
    head(say)
    change(home, "UPDATE ledger SET recorded_utc = recorded_utc - 1")
    code, _, errors = say("backup", tmp_path / "b.tar.gz")
    assert code == 3
    assert "its ledger is not intact: block 1 itself" in errors
    assert not (tmp_path / "b.tar.gz").exists()
