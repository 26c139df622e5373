"""Whether a MySQL or MariaDB server is well: pure. What it said and the limits go in, an outcome comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detak_agent.checks.base import Outcome
from detak_agent.checks.kinds.mysql.kind import MysqlSettings
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.verdict import limit_of, over, slow, unexpected, verdict

Row = Mapping[str, str | None]

STEADY_S = 3
"""A start computed from an uptime in whole seconds wobbles; one that differs by less than this is the same start."""

_SHOW_REPLICA_STATUS_SINCE = (8, 0, 22)


@dataclass(frozen=True, slots=True)
class Channel:
    """One stream of replication that a server takes part in as a replica."""

    name: str
    source: str
    receiving: str
    applying: str
    behind_s: float | None
    error: str

    @property
    def runs(self) -> bool:
        """Whether it receives and applies."""
        return self.receiving == self.applying == "Yes"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server said; `started_s` is its start in Unix time, `channels` is None where it was not asked for them."""

    version: str
    started_s: int
    read_only: bool
    connections: int
    max_connections: int
    channels: tuple[Channel, ...] | None = None


def replica_statement(version: str) -> str:
    """How this server is asked for its replication."""
    if is_mariadb(version):
        return "SHOW ALL SLAVES STATUS"
    numbers = tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())
    return "SHOW REPLICA STATUS" if numbers >= _SHOW_REPLICA_STATUS_SINCE else "SHOW SLAVE STATUS"


def time_limit_statement(version: str, left_ms: int) -> str:
    """How this server is told to give up a query in time."""
    if is_mariadb(version):
        return f"SET SESSION max_statement_time = {left_ms / 1_000:.3f}"
    return f"SET SESSION max_execution_time = {left_ms}"


def is_mariadb(version: str) -> bool:
    """By its own version."""
    return "mariadb" in version.lower()


def facts_of(variables: Row, status: Row, now_s: int, channels: Sequence[Row] | None) -> Facts:
    """From what SHOW gave, and the server's own clock. Raises KeyError, ValueError for what no server says."""
    return Facts(
        version=str(variables["version"]),
        started_s=now_s - int(str(status["Uptime"])),
        read_only=variables["read_only"] not in {"OFF", "0"},
        connections=int(str(status["Threads_connected"])),
        max_connections=int(str(variables["max_connections"])),
        channels=None if channels is None else tuple(channel_of(row) for row in channels),
    )


def channel_of(row: Row) -> Channel:
    """From a row of SHOW REPLICA STATUS, in its old words or its new ones."""
    new = {key.replace("Slave", "Replica").replace("Master", "Source"): value or "" for key, value in row.items()}
    behind = new.get("Seconds_Behind_Source")
    return Channel(
        name=new.get("Channel_Name") or new.get("Connection_name") or "",
        source=f"{new.get('Source_Host', '')}:{new.get('Source_Port', '')}",
        receiving=new["Replica_IO_Running"],
        applying=new["Replica_SQL_Running"],
        behind_s=float(behind) if behind else None,
        error=new.get("Last_SQL_Error") or new.get("Last_IO_Error") or "",
    )


class SteadyStart:
    """The start of a server as a continuity mark, which only a restart changes."""

    def __init__(self) -> None:
        self._kept_s: int | None = None

    def of(self, started_s: int) -> int:
        """The start as first computed, as long as it is the same one."""
        if self._kept_s is None or abs(started_s - self._kept_s) >= STEADY_S:
            self._kept_s = started_s
        return self._kept_s


class Freshness:
    """How old a replica's data is, told on while the server itself cannot tell: replication that stopped has no lag."""

    def __init__(self) -> None:
        self._fresh_at_s: float | None = None

    def lag_s(self, now_s: float, channels: Sequence[Channel]) -> float:
        """Seconds, of the worst channel. `now_s` is monotonic."""
        told = [channel.behind_s for channel in channels]
        known = [seconds for seconds in told if seconds is not None]
        if known and len(known) == len(told):
            self._fresh_at_s = now_s - max(known)
        elif self._fresh_at_s is None:
            self._fresh_at_s = now_s
        return max([now_s - self._fresh_at_s, *known])


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample: the facts, the steady start, the lag of a replica, the first value of the query's first row."""

    facts: Facts
    started_s: int
    lag_s: float | None
    latency_ms: float
    rows: int = 0
    value: str | None = None


def judge(answer: Answer, settings: MysqlSettings) -> Outcome:
    """The worst finding decides."""
    values = {"latency_ms": answer.latency_ms, "connections_percent": _share(answer.facts)}
    if answer.lag_s is not None:
        values["lag_s"] = answer.lag_s
    marks = {"server_start": str(answer.started_s)}
    return verdict(_findings(answer, settings), _well(answer, settings), marks, values)


def _findings(answer: Answer, settings: MysqlSettings) -> Iterator[Finding]:
    facts = answer.facts
    yield from _of_role(facts.channels or (), settings)
    if settings.writable and facts.read_only:
        yield Finding("down", "it takes no writes: read_only is on")
    if settings.role == "replica":
        for channel in facts.channels or ():
            if not channel.runs:
                yield Finding("degraded", _stopped(channel))
        yield from over("replication {} s behind", answer.lag_s, limit_of(settings, "lag_{}_s"), " s")
    yield from unexpected(answer.rows, answer.value, settings.expect)
    words = f"{{}} % of the connections in use, {facts.connections} of {facts.max_connections}"
    yield from over(words, _share(facts), limit_of(settings, "connections_{}_percent"), " %")
    yield from slow(answer.latency_ms, settings.slow_ms)


def _of_role(channels: Sequence[Channel], settings: MysqlSettings) -> Iterator[Finding]:
    if settings.role == "replica" and not channels:
        yield Finding("down", "it replicates from no other server and should be a replica")
    if settings.role == "primary":
        sources = ", ".join(channel.source for channel in channels if channel.receiving != "No")
        if sources:
            yield Finding("down", f"it replicates from {sources} and should be the primary")


def _stopped(channel: Channel) -> str:
    name = f" of channel {channel.name}" if channel.name else ""
    if channel.receiving == channel.applying == "No":
        what = "does not run"
    elif channel.applying != "Yes":
        what = "receives, but does not apply what it received (SQL thread)"
    elif channel.receiving == "No":
        what = "does not receive (IO thread)"
    else:
        what = "cannot connect (IO thread)"
    error = f": {' '.join(channel.error.split())}" if channel.error else ""
    return f"replication{name} from {channel.source} {what}{error}"


def _well(answer: Answer, settings: MysqlSettings) -> str:
    facts = answer.facts
    parts: list[str] = [settings.role] if settings.role else []
    if answer.lag_s is not None:
        parts = [f"replica {answer.lag_s:.0f} s behind"]
    parts += ["read-only"] if facts.read_only else []
    parts.append(f"{facts.connections} of {facts.max_connections} connections")
    return f"{', '.join(parts)}, answered in {answer.latency_ms:.0f} ms"


def _share(facts: Facts) -> float:
    return 100 * facts.connections / facts.max_connections
