"""Whether a Redis server is well: pure. Its replies and the limits go in, an outcome comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.operating_system.health import Finding, size
from detak_agent.checks.kinds.redis.connection import Refusal, Reply
from detak_agent.checks.kinds.redis.kind import RedisSettings
from detak_agent.checks.verdict import limit_of, over, slow, verdict

_OF_THE_CHECK = {
    "NOAUTH": "the server wants a password: set password_file",
    "WRONGPASS": "the server refuses user {user}: wrong password, or no such user",
    "NOPERM": "user {user} may not do what the check needs: ACL SETUSER {user} +ping +info ({words})",
}
_NOBODY_SIGNS_IN = "without any password configured"
"""Redis asks for none and was given one; it then works for all who give none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What INFO said, as far as it is judged; None is what this server does not tell."""

    run_id: str
    primary: bool
    loading: bool
    loaded_percent: float | None
    left_to_load_s: float | None
    memory: int
    max_memory: int
    evicts: bool
    connections: int
    max_connections: int | None
    replicas: int
    linked: bool
    copying: bool
    silent_s: float | None

    @property
    def memory_percent(self) -> float | None:
        """Of what it may use; None where nothing limits it."""
        return 100 * self.memory / self.max_memory if self.max_memory else None

    @property
    def connections_percent(self) -> float | None:
        """Of what it takes."""
        return 100 * self.connections / self.max_connections if self.max_connections else None


def facts_of(info: str) -> Facts:
    """From the text of INFO; KeyError, ValueError if that is none."""
    told = dict(line.split(":", 1) for line in info.splitlines() if ":" in line and not line.startswith("#"))
    return Facts(
        run_id=told["run_id"],
        primary=told["role"] == "master",
        loading=told.get("loading") == "1",
        loaded_percent=_number(told, "loading_loaded_perc"),
        left_to_load_s=_number(told, "loading_eta_seconds"),
        memory=int(told["used_memory"]),
        max_memory=int(told.get("maxmemory", "0")),
        evicts=told.get("maxmemory_policy", "").startswith("allkeys-"),
        connections=int(told["connected_clients"]),
        max_connections=int(told["maxclients"]) if "maxclients" in told else None,
        replicas=int(told.get("connected_slaves", "0")),
        linked=told.get("master_link_status") == "up",
        copying=told.get("master_sync_in_progress") == "1",
        silent_s=_silent_s(told),
    )


def _number(told: Mapping[str, str], key: str) -> float | None:
    return float(told[key]) if key in told else None


def _silent_s(told: Mapping[str, str]) -> float | None:
    """Seconds since a replica heard from its primary; since its own start if it never did."""
    if told["role"] == "master":
        return None
    if told.get("master_link_status") == "up":
        return max(float(told.get("master_last_io_seconds_ago", "0")), 0.0)
    since = float(told.get("master_link_down_since_seconds", "-1"))
    return since if since >= 0 else float(told["uptime_in_seconds"])


def trouble(reply: Reply, user: str) -> str:
    """What a refusal says to users, nothing if it is none; CouldNotCheckError where it is the check that is refused."""
    if not isinstance(reply, Refusal):
        return ""
    kind, _, words = reply.text.partition(" ")
    if kind in _OF_THE_CHECK:
        raise CouldNotCheckError(_OF_THE_CHECK[kind].format(user=user or "default", words=words))
    if _NOBODY_SIGNS_IN in words:
        raise CouldNotCheckError("the server has no password for user default: remove the check's, or set requirepass")
    return words if kind == "ERR" else reply.text


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample: what PING got (nothing if it is well), and what INFO told."""

    refusal: str
    facts: Facts
    latency_ms: float


def judge(answer: Answer, settings: RedisSettings) -> Outcome:
    """The worst finding decides."""
    facts = answer.facts
    told = {
        "latency_ms": answer.latency_ms,
        "memory_percent": facts.memory_percent,
        "connections_percent": facts.connections_percent,
        "lag_s": facts.silent_s,
        "replicas": float(facts.replicas) if facts.primary else None,
    }
    values = {name: value for name, value in told.items() if value is not None}
    return verdict(_findings(answer, settings), _well(answer), {"run_id": facts.run_id}, values)


def _findings(answer: Answer, settings: RedisSettings) -> Iterator[Finding]:
    facts = answer.facts
    if facts.loading:
        yield Finding("down", _loading(facts))
    elif answer.refusal:
        yield Finding("down", f"it refuses commands: {answer.refusal}")
    if settings.role == "primary" and not facts.primary:
        yield Finding("down", "it is a replica and should be the primary")
    elif settings.role == "replica" and facts.primary:
        yield Finding("down", "it is a primary and should be a replica")
    if not facts.primary:
        yield from _of_replica(facts, settings)
    yield from _of_memory(facts, settings)
    words = f"{{}} % of the connections in use, {facts.connections} of {facts.max_connections}"
    yield from over(words, facts.connections_percent, limit_of(settings, "connections_{}_percent"), " %")
    yield from slow(answer.latency_ms, settings.slow_ms)


def _loading(facts: Facts) -> str:
    percent = "" if facts.loaded_percent is None else f", {facts.loaded_percent:.0f} % done"
    left = "" if facts.left_to_load_s is None else f", about {facts.left_to_load_s:.0f} s to go"
    return f"it is loading its data into memory{percent}{left}"


def _of_replica(facts: Facts, settings: RedisSettings) -> Iterator[Finding]:
    if facts.copying:
        yield Finding("degraded", "replication has not begun: it still copies all data from its primary")
    elif not facts.linked:
        yield Finding("degraded", f"replication has stopped: no link to its primary for {facts.silent_s or 0:.0f} s")
    yield from over("heard nothing from its primary for {} s", facts.silent_s, limit_of(settings, "lag_{}_s"), " s")


def _of_memory(facts: Facts, settings: RedisSettings) -> Iterator[Finding]:
    """A cache that evicts is full as a rule, and goes on."""
    if facts.evicts:
        return
    words = f"memory {{}} % of maxmemory, {size(facts.memory)} of {size(facts.max_memory)}"
    if facts.memory_percent is not None and facts.memory_percent >= 100:
        words += ", writes are refused"
    yield from over(words, facts.memory_percent, limit_of(settings, "memory_{}_percent"), " %")


def _well(answer: Answer) -> str:
    facts = answer.facts
    role = f"primary with {facts.replicas} replicas" if facts.primary else "replica, linked to its primary"
    of_most = f" of {size(facts.max_memory)}" if facts.max_memory else ""
    return f"{role}, memory {size(facts.memory)}{of_most}, answered in {answer.latency_ms:.0f} ms"
