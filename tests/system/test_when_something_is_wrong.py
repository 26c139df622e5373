"""What an operator meets when something is wrong with a collector: each is said where he looks, and none is silent."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from installation import until
from serving_collector import COMMAND, Client, Home, Process, made_home

pytestmark = pytest.mark.system
SMALL_DISK = 'mount -t tmpfs -o size=64k none "$0" && exec "$@"'
CATALOGUE = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
counted_criticality = ["kritis"]
[[service]]
id = "web"
criticality = "kritis"
hours = "24x7"
probes = ["db-01/web"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with made_home(tmp_path / "detak", ("db-01",)) as made:
        (made.directory / "services.toml").write_text(CATALOGUE)
        yield made


def says(home: Home, *words: str) -> tuple[int, str]:
    command = [*COMMAND, "--config", str(home.directory / "collector.toml"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def got(process: Process, path: str) -> str:
    client = Client(process.url(), "")
    try:
        return client.get(path)[1].decode()
    finally:
        client.close()


def test_status_says_that_the_collector_was_killed_and_ends_with_1(home: Home) -> None:
    process = home.serve()
    process.url()
    assert "not running" not in says(home, "status")[1]
    process.end(signal.SIGKILL)
    until("its last tick is old", lambda: "The collector is not running" in says(home, "status")[1])
    assert says(home, "status")[0] == 1


def test_a_refused_reload_is_said_everywhere_and_the_next_start_goes_on_by_what_was_in_force(home: Home) -> None:
    process = home.serve()
    process.url()
    (home.directory / "services.toml").write_text("organisatio = 1\n")
    process.process.send_signal(signal.SIGHUP)
    process.read_until("event=reload-refused")
    process.read_until("event=alarm-begun alarm=catalogue-broken")
    _said_outside(process)
    assert "services.toml on this machine is not right" in says(home, "doctor")[1]

    # It crashes, and the machine is started anew: evidence is taken by the last good catalogue.
    process.end(signal.SIGKILL)
    again = home.serve()
    again.read_until("event=catalogue-refused version=1")
    again.read_until("event=alarm-begun alarm=catalogue-broken")
    _said_outside(again)

    (home.directory / "services.toml").write_text(CATALOGUE)
    again.process.send_signal(signal.SIGHUP)
    again.read_until("event=alarm-over alarm=catalogue-broken")
    assert '"catalogue":"ok"' in got(again, "/readyz")


def _said_outside(process: Process) -> None:
    assert '"catalogue":"services.toml is not right; version 1 stays in force"' in got(process, "/readyz")
    assert 'detak_alarm{alarm="catalogue-broken"} 0' in got(process, "/metrics")
    until("the page says it", lambda: "ervices.toml is not right and was not taken" in got(process, "/"))


def test_a_collector_toml_that_is_refused_is_said_too(home: Home) -> None:
    process = home.serve()
    process.url()
    with (home.directory / "collector.toml").open("a") as file:
        file.write("down_after = 1\n")
    process.process.send_signal(signal.SIGHUP)
    process.read_until("event=alarm-begun alarm=reload-refused")
    assert '"catalogue":"the last reload was refused"' in got(process, "/readyz")
    until("the page says it", lambda: "he configuration was refused when" in got(process, "/"))


def test_a_store_that_is_taken_away_while_it_serves_ends_it_with_a_word(home: Home) -> None:
    process = home.serve()
    process.url()
    shutil.move(home.directory / "state", home.directory / "away")
    assert process.wait() == 3
    told = "was removed or replaced while it was open|see that the file and its folder are there"
    assert re.search(told, process.said)
    assert "Traceback" not in process.said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_backup_onto_a_full_disk_says_which_disk_and_leaves_nothing(
    home: Home, tmp_path: Path, require: Callable[[str], str]
) -> None:
    target = tmp_path / "small"
    target.mkdir()
    there = [require("unshare"), "--mount", "sh", "-c", SMALL_DISK, str(target)]
    words = [*there, *COMMAND, "--config", str(home.directory / "collector.toml"), "backup", str(target / "b.tar.gz")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert re.fullmatch(
        rf"{target}: this disk has no room for the copy: it needs about [0-9.]+ [KM]iB while it is made, "
        r"and [0-9.]+ KiB are free\n",
        done.stderr,
    ), done.stderr
    with suppress(FileNotFoundError):
        assert list(target.iterdir()) == []
