"""Whether the agent is stopped alone or goes down with its machine: systemd says so, or it is taken to be alone."""

import os
import time
from pathlib import Path

import pytest

from agent.agent_fakes import systemctl_that_says
from detak_agent.leaving import reason_of, why_stopping
from detak_agent.systemd import Notifier


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stopping\n", "shutdown"),
        ("running\n", "stop"),
        ("degraded\n", "stop"),
        ("starting\n", "stop"),
        ("maintenance\n", "stop"),
        ("offline\n", "stop"),
        ("unknown\n", "stop"),
        ("", "stop"),
    ],
)
def test_only_a_system_that_is_stopping_is_shut_down(said: str, reason: str) -> None:
    assert reason_of(said) == reason


@pytest.mark.asyncio
async def test_a_manager_that_does_not_answer_in_time_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = systemctl_that_says("stopping", tmp_path)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("detak_agent.leaving._ANSWER_WITHIN_S", 0.2)
    (folder / "systemctl").write_text("#!/bin/sh\nexec sleep 30\n")
    begun = time.monotonic()
    assert await why_stopping() == "stop"
    assert time.monotonic() - begun < 10


@pytest.mark.asyncio
async def test_without_a_systemctl_it_is_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await why_stopping() == "stop"


@pytest.mark.asyncio
async def test_an_agent_that_no_systemd_started_asks_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{systemctl_that_says('stopping', tmp_path)}{os.pathsep}{os.environ['PATH']}")
    assert await Notifier({}).why_stopping() == "stop"
    assert await Notifier({"NOTIFY_SOCKET": "/run/systemd/notify"}).why_stopping() == "shutdown"
