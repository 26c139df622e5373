"""The check kind `process`: enough processes of a kind run. It says nothing of whether they do their work."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.kinds.process.table import STOPPED, ZOMBIE, Absence, Process, ProcessTable
from detak_agent.checks.threads import Lane

NAME_BYTES = 15
"""The kernel keeps no more of a process's name."""


class ProcessSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `process`. Where several ways to choose are given, all must fit."""

    process_name: Annotated[str, Meta(max_length=200)] = ""
    pid_file: str = ""
    command_pattern: Annotated[str, Meta(max_length=500)] = ""
    at_least: Annotated[int, Meta(ge=0)] = 1
    at_most: Annotated[int, Meta(ge=0)] | None = None


def target(settings: ProcessSettings) -> str:
    """How the processes are chosen."""
    parts = [f"named {settings.process_name}"] if settings.process_name else []
    parts += [f"of {settings.pid_file}"] if settings.pid_file else []
    parts += [f"whose command line matches {settings.command_pattern!r}"] if settings.command_pattern else []
    return "process " + " and ".join(parts)


def problems(settings: ProcessSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = []
    if not (settings.process_name or settings.pid_file or settings.command_pattern):
        found.append(("process_name", "one of process_name, pid_file and command_pattern is needed"))
    if settings.pid_file and not settings.pid_file.startswith("/"):
        found.append(("pid_file", "must be an absolute path"))
    if settings.pid_file and settings.at_least > 1:
        found.append(("at_least", "must be 1 beside pid_file, which names one process"))
    if settings.at_most is not None and settings.at_most < settings.at_least:
        found.append(("at_most", "must not be less than at_least"))
    if settings.at_least == 0 and settings.at_most is None:
        found.append(("at_least", "0 asks for nothing without at_most"))
    try:
        re.compile(settings.command_pattern)
    except re.error as error:
        found.append(("command_pattern", f"is no regular expression: {error}"))
    return found


@dataclass(frozen=True, slots=True)
class Search:
    """What a look at the whole process table found."""

    processes: tuple[Process, ...]
    hidden: bool = False
    """Whether there may be processes that the kernel does not show to the agent."""
    nothing: str = ""
    """Why there can be none, if that is known."""


def judge(search: Search, settings: ProcessSettings) -> Outcome:
    """Pure: the state for what was found."""
    running = [process for process in search.processes if process.runs]
    count = {"processes": float(len(running))}
    if len(running) < settings.at_least:
        if search.hidden:
            raise CouldNotCheckError(
                "the kernel hides other users' processes from the agent (/proc is mounted with hidepid, or "
                "the unit has ProtectProc): let the agent's group see them (mount option gid=)"
            )
        return Outcome("down", _too_few(search, running, settings), values=count)
    if settings.at_most is not None and len(running) > settings.at_most:
        return Outcome(
            "degraded", f"{len(running)} run, at most {settings.at_most} should: {_names(running)}", values=count
        )
    return Outcome("up", _names(running) or "none runs, as it should be", marks(running), count)


def marks(running: Sequence[Process]) -> dict[str, str]:
    """The start of the one process that all others descend from, which tells a restart; none if there are several."""
    matched = {process.pid for process in running}
    first = [process for process in running if process.parent not in matched]
    return {"process_start": f"{first[0].pid}:{first[0].started}"} if len(first) == 1 else {}


def _too_few(search: Search, running: Sequence[Process], settings: ProcessSettings) -> str:
    wanted = target(settings)
    halted = [_halted(process) for process in search.processes if not process.runs]
    if not running and not halted:
        return search.nothing or f"no {wanted} runs"
    parts = halted[:3]
    if running or settings.at_least > 1:
        parts.insert(0, f"{len(running)} of at least {settings.at_least} run: {wanted}")
    return "; ".join(parts)


def _halted(process: Process) -> str:
    who = f"{process.name} (pid {process.pid})"
    if process.state == STOPPED:
        return f"{who} is stopped (SIGSTOP); kill -CONT {process.pid} lets it go on"
    if process.state == ZOMBIE:
        return f"{who} is a zombie: it has ended, and its parent (pid {process.parent}) has not noticed"
    return f"{who} is held by a debugger"


def _names(running: Sequence[Process]) -> str:
    shown = ", ".join(f"{process.name} (pid {process.pid})" for process in running[:3])
    return f"{shown} and {len(running) - 3} more" if len(running) > 3 else shown


class ProcessProbe:
    """Remembers the processes that were enough: while they run, a sample costs one small read for each."""

    def __init__(self, settings: ProcessSettings, root: Path) -> None:
        self._settings = settings
        self._root = root
        self._table = ProcessTable(root)
        self._pattern = re.compile(settings.command_pattern)
        self._last = Outcome("unknown")
        self._remembered: tuple[Process, ...] = ()
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        if self._still_enough():
            return self._last
        try:
            search = await self._lane.run(self._search, deadline_ms)
        except asyncio.TimeoutError:
            raise CouldNotCheckError("reading the process table hangs: some process's memory is stuck") from None
        self._last = judge(search, self._settings)
        self._remembered = self._enough(search) if self._last.state == "up" else search.processes
        return self._last

    def _still_enough(self) -> bool:
        if self._settings.at_most is not None or self._last.state != "up":
            return False
        return all(self._goes_on(process) for process in self._remembered)

    def _goes_on(self, before: Process) -> bool:
        now = self._table.find(before.pid)
        return isinstance(now, Process) and now.runs and now.identity == before.identity and now.name == before.name

    def _enough(self, search: Search) -> tuple[Process, ...]:
        """As few as prove it, those first that the others descend from: they live longest."""
        running = [process for process in search.processes if process.runs]
        matched = {process.pid for process in running}
        return tuple(sorted(running, key=lambda process: process.parent in matched)[: self._settings.at_least])

    def _search(self) -> Search:
        if not self._settings.pid_file:
            return self._among(self._table.pids())
        pid = self._pid_in_file()
        if pid is None:
            return Search((), nothing=f"the pid file {self._settings.pid_file} is missing: the program does not run")
        search = self._among([pid])
        return search if search.processes else Search((), search.hidden, self._stale(pid))

    def _among(self, pids: Sequence[int]) -> Search:
        hidden = 0
        found = []
        for pid in pids:
            process = self._table.find(pid)
            hidden += process is Absence.HIDDEN
            if isinstance(process, Process) and self._fits(process):
                found.append(process)
        return Search(tuple(found), hidden > 0 or not self._table.shows_others())

    def _fits(self, process: Process) -> bool:
        # A zombie has no command line any more; one that fitted before still does.
        if any(process.identity == before.identity for before in self._remembered):
            return True
        return self._is_named(process) and self._is_called(process)

    def _is_named(self, process: Process) -> bool:
        wanted = self._settings.process_name
        if process.name.encode(errors="surrogateescape") != wanted.encode()[:NAME_BYTES]:
            return not wanted
        if len(wanted.encode()) <= NAME_BYTES:
            return True
        program = next(iter(self._table.command_line(process.pid)), "")
        return program.rpartition("/")[2].startswith(wanted)

    def _is_called(self, process: Process) -> bool:
        if not self._settings.command_pattern:
            return True
        return self._pattern.search(" ".join(self._table.command_line(process.pid))) is not None

    def _pid_in_file(self) -> int | None:
        path = self._root / self._settings.pid_file.lstrip("/")
        try:
            text = path.read_text(encoding="utf-8", errors="replace").split()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CouldNotCheckError(f"the pid file {path} cannot be read: {error.strerror}") from error
        if not text or not text[0].isdecimal():
            raise CouldNotCheckError(f"the pid file {path} holds no process id")
        return int(text[0])

    def _stale(self, pid: int) -> str:
        other = self._table.find(pid)
        now = f"that id now belongs to {other.name}" if isinstance(other, Process) else "no such process runs"
        return f"{self._settings.pid_file} names process {pid}, but {now}"


def build(settings: ProcessSettings, surroundings: Surroundings) -> ProcessProbe:
    """The probe for these settings."""
    return ProcessProbe(settings, surroundings.root)


KIND = Kind(
    name="process",
    summary="Processes run, are not stopped, and are as many as they should be",
    settings=ProcessSettings,
    build=build,
    target=target,
    remote=lambda _settings: False,
    silence=Silence.UNKNOWN,
    problems=problems,
)
