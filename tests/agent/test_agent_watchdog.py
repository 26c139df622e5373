"""What the watchdog hears: a loop that goes round, whatever the disk does, and nothing of one that stands still."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agent.agent_fakes import LoopClock, open_journal
from detak_agent.checks.base import Surroundings
from detak_agent.config import parse
from detak_agent.daemon import Daemon
from detak_agent.journal_thread import JournalThread
from detak_agent.life import Machine
from detak_agent.systemd import Notifier

WATCHDOG_MS = 200


@contextmanager
def supervisor(directory: Path) -> Iterator[tuple[socket.socket, Notifier]]:
    """The socket of a service manager, and what speaks to it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        address = str(directory / "notify")
        listener.bind(address)
        listener.setblocking(False)
        yield listener, Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(WATCHDOG_MS * 1_000)})


def pings(listener: socket.socket) -> int:
    """How many came since it was last asked."""
    heard = 0
    with suppress(BlockingIOError):
        while True:
            heard += listener.recv(4_096) == b"WATCHDOG=1"
    return heard


@pytest.mark.asyncio
async def test_a_disk_that_stands_still_does_not_trip_the_watchdog(tmp_path: Path) -> None:
    with supervisor(tmp_path) as (listener, notifier):
        text = f'node = "n"\nstate_directory = "{tmp_path}"\ntick_ms = 100\n[[collector]]\nurl = "http://127.0.0.1:9"\n'
        machine = Machine(LoopClock(), Surroundings(tmp_path), random.random, notifier)
        journal, thread = open_journal(tmp_path, "http://127.0.0.1:9"), JournalThread()
        daemon = Daemon(tmp_path / "agent.toml", parse(text, {}), {}, machine)
        living = asyncio.ensure_future(daemon.live_on(journal, thread))
        try:
            await asyncio.sleep(0.3)
            answers = threading.Event()
            stalled = asyncio.ensure_future(thread.call(answers.wait))
            await asyncio.sleep(0.05)
            pings(listener)
            await asyncio.sleep(3 * WATCHDOG_MS / 1_000)
            heard = pings(listener)
            assert not living.done()
            answers.set()
            await stalled
        finally:
            daemon.stop()
            await asyncio.wait_for(living, 10)
            thread.end(5)
    assert heard >= 3


@pytest.mark.asyncio
async def test_a_loop_that_stands_still_falls_silent(tmp_path: Path) -> None:
    with supervisor(tmp_path) as (listener, notifier):
        pinging = asyncio.ensure_future(notifier.keep_alive())
        await asyncio.sleep(WATCHDOG_MS / 1_000)
        assert pings(listener) >= 2
        time.sleep(2 * WATCHDOG_MS / 1_000)  # noqa: ASYNC251 - it is to stand still
        assert pings(listener) == 0
        pinging.cancel()


@pytest.mark.asyncio
@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}])
async def test_without_a_watchdog_of_ours_there_is_nothing_to_ping(environment: dict[str, str], tmp_path: Path) -> None:
    with supervisor(tmp_path) as (listener, _):
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), **environment})
        await asyncio.wait_for(notifier.keep_alive(), 5)
        assert (pings(listener), notifier.watchdog_ms) == (0, None)


def test_systemd_is_told_why_an_agent_ends(tmp_path: Path) -> None:
    with supervisor(tmp_path) as (listener, _):
        command = [sys.executable, "-m", "detak_agent.cli", "run", "--config", str(tmp_path / "agent.toml")]
        told = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        assert subprocess.run(command, env=told, capture_output=True, check=False, timeout=30).returncode == 2
        assert listener.recv(1_000).decode().startswith(f"STATUS={tmp_path / 'agent.toml'}: ")
