"""What the collector's watchdog hears: the event loop, and never the disk."""

import asyncio
import socket
from pathlib import Path

import pytest

from detak_collector.cli import run
from detak_collector.operating.systemd import keep_alive, notify


@pytest.mark.asyncio
@pytest.mark.parametrize(("told", "hears"), [({"WATCHDOG_USEC": "200000"}, True), ({}, False)])
async def test_the_watchdog_is_pinged_well_within_its_time_and_only_if_there_is_one(
    told: dict[str, str], hears: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        # A job that ended would end the collector.
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(keep_alive(), 0.5)
        heard = 0
        try:
            while listener.recv(64) == b"WATCHDOG=1":
                heard += 1
        except BlockingIOError:
            pass
    assert (heard >= 3) == hears


def test_a_word_that_systemd_does_not_take_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")


def test_systemd_is_told_why_a_collector_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert run(["--config", str(tmp_path / "collector.toml"), "serve"]) == 2
        assert listener.recv(1_000).decode().startswith(f"STATUS={tmp_path / 'collector.toml'}: ")
