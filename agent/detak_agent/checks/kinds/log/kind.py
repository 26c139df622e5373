"""The check kind `log`: new lines of a log file that match a pattern. How the file is followed is in `tail`."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.kinds.log.tail import LogTail, New
from detak_agent.checks.threads import Lane

SEARCHED_CHARACTERS = 4_096
SHOWN_CHARACTERS = 300
MARK = "cleared_unseen"

Pattern = Annotated[str, Meta(max_length=500)]


class LogSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `log`."""

    path: Annotated[str, Meta(min_length=2, max_length=1_000)]
    pattern: Annotated[str, Meta(min_length=1, max_length=500)]
    ignore_pattern: Pattern = ""
    ok_pattern: Pattern = ""
    state: Literal["degraded", "down"] = "degraded"
    hold_ms: Annotated[int, Meta(ge=0, le=7 * 86_400_000)] = 60_000
    show_line: bool = True


def problems(settings: LogSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = []
    if not settings.path.startswith("/"):
        found.append(("path", "must be absolute"))
    if settings.hold_ms == 0 and not settings.ok_pattern:
        found.append(("hold_ms", "0 means until ok_pattern is found: add that, or say for how long"))
    for key in ("pattern", "ignore_pattern", "ok_pattern"):
        found += [(key, reason) for reason in _wrong_with(getattr(settings, key))]
    return found


def _wrong_with(expression: str) -> list[str]:
    try:
        re.compile(expression)
    except re.error as error:
        return [f"is no regular expression: {error}"]
    return []


@dataclass(frozen=True, slots=True)
class Trouble:
    """The latest line that matched, and when it was read, on a monotonic clock."""

    line: str
    at_ms: int


class Reading:
    """Pure: what the lines so far add up to. It is told the time."""

    def __init__(self, settings: LogSettings) -> None:
        self._pattern = re.compile(settings.pattern)
        self._ignored = re.compile(settings.ignore_pattern) if settings.ignore_pattern else None
        self._fine = re.compile(settings.ok_pattern) if settings.ok_pattern else None
        self._hold_ms = settings.hold_ms
        self.trouble: Trouble | None = None
        self.matched = 0
        self.cleared_unseen = 0

    def take(self, lines: Iterable[str], now_ms: int) -> None:
        """The lines that are new, in their order."""
        held = self.trouble
        if held is not None and self._hold_ms and now_ms - held.at_ms >= self._hold_ms:
            held = self.trouble = None
        self.matched = 0
        for whole in lines:
            line = whole[:SEARCHED_CHARACTERS]
            if self._pattern.search(line) and not (self._ignored and self._ignored.search(line)):
                self.matched += 1
                self.trouble = Trouble(line, now_ms)
            elif self.trouble is not None and self._fine is not None and self._fine.search(line):
                self.trouble = None
        if self.matched and held is None and self.trouble is None:
            self.cleared_unseen += 1


class LogProbe:
    """Follows the file from its end on; where it stands is kept in memory only."""

    def __init__(self, settings: LogSettings, root: Path, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._tail = LogTail(root / settings.path.lstrip("/"), settings.path)
        self._reading = Reading(settings)
        self._now_ms = now_ms
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        try:
            return await self._lane.run(self._look, deadline_ms)
        except asyncio.TimeoutError:
            raise CouldNotCheckError(f"{self._settings.path} hangs: its disk or file server does not answer") from None

    def _look(self) -> Outcome:
        new = self._tail.read()
        self._reading.take(new.lines, self._now_ms())
        return self._outcome(new)

    def _outcome(self, new: New) -> Outcome:
        settings, reading = self._settings, self._reading
        values = {"new_lines": float(len(new.lines)), "matching_lines": float(reading.matched)}
        marks = {MARK: str(reading.cleared_unseen)} if reading.cleared_unseen else {}
        if reading.trouble is not None:
            return Outcome(settings.state, self._words(reading.trouble), marks, values)
        if new.skipped_bytes:
            raise CouldNotCheckError(
                f"{settings.path} grows faster than it can be searched: "
                f"{new.skipped_bytes} bytes were left out since the last sample"
            )
        if new.missing:
            raise CouldNotCheckError(f"{settings.path} is not there: nothing writes this log, or its path is another")
        return Outcome("up", f"no new line of {settings.path} matches {settings.pattern!r}", marks, values)

    def _words(self, trouble: Trouble) -> str:
        settings = self._settings
        said = f": {trouble.line[:SHOWN_CHARACTERS].strip()}" if settings.show_line else ""
        return f"a line of {settings.path} matches {settings.pattern!r}{said}"


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def build(settings: LogSettings, surroundings: Surroundings) -> LogProbe:
    """The probe for these settings."""
    return LogProbe(settings, surroundings.root, _monotonic_ms)


KIND = Kind(
    name="log",
    summary="No new line of a log file says that something is wrong",
    settings=LogSettings,
    build=build,
    target=lambda settings: f"lines of {settings.path} that match {settings.pattern!r}",
    remote=lambda _settings: False,
    silence=Silence.UNKNOWN,
    problems=problems,
)
