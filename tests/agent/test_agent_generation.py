"""That a virtual machine is of another generation: as its kernel says it, and as the agent keeps it."""

import errno
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conftest import program_path
from detak_agent.generation import FILE_NAME, Generation, keep, listening, name_of
from detak_wire.codec import decode
from detak_wire.messages import RunOpening

BOOT, OTHER_BOOT = "b" * 32, "c" * 32


def with_device(root: Path, driver: str = "sys/bus/platform/drivers/vmgenid", device: str = "VMGENCTR:00") -> Path:
    folder = root / driver
    folder.mkdir(parents=True)
    (folder / "bind").touch()
    (folder / "module").symlink_to("../../../../module/vmgenid")
    if device:
        (folder / device).symlink_to(f"../../../../devices/platform/{device}")
    return root


def test_a_name_is_that_of_its_boot_and_survives_the_process(tmp_path: Path) -> None:
    assert name_of(tmp_path, BOOT) is None
    keep(tmp_path, Generation(BOOT, "first"))
    keep(tmp_path, Generation(BOOT, "second"))
    assert (name_of(tmp_path, BOOT), name_of(tmp_path, OTHER_BOOT)) == ("second", None)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{}", '{"boot": 1}', "\x00\xff"])
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert name_of(tmp_path, BOOT) is None


def test_a_disk_that_takes_no_name_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    keep(tmp_path / "file", Generation(BOOT, "first"))
    assert "generation.json: cannot be written: " in caplog.text


def refused() -> socket.socket:
    raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))


@pytest.mark.asyncio
@pytest.mark.parametrize("device", ["", None])
async def test_without_a_device_nothing_is_opened(
    tmp_path: Path, device: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(lambda: None, tmp_path if device is None else with_device(tmp_path, device=device), refused):
        assert not caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("driver", "device"),
    [("sys/bus/platform/drivers/vmgenid", "VMGENCTR:00"), ("sys/bus/acpi/drivers/vmgenid", "QEMUVGID:00"),
     ("sys/bus/platform/drivers/vmgenid", "c000000.vmgenid")],
)  # fmt: skip
async def test_an_agent_that_may_not_listen_says_so_and_goes_on(
    tmp_path: Path, driver: str, device: str, caplog: pytest.LogCaptureFixture
) -> None:
    went_on = False
    with listening(lambda: None, with_device(tmp_path, driver, device), refused):
        went_on = True
    assert went_on
    assert "generation is not watched: Address family not supported by protocol" in caplog.text


# The namespace keeps what is said here from everybody else who listens on this machine.
IN_A_NAMESPACE = ["--net"] if os.geteuid() == 0 else ["--net", "--map-root-user"]
INTO_THE_NAMESPACE = ["--net"] if os.geteuid() == 0 else ["--net", "--user", "--preserve-credentials"]
TESTS = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *(path for path in sys.path if path)])}
EVENTS = [sys.executable, str(TESTS / "agent" / "kernel_events.py")]


def heard(command: list[str]) -> str:
    return subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.system("unshare")
def test_only_the_kernel_s_news_of_another_generation_are_heard_each_once(tmp_path: Path) -> None:
    said = heard([program_path("unshare"), *IN_A_NAMESPACE, *EVENTS, str(with_device(tmp_path))])
    assert json.loads(said) == {"others": 0, "pretended": 0, "once": 1, "flooded": 1, "again": 2, "closed": 2}


@contextmanager
def living(directory: Path) -> Iterator[int]:
    """An agent in a network of its own, where it reaches nobody; its process."""
    (directory / "said").write_text("up")
    (directory / "agent.toml").write_text(
        f'node = "node-1"\nstate_directory = "{directory}/state"\nmetrics_ms = 0\ntick_ms = 200\nbeat_ms = 300\n'
        f'[[collector]]\nurl = "http://127.0.0.1:9"\n'
        f'[[check]]\nname = "file"\nkind = "file-says"\npath = "{directory}/said"\n'
    )
    command = [sys.executable, str(TESTS / "agent" / "agent_process.py"), str(directory / "agent.toml")]
    with (directory / "log").open("ab") as log:
        agent = subprocess.Popen([program_path("unshare"), *IN_A_NAMESPACE, *command], env=ENVIRONMENT, stderr=log)
    try:
        yield agent.pid
    finally:
        agent.kill()
        agent.wait()


def openings(directory: Path, count: int) -> list[RunOpening]:
    """Of the runs in its journal, once there are so many."""
    uri = f"{(directory / 'state/journal.db').as_uri()}?mode=ro"
    until = time.monotonic() + 20
    while time.monotonic() < until:
        time.sleep(0.05)
        try:
            with closing(sqlite3.connect(uri, uri=True)) as journal:
                rows = journal.execute("SELECT body FROM record WHERE kind = 'opening' ORDER BY sequence").fetchall()
        except sqlite3.OperationalError:
            continue
        if len(rows) >= count:
            return [decode(body, RunOpening) for (body,) in rows]
    raise AssertionError(f"no {count} runs: {(directory / 'log').read_text()}")


@pytest.mark.system("unshare", "nsenter")
def test_an_agent_that_hears_it_begins_a_run_of_another_generation_of_the_same_boot(tmp_path: Path) -> None:
    with_device(tmp_path / "root")
    with living(tmp_path) as process:
        (first,) = openings(tmp_path, 1)
        heard([program_path("nsenter"), f"--target={process}", *INTO_THE_NAMESPACE, *EVENTS, "say"])
        _, second = openings(tmp_path, 2)
    with living(tmp_path):
        *_, third = openings(tmp_path, 3)
    assert first.virtual_machine_generation is None
    assert second.virtual_machine_generation is not None
    assert second.previous is not None
    assert (second.boot, second.previous.boot) == (first.boot, first.boot)
    assert third.virtual_machine_generation == second.virtual_machine_generation
    assert "set back to a snapshot, or copied from one; a new run begins" in (tmp_path / "log").read_text()
