"""The check kind `command`: a plug-in as Nagios has them, run without a shell. How it is run is in `process`."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.command.files import PluginFiles, digests_within
from detak_agent.checks.kinds.command.output import first_line, performance_data
from detak_agent.checks.kinds.command.process import Ended, PluginProcess, environment
from detak_agent.checks.threads import Lane
from detak_wire.messages import State

STATES: Mapping[int, State] = {0: "up", 1: "degraded", 2: "down", 3: "unknown"}
DIGEST_PATIENCE_S = 2.0
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELL_COULD_NOT = {126: "could not run something", 127: "did not find something"}

Argument = Annotated[str, Meta(max_length=4_000)]


class CommandSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `command`."""

    command: Annotated[tuple[Argument, ...], Meta(min_length=1, max_length=200)]
    files: Annotated[tuple[Argument, ...], Meta(max_length=20)] = ()
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    password: str = ""
    password_file: str = ""
    password_variable: str = ""
    on_timeout: Literal["down", "unknown"] = "unknown"
    remote: bool = False

    def contents(self) -> Mapping[str, str]:
        """The plug-in's own SHA-256, and those of `files`: a plug-in that was exchanged measures something else."""
        return digests_within(self.measured_by(), DIGEST_PATIENCE_S)

    def measured_by(self) -> tuple[str, ...]:
        """The files that do the measuring."""
        return (self.command[0], *self.files)


def target(settings: CommandSettings) -> str:
    """The plug-in, and only how many arguments it gets: nobody can tell which of those are secret."""
    count = len(settings.command) - 1
    arguments = {0: "no argument", 1: "1 argument"}.get(count, f"{count} arguments")
    return f"{settings.command[0]} with {arguments}"


def problems(settings: CommandSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = []
    if not settings.command[0].startswith("/"):
        found.append(("command", "must begin with the absolute path of the plug-in; no shell looks for it"))
    if any("\0" in argument for argument in settings.command):
        found.append(("command", "holds a NUL character"))
    if any(not path.startswith("/") for path in settings.files):
        found.append(("files", "must be absolute paths"))
    wrong = [name for name, value in settings.environment.items() if not _VARIABLE.fullmatch(name) or "\0" in value]
    found += [("environment", f"{name!r} is no name of a variable, or its value holds a NUL") for name in wrong]
    return [*found, *_of_secret(settings)]


def _of_secret(settings: CommandSettings) -> list[tuple[str, str]]:
    found = secrets.problems(settings.password, settings.password_file)
    has_secret = bool(settings.password or settings.password_file)
    if has_secret and not _VARIABLE.fullmatch(settings.password_variable):
        found.append(("password_variable", "must name the environment variable that hands the password to the plug-in"))
    if settings.password_variable and not has_secret:
        found.append(("password_variable", "has no effect without password or password_file"))
    return found


def judge(ended: Ended, settings: CommandSettings, marks: Mapping[str, str]) -> Outcome:
    """Pure: the state for how the plug-in ended and what it printed."""
    line, error = first_line(ended.output), first_line(ended.errors)
    values = performance_data(ended.output)
    state = STATES.get(ended.status, "unknown")
    # A plug-in that could not run tells the reason on standard error, beside a text about its usage.
    said = error or line if state == "unknown" else line or error
    if ended.status in STATES:
        return Outcome(
            state, said or f"the plug-in printed nothing and ended with status {ended.status}", marks, values
        )
    how = _how_it_ended(ended.status)
    return Outcome(state, f"{settings.command[0]} {how}{f': {said}' if said else ''}", marks, values)


def _how_it_ended(status: int) -> str:
    if status < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"was killed by {names.get(-status, f'signal {-status}')}"
    if status in _SHELL_COULD_NOT:
        return f"ended with status {status}: it {_SHELL_COULD_NOT[status]} that it needs"
    return f"ended with status {status}, which no plug-in may: 0 to 3 are known"


class CommandProbe:
    """Runs the plug-in once per sample, in a process group of its own that never outlives the sample."""

    def __init__(self, settings: CommandSettings) -> None:
        self._settings = settings
        self._files = PluginFiles(settings.measured_by())
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        within_ms = int(patience_s(deadline_ms) * 1_000)
        process = PluginProcess(self._settings.command)
        try:
            return await self._lane.run(lambda: self._measure(process, patience_s(within_ms)), deadline_ms)
        except asyncio.TimeoutError:
            process.give_up()
            raise CouldNotCheckError(f"{self._settings.command[0]} hangs, and not even killing it helps") from None
        except asyncio.CancelledError:
            process.give_up()
            raise

    def _measure(self, process: PluginProcess, within_s: float) -> Outcome:
        marks = self._files.marks()
        ended = process.run(self._environment(), within_s)
        if ended is not None:
            return judge(ended, self._settings, marks)
        message = f"{self._settings.command[0]} did not end within {within_s * 1_000:.0f} ms and was killed"
        return Outcome(self._settings.on_timeout, message, marks)

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        password = secrets.secret(settings.password, settings.password_file)
        handed = {settings.password_variable: password} if settings.password_variable else {}
        return environment(settings.environment | handed)


def build(settings: CommandSettings, _surroundings: Surroundings) -> CommandProbe:
    """The probe for these settings."""
    return CommandProbe(settings)


KIND = Kind(
    name="command",
    summary="A plug-in as Nagios has them runs, and its exit status and first line say what it found",
    settings=CommandSettings,
    build=build,
    target=target,
    remote=lambda settings: settings.remote,
    silence=Silence.UNKNOWN,
    problems=problems,
)
