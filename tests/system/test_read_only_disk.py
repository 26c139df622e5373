"""A disk that takes nothing any more, as one that fails is turned: whoever looks is told, and nothing is lost by it."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving_collector import COMMAND, Home, made_home

from outage_history import SERVICES, fill

pytestmark = [
    pytest.mark.system("unshare", "mount"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts"),
]
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with made_home(tmp_path / "detak", ()) as made:
        (made.directory / "services.toml").write_text(SERVICES)
        fill(made.directory / "state", {"web": [(300, 310)], "api": []}, 400)
        yield made


@pytest.fixture
def look(home: Home, require: Callable[[str], str]) -> Callable[[str], tuple[int, str, str]]:
    """Runs a command where the state directory may only be read: its exit code, and what it prints."""

    def run(line: str) -> tuple[int, str, str]:
        there = [require("unshare"), "--mount", "sh", "-c", READ_ONLY, str(home.directory / "state")]
        words = [*there, *COMMAND, "--config", str(home.directory / "collector.toml"), *line.split()]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


@contextmanager
def served(home: Home) -> Iterator[None]:
    process = home.serve()
    process.url()
    yield
    process.end(signal.SIGTERM)


def crashed(home: Home) -> None:
    process = home.serve()
    process.url()
    process.end(signal.SIGKILL)
    assert (home.directory / "state" / "detak.sqlite-wal").stat().st_size > 0


def figures_are_told(look: Callable[[str], tuple[int, str, str]]) -> None:
    code, report, said = look("report --period 2023-11 --format json")
    assert (code, said) == (0, "")
    assert json.loads(report)["figure"]["counted_ms"] == 600_000
    code, status, said = look("status")
    assert (code, "2 services" in status) == (1, True)
    assert "Traceback" not in said
    code, nodes, _ = look("nodes")
    assert (code, "db-01" in nodes) == (1, True)


def test_what_was_closed_in_order_is_read(home: Home, look: Callable[[str], tuple[int, str, str]]) -> None:
    figures_are_told(look)
    assert not (home.directory / "state" / "detak.sqlite-wal").exists()


def test_what_was_written_last_before_a_crash_is_read_too(
    home: Home, look: Callable[[str], tuple[int, str, str]]
) -> None:
    crashed(home)
    figures_are_told(look)
    assert look("catalogue list")[1].count("in force") == 1


def test_a_collector_that_writes_through_another_mount_is_read_as_it_goes_on(
    home: Home, look: Callable[[str], tuple[int, str, str]]
) -> None:
    with served(home):
        assert "not running" not in look("status")[2]


def test_a_log_that_cannot_be_read_alone_is_told_and_never_passed_over(
    home: Home, look: Callable[[str], tuple[int, str, str]]
) -> None:
    crashed(home)
    (home.directory / "state" / "detak.sqlite-shm").unlink()
    code, _, said = look("report --period 2023-11")
    assert code == 3
    assert "what was written last is in detak.sqlite-wal" in said


def test_the_doctor_finds_it(look: Callable[[str], tuple[int, str, str]]) -> None:
    code, told, said = look("doctor --json")
    assert (code, said) == (1, "")
    assert any("is read-only" in one["what"] for one in json.loads(told)["findings"])


def test_whoever_would_enter_something_is_told(look: Callable[[str], tuple[int, str, str]]) -> None:
    code, _, said = look("enroll db-09")
    assert (code, said.count("\n")) == (3, 1)
    assert said.endswith("detak.sqlite: nothing can be written: its file system is read-only\n")


def test_a_backup_can_still_be_made_and_holds_the_last_word(
    home: Home, look: Callable[[str], tuple[int, str, str]], tmp_path: Path
) -> None:
    crashed(home)
    code, _, said = look(f"backup {tmp_path}/b.tar.gz")
    assert (code, said) == (0, "")
    shutil.rmtree(home.directory)
    home.directory.mkdir()
    command = [*COMMAND, "--config", str(home.directory / "collector.toml")]
    subprocess.run([*command, "restore", str(tmp_path / "b.tar.gz")], check=True, capture_output=True)
    listed = subprocess.run([*command, "catalogue", "list"], check=True, capture_output=True, text=True).stdout
    assert listed.count("in force") == 1
