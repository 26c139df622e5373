"""What systemd says of units, and what follows from it: pure, for whatever was asked, and in words for people."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from detak_agent.checks.base import Outcome
from detak_agent.checks.kinds.systemd.kind import SystemdSettings
from detak_wire.messages import State

SHOWN = 3
_RUNNING = frozenset({"active", "reloading", "refreshing"})
_RESTARTING = frozenset({"auto-restart", "auto-restart-queued"})
_EXITED, _DUMPED = 1, 3
"""CLD_EXITED and CLD_DUMPED of waitid(2); what else ends a process is a signal."""

_RESULTS = {
    "timeout": "it took longer than its time-out",
    "watchdog": "it gave its watchdog no sign of life",
    "start-limit-hit": "it was started too often, and systemd gave up",
    "oom-kill": "the kernel killed one of its processes because memory ran out",
    "protocol": "it did not report to systemd as its Type= says",
    "resources": "systemd lacked the resources to run it",
}
_OWN_EXIT_CODES = {
    200: "its working directory could not be entered",
    203: "its program could not be started: is it there, and executable?",
    208: "its standard input could not be set up",
    209: "its standard output could not be set up",
    216: "its group does not exist",
    217: "its user does not exist",
    226: "its sandbox could not be set up: does a path that it names exist?",
    238: "its state directory could not be made",
    243: "its credentials could not be read",
}
"""What systemd.exec(5) says of exit codes that are systemd's own, where it helps to know."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a unit last ended; only of services is more than the result known."""

    result: str = ""
    code: int = 0
    status: int = 0
    restarts: int = 0
    job: bool = False
    """Whether it is there to run and end: a oneshot service without RemainAfterExit."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as systemd shows it."""

    name: str
    load: str
    active: str
    sub: str
    invocation: str = ""
    ending: Ending = field(default_factory=Ending)
    triggers: Unit | None = None
    """What a timer starts."""

    @property
    def runs(self) -> bool:
        return self.active in _RUNNING


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one unit, why, and its invocation where an unchanged one means that it ran throughout."""

    state: State
    message: str
    invocation: str = ""


class Units:
    """Judges units; it remembers which jobs failed, since systemd forgets that when it starts them again."""

    def __init__(self, settings: SystemdSettings) -> None:
        self._starting: State = settings.activating
        self._failed_jobs: set[str] = set()

    def find(self, unit: Unit) -> Finding:
        """The state of one unit."""
        if unit.triggers is not None and unit.runs:
            return self._job(unit.triggers, f" (of {unit.name})")
        if unit.ending.job and not unit.runs:
            return self._job(unit, "")
        if unit.runs:
            return _running(unit)
        if unit.active == "activating" and unit.sub not in _RESTARTING:
            return Finding(self._starting, f"{unit.name} is still starting ({unit.sub})", unit.invocation)
        return Finding("down", _not_running(unit))

    def _job(self, unit: Unit, of: str) -> Finding:
        """By its last run: one that is under way changes nothing."""
        if unit.active == "failed" or unit.sub in _RESTARTING:
            self._failed_jobs.add(unit.name)
            return Finding("down", f"the last run of {unit.name}{of} failed: {cause(unit.ending)}")
        if unit.load != "loaded":
            return Finding("down", _not_loaded(unit) + of)
        if unit.active == "inactive" or unit.sub == "exited":
            self._failed_jobs.discard(unit.name)
            return Finding("up", f"{unit.name}{of}: no run failed, and none is under way")
        if unit.name in self._failed_jobs:
            return Finding("down", f"the last run of {unit.name}{of} failed; it runs again")
        return Finding("up", f"{unit.name}{of} is under way ({unit.sub})")


def _running(unit: Unit) -> Finding:
    if unit.load != "loaded":
        return Finding("degraded", f"it runs, but could not start again: {_not_loaded(unit)}", unit.invocation)
    return Finding("up", f"{unit.name} is {unit.active} ({unit.sub})", unit.invocation)


def _not_running(unit: Unit) -> str:
    if unit.active == "failed":
        return f"{unit.name} failed: {cause(unit.ending)}"
    if unit.sub in _RESTARTING:
        times = f" ({unit.ending.restarts} times so far)" if unit.ending.restarts else ""
        return f"{unit.name} fails and is started again{times}: {cause(unit.ending)}"
    if unit.load != "loaded":
        return _not_loaded(unit)
    if unit.active == "deactivating":
        return f"{unit.name} is being stopped ({unit.sub})"
    how = "" if unit.active == "inactive" else f" but {unit.active} ({unit.sub})"
    return f"{unit.name} is not running{how}: see systemctl status {unit.name}"


def _not_loaded(unit: Unit) -> str:
    if unit.load == "not-found":
        return f"there is no unit {unit.name}: is the name right, and its package installed?"
    if unit.load == "masked":
        return f"{unit.name} is masked: systemctl unmask {unit.name} lets it start"
    return f"the file of {unit.name} has an error ({unit.load}): see systemctl status {unit.name}"


def cause(ending: Ending) -> str:
    """Why a unit failed, as far as its result and its main process tell."""
    words = _RESULTS.get(ending.result)
    if words is not None:
        return words
    if ending.result in {"exit-code", "signal", "core-dump"}:
        return _end_of_process(ending)
    return f"its result is {ending.result}" if ending.result else "systemd does not say why"


def _end_of_process(ending: Ending) -> str:
    # The main process may have ended well, or never have begun, and a command before or after it have failed.
    if ending.code == 0 or (ending.code == _EXITED and ending.status == 0):
        return "a command beside its main process failed (ExecStartPre=, ExecStartPost= or ExecStopPost=)"
    if ending.code == _EXITED:
        words = _OWN_EXIT_CODES.get(ending.status)
        return f"its main process exited with status {ending.status}{f': {words}' if words else ''}"
    dumped = " and left a core dump" if ending.code == _DUMPED else ""
    return f"its main process was killed by {_signal_name(ending.status)}{dumped}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def judge(findings: Sequence[Finding], at_least: int | None) -> Outcome:
    """The state of the check: `down` with fewer good units than needed, `degraded` if not all of them are up."""
    good = [finding for finding in findings if finding.state != "down"]
    bad = [finding for finding in findings if finding.state == "down"]
    doubtful = [*bad, *(finding for finding in good if finding.state != "up")]
    needed = len(findings) if at_least is None else at_least
    if len(good) < needed:
        count = f"{len(good)} of the {needed} units that are needed run: " if len(findings) > 1 else ""
        return Outcome("down", count + _shown(bad), values=_values(good))
    if doubtful:
        return Outcome("degraded", _shown(doubtful), _marks(good, all_needed=needed == len(findings)), _values(good))
    return Outcome("up", _shown(good), _marks(good, all_needed=needed == len(findings)), _values(good))


def _shown(findings: Sequence[Finding]) -> str:
    more = f"; and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
    return "; ".join(finding.message for finding in findings[:SHOWN]) + more


def _values(good: Sequence[Finding]) -> dict[str, float]:
    return {"units": float(len(good))}


def _marks(good: Sequence[Finding], *, all_needed: bool) -> dict[str, str]:
    """The invocations of the units, if each is needed: where some are to spare, a restart of one is no outage."""
    invocations = [finding.invocation for finding in good if finding.invocation]
    if not all_needed or not invocations:
        return {}
    if len(invocations) == 1:
        return {"invocation": invocations[0]}
    return {"invocation": hashlib.sha256(" ".join(invocations).encode()).hexdigest()[:32]}
