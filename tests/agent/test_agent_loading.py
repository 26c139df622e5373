import asyncio
import logging
import random
import time
from pathlib import Path

import pytest

from agent.agent_fakes import URL, open_journal
from detak_agent.checks.base import CheckSettings, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.loading import LoadedProbe
from detak_agent.clocks import SystemClock
from detak_agent.config import parse
from detak_agent.daemon import Daemon
from detak_agent.journal_thread import JournalThread
from detak_agent.life import Machine
from detak_agent.systemd import Notifier

LOADING_S = 0.15
TIMEOUT_MS = 200


class Ready:
    """A client that is up, and tells that it was asked."""

    def __init__(self, asked: list[int]) -> None:
        self._asked = asked

    async def sample(self, deadline_ms: int) -> Outcome:
        self._asked.append(deadline_ms)
        return Outcome("up")


def slow_kind(asked: list[int]) -> Kind:
    """It loads for most of the time that a sample may take."""

    def load() -> Ready:
        time.sleep(LOADING_S)
        return Ready(asked)

    return Kind(
        name="slow",
        summary="loads slowly",
        settings=CheckSettings,
        build=lambda _settings, _surroundings: LoadedProbe(load),
        target=lambda _settings: "a thing",
        remote=lambda _settings: False,
        silence=Silence.DOWN,
    )


@pytest.mark.asyncio
async def test_a_check_whose_library_loads_slowly_is_never_unknown_for_that(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="detak_agent")
    text = f'node = "n"\nstate_directory = "{tmp_path}"\n[[collector]]\nurl = "{URL}"\n'
    text += f'[[check]]\nname = "one"\nkind = "slow"\ninterval_ms = 1000\ntimeout_ms = {TIMEOUT_MS}\n'
    asked: list[int] = []
    registry = {"slow": slow_kind(asked)}
    machine = Machine(SystemClock(), Surroundings(), random.random, Notifier())
    daemon = Daemon(tmp_path / "agent.toml", parse(text, registry), registry, machine)
    thread = JournalThread()
    living = asyncio.ensure_future(daemon.live_on(open_journal(tmp_path, URL), thread))
    try:
        for _ in range(500):
            if asked:
                break
            await asyncio.sleep(0.01)
    finally:
        daemon.stop()
        await living
        thread.end(1)
    assert asked
    assert "check one: unknown" not in caplog.text
