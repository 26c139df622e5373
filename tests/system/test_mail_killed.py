"""`summary --send` killed with SIGKILL at every stage of a mail: nobody gets one twice, and nobody is forgotten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.clocks import system_clock
from detak_collector.config import load
from detak_collector.mail.delivery import Delivery
from detak_collector.mail.letter import CLAIM_MS, Standing
from detak_collector.store.sqlite import open_store
from mail_server import Inbox, mail_server
from outage_history import SERVICES, fill

STAGES = ("RCPT", "DATA", "body", "body") * (10 if os.environ.get("DETAK_NIGHTLY") == "1" else 1)
NAMES = [f"r{number:03d}@example.go.id" for number in range(4 * len(STAGES))]
PERIOD = "2023-11"


@dataclass
class Sender:
    """The command as a process, which the server kills at a stage of a mail."""

    home: Path
    inbox: Inbox
    process: subprocess.Popen[bytes] | None = None

    def kill_at(self, stage: str, after: int) -> None:
        """One run; it is killed when the server has come to that stage so many times."""
        left = [after]

        def fault(_: str) -> str | None:
            left[0] -= 1
            if left[0] == 0 and self.process is not None:
                os.kill(self.process.pid, signal.SIGKILL)
            return None

        self.inbox.faults = {stage: fault}
        command = [sys.executable, "-m", "detak_collector", *self.words]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert self.process.wait(60) == -signal.SIGKILL
        self.inbox.faults = {}

    @property
    def words(self) -> list[str]:
        """What the command is told."""
        return ["--config", f"{self.home}/collector.toml", "summary", "--period", PERIOD, "--send", "--wait", "0"]


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    fill(home / "state", {"web": [(60, 68)], "api": []}, 400)
    with mail_server() as inbox:
        with (home / "collector.toml").open("a") as file:
            file.write(f'\n[mail]\nserver = "127.0.0.1:{inbox.port}"\nsecurity = "none"\nsender = "d@example.go.id"\n')
            for name in NAMES:
                file.write(f'[[mail.recipient]]\naddress = "{name}"\nsummaries = ["monthly"]\n')
        yield Sender(home, inbox)


@pytest.mark.system
def test_no_mail_is_sent_twice_and_none_is_lost_unseen_however_often_it_is_killed(
    sender: Sender, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, stage in enumerate(STAGES):
        sender.kill_at(stage, 1 + number % 2)
    capsys.readouterr()
    assert cli.run(sender.words) == 3, "those that a killed process had taken are left to it for a while"
    assert capsys.readouterr().err.count("is being sent by another process") == len(STAGES)
    config = load(sender.home / "collector.toml")
    assert config.mail is not None
    with closing(open_store(sender.home / "state", system_clock()())) as store:
        later = system_clock()().utc + CLAIM_MS
        Delivery(store.outbox, config.mail.server, config.mail.give_up_ms, lambda: later).round()
        letters = {one.recipient: one.standing for one in store.outbox.listing(0)}
    arrived = Counter(sender.inbox.recipients)
    assert max(arrived.values()) == 1
    assert set(letters) == set(NAMES)
    unsure = {name for name, standing in letters.items() if standing is Standing.UNSURE}
    assert {name for name, standing in letters.items() if standing is Standing.SENT} == set(NAMES) - unsure
    assert set(NAMES) - unsure <= set(arrived)
    assert STAGES.count("body") <= len(unsure) <= STAGES.count("body") + STAGES.count("DATA")
    assert cli.run(sender.words) == 1, "what may not have arrived is bad news until somebody sees to it"
    told = capsys.readouterr().err
    assert all(name in told for name in unsure)
