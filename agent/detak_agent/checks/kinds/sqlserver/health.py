"""Whether a SQL Server is well: pure. What it said of itself and the limits go in, an outcome comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detak_agent.checks.base import Outcome
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.kinds.sqlserver.kind import SqlserverSettings
from detak_agent.checks.verdict import limit_of, over, slow, unexpected, verdict

ONLINE = "ONLINE"

START = "SELECT CONVERT(nvarchar(30), create_date, 126) FROM sys.databases WHERE name = N'tempdb'"
"""The server makes tempdb anew whenever it starts; to see that needs no right."""

STATE = "SELECT state_desc FROM sys.databases WHERE name = {}"

REPLICA = """
SELECT TOP 1 role_desc, synchronization_health_desc
FROM sys.dm_hadr_availability_replica_states WHERE is_local = 1 ORDER BY role_desc
"""

LAG = """
SELECT CONVERT(nvarchar(30), MAX(secondary_lag_seconds)) FROM sys.dm_hadr_database_replica_states
"""
"""On the primary of all its secondaries, on a secondary of itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample. What was not asked for, or the server does not tell, is None."""

    latency_ms: float
    started: str | None = None
    state: str | None = None
    role: str | None = None
    health: str | None = None
    lag_s: float | None = None
    rows: int = 0
    value: str | None = None


def quoted(text: str) -> str:
    """A text as a literal."""
    return "N'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL has it."""
    return "[" + name.replace("]", "]]") + "]"


def judge(answer: Answer, settings: SqlserverSettings) -> Outcome:
    """The worst finding decides."""
    marks = {"server_start": answer.started} if answer.started else {}
    values = {"latency_ms": answer.latency_ms}
    if answer.lag_s is not None:
        values["lag_s"] = answer.lag_s
    return verdict(_findings(answer, settings), _well(answer, settings), marks, values)


def _findings(answer: Answer, settings: SqlserverSettings) -> Iterator[Finding]:
    if settings.database and answer.state is None:
        yield Finding("down", f"the server has no database {settings.database}, or does not show it to this user")
    elif settings.database and answer.state != ONLINE:
        yield Finding("down", f"database {settings.database} is {answer.state}")
    yield from _of_replica(answer, settings)
    yield from unexpected(answer.rows, answer.value, settings.expect)
    yield from slow(answer.latency_ms, settings.slow_ms)


def _of_replica(answer: Answer, settings: SqlserverSettings) -> Iterator[Finding]:
    if not settings.wants_replica:
        return
    if answer.role is None:
        yield Finding("down", "it belongs to no availability group")
    elif settings.role is not None and answer.role != settings.role.upper():
        yield Finding("down", f"it is {answer.role} in its availability group and should be {settings.role.upper()}")
    if answer.health is not None and answer.health != "HEALTHY":
        yield Finding("degraded", f"synchronisation of its availability group is {answer.health}")
    yield from over("a secondary is {} s behind", answer.lag_s, limit_of(settings, "lag_{}_s"), " s")


def _well(answer: Answer, settings: SqlserverSettings) -> str:
    parts = [f"database {settings.database} is online"] if settings.database else []
    parts += [answer.role.lower()] if answer.role else []
    return ", ".join([*parts, f"answered in {answer.latency_ms:.0f} ms"])
