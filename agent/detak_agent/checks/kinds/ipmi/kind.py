"""The check kind `ipmi`: a machine's power and sensors as its management controller tells them, asked by ipmitool."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from detak_agent.checks import secrets
from detak_agent.checks.addresses import endpoint, is_remote
from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.command.process import Ended, PluginProcess, environment
from detak_agent.checks.kinds.ipmi.output import (
    NOTHING_KNOWN,
    Login,
    NoAnswerError,
    chassis_findings,
    failure,
    power,
    sensor_finding,
    sensors,
    values,
)
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.threads import Lane
from detak_agent.checks.verdict import verdict

TOOL = "ipmitool"
BY_IPMI = " by IPMI"
_FURTHER_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
_DEVICES = ("dev/ipmi0", "dev/ipmi/0", "dev/ipmidev/0")
_LONGEST_USER, _LONGEST_PASSWORD = 16, 20
"""As IPMI 2.0 has them, in bytes."""


class IpmiSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `ipmi`. Without `host` this machine's own controller is asked."""

    interval_ms: int = 60_000
    timeout_ms: int = 30_000
    host: Annotated[str, Meta(max_length=253)] = ""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 623
    user: Annotated[str, Meta(max_length=_LONGEST_USER)] = ""
    password: Annotated[str, Meta(max_length=_LONGEST_PASSWORD)] = ""
    password_file: str = ""
    interface: Literal["lanplus", "lan"] = "lanplus"
    cipher_suite: Annotated[int, Meta(ge=0, le=255)] | None = None
    privilege: Literal["USER", "OPERATOR", "ADMINISTRATOR"] = "USER"
    sensors: bool = True
    ignore: tuple[str, ...] = ()
    critical: Literal["down", "degraded"] = "down"
    unreachable: Literal["down", "unknown"] = "down"
    remote: bool | None = None


def target(settings: IpmiSettings) -> str:
    """Whose management controller is asked."""
    if not settings.host:
        return "this machine's own management controller"
    return endpoint(settings.host, settings.port) + BY_IPMI


def remote(settings: IpmiSettings) -> bool:
    """As the settings say, else by the address."""
    return bool(settings.host) and is_remote(settings.host) if settings.remote is None else settings.remote


def problems(settings: IpmiSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = secrets.problems(settings.password, settings.password_file)
    if any(character.isspace() or character in "/[]" for character in settings.host) or settings.host.startswith("-"):
        found.append(("host", "must be a host name or an address, without port, brackets or spaces"))
    if settings.host and not settings.user:
        found.append(("user", "is needed beside host"))
    if not settings.host:
        without = ("port", "user", "password", "password_file", "interface", "cipher_suite", "privilege")
        defaults = IpmiSettings(name=settings.name, kind=settings.kind)
        changed = [key for key in without if getattr(settings, key) != getattr(defaults, key)]
        found += [(key, "has no effect without host") for key in changed]
    if settings.cipher_suite is not None and settings.interface == "lan":
        found.append(("cipher_suite", 'has no effect with interface = "lan"'))
    if settings.ignore and not settings.sensors:
        found.append(("ignore", "has no effect with sensors = false"))
    return found


class ToolRuns:
    """The runs of ipmitool for one sample, one after the other. `give_up`, from another thread, ends them all."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._lock = threading.Lock()
        self._given_up = False
        self._running: PluginProcess | None = None

    def give_up(self) -> None:
        """Kill what runs, and let no other one begin."""
        with self._lock:
            self._given_up = True
            if self._running is not None:
                self._running.give_up()

    def run(self, command: list[str], password: str) -> Ended | None:
        """How it ended, None where it was killed because the time was over."""
        process = PluginProcess(command)
        with self._lock:
            self._running = process
            if self._given_up:
                process.give_up()
        # A process's environment is for its own user's eyes only, its arguments are for everyone's.
        return process.run(environment({"IPMI_PASSWORD": password}), max(self._until - time.monotonic(), 0))


class IpmiProbe:
    """Runs ipmitool once for the chassis and once for the sensors; neither run outlives the sample."""

    def __init__(self, settings: IpmiSettings, root: Path) -> None:
        self._settings = settings
        self._root = root
        self._login = Login(target(settings).removesuffix(BY_IPMI), settings.user, settings.privilege)
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        # What kills the tool in time has to come a little before what gives up waiting for it.
        runs = ToolRuns(time.monotonic() + patience_s(int(patience_s(deadline_ms) * 1_000)))
        try:
            found = await self._lane.run(lambda: self._found(runs), deadline_ms)
        except asyncio.TimeoutError:
            runs.give_up()
            raise CouldNotCheckError(f"{TOOL} hangs, and not even killing it helps") from None
        except asyncio.CancelledError:
            runs.give_up()
            raise
        if isinstance(found, NoAnswerError):
            return Outcome(self._settings.unreachable, str(found))
        if isinstance(found, CouldNotCheckError):
            raise found
        return found

    def _found(self, runs: ToolRuns) -> Outcome | CouldNotCheckError | NoAnswerError:
        """Errors too, since nobody would fetch one that is raised after the sample was given up."""
        try:
            return self._measure(runs)
        except (CouldNotCheckError, NoAnswerError) as error:
            return error

    def _measure(self, runs: ToolRuns) -> Outcome:
        command = self._command()
        chassis = self._answer(runs, [*command, "-v", "chassis", "status"])
        if chassis is None:
            raise NoAnswerError(f"{self._login.where} did not answer over IPMI in time: {NOTHING_KNOWN}")
        state = power(chassis)
        if state is None:
            raise CouldNotCheckError(f"{self._login.where} did not tell whether the machine is on")
        if state != "on":
            return Outcome("down", f"the machine is switched off (System Power: {state})")
        found = chassis_findings(chassis)
        if not self._settings.sensors:
            return verdict(found, "the machine is on", {}, {})
        listed = self._answer(runs, [*command, "sdr", "elist"])
        if listed is None:
            raise CouldNotCheckError(
                "the machine is on, but its sensors were not read in time: raise timeout_ms, or set sensors = false"
            )
        return self._judged(found, listed)

    def _judged(self, found: list[Finding], listed: str) -> Outcome:
        seen = [sensor for sensor in sensors(listed) if sensor.name not in self._settings.ignore]
        findings = [sensor_finding(sensor, self._settings.critical) for sensor in seen]
        found = [*found, *(finding for finding in findings if finding is not None)]
        return verdict(found, f"the machine is on, and {len(seen)} sensors are well", {}, values(seen))

    def _command(self) -> list[str]:
        if not self._settings.host:
            self._look_at_device()
        tool = shutil.which(TOOL) or shutil.which(TOOL, path=_FURTHER_FOLDERS)
        if tool is None:
            raise CouldNotCheckError(f"{TOOL} is not installed: install the package {TOOL}")
        settings = self._settings
        if not settings.host:
            return [tool, "-I", "open"]
        suite = [] if settings.cipher_suite is None else ["-C", str(settings.cipher_suite)]
        where = ["-I", settings.interface, "-H", settings.host, "-p", str(settings.port)]
        return [tool, *where, *suite, "-U", settings.user, "-E", "-L", settings.privilege]

    def _look_at_device(self) -> None:
        devices = [self._root / device for device in _DEVICES if (self._root / device).exists()]
        if not devices:
            raise CouldNotCheckError(
                "this machine has no /dev/ipmi0: if it has a controller, load the modules ipmi_si and ipmi_devintf"
            )
        if not os.access(devices[0], os.R_OK | os.W_OK):
            raise CouldNotCheckError(
                f"the agent may not use {devices[0]}: give its group read and write access by a udev rule"
            )

    def _answer(self, runs: ToolRuns, command: list[str]) -> str | None:
        """What ipmitool prints, None where it had to be killed. Raises as `failure` says where it failed."""
        ended = runs.run(command, secrets.secret(self._settings.password, self._settings.password_file))
        if ended is None:
            return None
        if ended.status != 0:
            raise failure(ended.errors.decode(errors="replace"), self._login)
        return ended.output.decode(errors="replace")


def build(settings: IpmiSettings, surroundings: Surroundings) -> IpmiProbe:
    """The probe for these settings."""
    return IpmiProbe(settings, surroundings.root)


KIND = Kind(
    name="ipmi",
    summary="A machine is on, and its sensors are well, as its IPMI management controller tells",
    settings=IpmiSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
