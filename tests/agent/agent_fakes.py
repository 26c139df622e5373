"""Small real stand-ins: a clock that is set by hand, check kinds that do as they are told, openings and samples."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from detak_agent.checks.base import CheckSettings, Kind, Outcome, Silence, Surroundings
from detak_agent.journal import Journal
from detak_agent.runner import Check
from detak_agent.spans import Sample
from detak_wire.messages import CheckSettings as WireCheck
from detak_wire.messages import ClockClaim, RunOpening, State

RUN = "00000000000000a1"
OTHER_RUN = "00000000000000b2"
BOOT = "00000000000000000000000000000b00"
URL = "http://127.0.0.1:9"
OTHER_URL = "http://127.0.0.2:9"


class HandClock:
    """A clock that moves only when told."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.now = now

    def begin(self) -> int:
        return self.now

    def end(self) -> int:
        return self.now

    def utc(self) -> int:
        return self.now + 1_700_000_000_000

    def boot(self) -> str:
        return BOOT

    def init_started(self) -> int:
        return 10

    def suspended(self) -> int:
        return 0

    def error_ms(self) -> int | None:
        return 5


class LoopClock(HandClock):
    """Agent time is the loop's own."""

    def begin(self) -> int:
        return int(asyncio.get_running_loop().time() * 1_000)

    def end(self) -> int:
        return self.begin() + 1


Answering = Callable[[], Awaitable[Outcome]]


class ToldProbe:
    """A probe that does what its test says."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer

    async def sample(self, deadline_ms: int) -> Outcome:
        return await self._answer()


def told_kind(answer: Answering, silence: Silence = Silence.DOWN) -> Kind:
    def build(_settings: CheckSettings, _surroundings: Surroundings) -> ToldProbe:
        return ToldProbe(answer)

    return Kind("told", "does as told", CheckSettings, build, lambda _s: "a test", lambda _s: False, silence)


def told_check(answer: Answering, silence: Silence = Silence.DOWN, timeout_ms: int = 100, tries: int = 1) -> Check:
    settings = CheckSettings(name="told", kind="told", interval_ms=200, timeout_ms=timeout_ms, tries=tries)
    return Check(settings, told_kind(answer, silence))


def opening(*names: str, tick_ms: int = 1_000, opened: int = 1_000) -> RunOpening:
    checks = [WireCheck(name, "told", 1_000, 500) for name in names]
    return RunOpening(BOOT, opened, 10, "0.1.0", tick_ms, 5_000, checks, ClockClaim(opened, 1_700_000_000_000))


def sample(at: int, state: State = "up", check: str = "db", took: int = 0, **marks: str) -> Sample:
    return Sample(check, at, at + took, state, "", marks)


def open_journal(directory: Path, *urls: str) -> Journal:
    journal = Journal.open(directory)
    journal.outbox.configure(urls)
    return journal


def systemctl_that_says(words: str, directory: Path) -> Path:
    """A folder for PATH, with a `systemctl` that knows one question and answers it so."""
    folder = directory / "programs"
    folder.mkdir(exist_ok=True)
    program = folder / "systemctl"
    program.write_text(f'#!/bin/sh\ntest "$*" = is-system-running && {{ echo {words}; exit 1; }}\n')
    program.chmod(0o755)
    return folder
