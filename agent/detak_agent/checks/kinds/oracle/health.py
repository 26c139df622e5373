"""Whether an Oracle database is well: pure. What it said of itself and the limits go in, an outcome comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.kinds.oracle.kind import OracleSettings
from detak_agent.checks.verdict import limit_of, over, slow, unexpected, verdict

PRIMARY = "PRIMARY"
_INTERVAL = re.compile(r"^([+-]?)(\d+) (\d+):(\d+):(\d+(?:\.\d+)?)$")
_VIEWS = {"role": "v_$database", "lag": "v_$dataguard_stats", "processes": "v_$resource_limit"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample. What the user may not see, or was not asked for, is None."""

    latency_ms: float
    started: str | None = None
    role: str | None = None
    open_mode: str | None = None
    lag_s: float | None = None
    processes: int | None = None
    most_processes: int | None = None
    rows: int = 0
    value: str | None = None

    @property
    def processes_percent(self) -> float | None:
        """The share of the parameter `processes` that is in use."""
        if self.processes is None or not self.most_processes:
            return None
        return 100 * self.processes / self.most_processes


def interval_s(text: str | None) -> float | None:
    """Seconds of an interval as the server writes it, `+00 00:00:05`; None where there is none."""
    match = _INTERVAL.match(text.strip()) if text else None
    if match is None:
        return None
    sign, days, hours, minutes, seconds = match.groups()
    length = ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(seconds)
    return -length if sign == "-" else length


def answer_of(facts: Mapping[str, Any], latency_ms: float, user: str) -> Answer:
    """The facts of the worker as they are judged; CouldNotCheckError names the grant that one of them needs."""
    for name, view in _VIEWS.items():
        if facts.get(f"no_grant_{name}"):
            raise CouldNotCheckError(f"user {user} may not see {view}: GRANT SELECT ON sys.{view} TO {user}")
    role, open_mode = facts.get("role") or (None, None)
    used, most = facts.get("processes") or (None, None)
    return Answer(
        latency_ms=latency_ms,
        started=(facts.get("instance") or [None])[0],
        role=role,
        open_mode=open_mode,
        lag_s=interval_s((facts.get("lag") or [None])[0]),
        processes=int(used) if used else None,
        most_processes=int(most) if most and most.isdecimal() else None,
        rows=facts.get("rows", 0),
        value=facts.get("value"),
    )


def judge(answer: Answer, settings: OracleSettings) -> Outcome:
    """The worst finding decides."""
    marks = {"instance_start": answer.started} if answer.started else {}
    values = {"latency_ms": answer.latency_ms}
    if answer.lag_s is not None:
        values["lag_s"] = answer.lag_s
    if answer.processes_percent is not None:
        values["processes_percent"] = answer.processes_percent
    return verdict(_findings(answer, settings), _well(answer), marks, values)


def _findings(answer: Answer, settings: OracleSettings) -> Iterator[Finding]:
    is_standby = answer.role is not None and answer.role != PRIMARY
    if settings.role == "primary" and is_standby:
        yield Finding("down", f"it is a {_named(answer)} and should be the primary")
    elif settings.role == "standby" and answer.role == PRIMARY:
        yield Finding("down", "it is the primary and should be a standby")
    if is_standby and settings.wants_lag:
        if answer.lag_s is None:
            yield Finding("degraded", "it does not say how far behind it is: redo apply does not run")
        yield from over("{} s behind the primary", answer.lag_s, limit_of(settings, "lag_{}_s"), " s")
    yield from unexpected(answer.rows, answer.value, settings.expect)
    words = f"{{}} % of the processes in use, {answer.processes} of {answer.most_processes}"
    yield from over(words, answer.processes_percent, limit_of(settings, "processes_{}_percent"), " %")
    yield from slow(answer.latency_ms, settings.slow_ms)


def _named(answer: Answer) -> str:
    return f"{(answer.role or '').lower()} ({(answer.open_mode or '').lower()})"


def _well(answer: Answer) -> str:
    parts = [_named(answer)] if answer.role else []
    parts += [f"{answer.lag_s:g} s behind"] if answer.lag_s else []
    return ", ".join([*parts, f"answered in {answer.latency_ms:.0f} ms"])
