"""A store that was moved away: nothing can be entered into it any more, and whoever looks at it is told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.copies import instance
from detak_collector.store.sqlite import FILE_NAME
from outage_history import SERVICES, fill

CHANGING = [
    "enroll app-09", "enroll --count 3", "revoke web-01", "history add 2023 0.01 --document LAP-1",
    "pair token", f"pair join http://127.0.0.1:9 --token {64 * 'a'}", "pair part", "promote --reason r",
    "exclude add --service web --from 2023-11-14 --to 2023-11-15 --category planned --document ND-1 --reason r",
    "exclude approve x1 --by siti", "declare withdraw d1 --reason r --document ND-1",
    "incidents undo 1 --reason r", "catalogue approve 1 --document ND-1", "catalogue reject 1 --reason r",
    "user add siti", "user disable siti", "user reset siti", "user grant siti viewer", "user withdraw siti viewer",
    "user second-factor off siti", "move again.tar.gz",
    "store copy --to postgresql://detak@localhost/detak",
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    fill(home / "state", {"web": [(300, 310)], "api": []}, 400)
    assert call(home, f"move {tmp_path}/moved.tar.gz") == 0
    capsys.readouterr()
    return home


def call(home: Path, line: str) -> int:
    return cli.run(["--config", str(home / "collector.toml"), *line.split()])


def contents(home: Path) -> Iterator[str]:
    with closing(sqlite3.connect(home / "state" / FILE_NAME)) as connection:
        yield from connection.iterdump()


@pytest.mark.parametrize("line", CHANGING)
def test_nothing_can_be_entered_into_it(home: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(contents(home))
    assert call(home, line) == 2
    said = capsys.readouterr().err
    assert "this collector serves no more since" in said
    assert "with moved.tar.gz" in said
    assert list(contents(home)) == before


@pytest.mark.parametrize("line", ["status", "nodes", "doctor"])
def test_whoever_asks_how_things_stand_is_told(home: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, line) == 1
    said = capsys.readouterr()
    assert "it was moved, with moved.tar.gz" in (said.err + said.out).replace("\n", " ")
    assert "detak-collector adopt" in said.err + said.out


def test_its_reports_are_still_there_and_number_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(contents(home))
    assert call(home, "report --period 2023-11") == 0
    assert "portal: down, application" in capsys.readouterr().out
    assert list(contents(home)) == before


def test_a_copy_on_another_machine_is_looked_at_and_never_changed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "adopt") == 0
    with closing(sqlite3.connect(home / "state" / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE instance SET home = ?", (instance.home_of("0123456789abcdef" * 2),))
    before = list(contents(home))
    assert call(home, "enroll app-09") == 2
    assert "this store was served on another machine until now" in capsys.readouterr().err
    assert call(home, "report --period 2023-11") == 0
    assert list(contents(home)) == before


def test_once_it_is_adopted_things_are_entered_again(home: Path) -> None:
    assert call(home, "adopt") == 0
    assert call(home, "enroll app-09") == 0
