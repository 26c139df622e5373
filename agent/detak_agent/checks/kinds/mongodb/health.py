"""Whether a MongoDB server is well: pure. What it said of itself and the limits go in, an outcome comes out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.mongodb.kind import MongodbSettings
from detak_agent.checks.kinds.mongodb.wire import CommandError
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.verdict import limit_of, over, slow, verdict

UNAUTHORIZED, AUTHENTICATION_FAILED, COMMAND_NOT_FOUND = 13, 18, 59
_MECHANISM_UNAVAILABLE = 334
_NO_REPLICATION = 76
_ENDING = frozenset({91, 11_600, 11_602})
_PRIMARY, _SECONDARY = "primary", "secondary"


@dataclass(frozen=True, slots=True)
class Server:
    """What `hello` says. `role` is empty for a member that serves nobody: starting, recovering, rolling back."""

    role: str
    replica_set: str = ""
    process: str = ""
    """Another one after each start of the server; empty before MongoDB 4.4."""
    mechanisms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample. What was not asked for is None."""

    server: Server
    latency_ms: float
    lag_s: float | None = None
    connections: int | None = None
    most_connections: int | None = None


def server_of(hello: Mapping[str, Any]) -> Server:
    """The reply to `hello`, or to the older `isMaster`."""
    version = hello.get("topologyVersion")
    process = version.get("processId", "") if isinstance(version, Mapping) else ""
    mechanisms = hello.get("saslSupportedMechs")
    return Server(
        role=_role(hello),
        replica_set=str(hello.get("setName", "")),
        process=str(process),
        mechanisms=tuple(map(str, mechanisms)) if isinstance(mechanisms, list) else (),
    )


def _role(hello: Mapping[str, Any]) -> str:
    if hello.get("msg") == "isdbgrid":
        return "router (mongos)"
    if hello.get("isWritablePrimary", hello.get("ismaster")):
        return _PRIMARY if "setName" in hello else "standalone server"
    if hello.get("secondary"):
        return _SECONDARY
    return "arbiter" if hello.get("arbiterOnly") else ""


def lag_of(status: Mapping[str, Any]) -> float | None:
    """Seconds that this member is behind the primary, or behind the furthest member where there is none."""
    members = [member for member in status.get("members", ()) if isinstance(member.get("optimeDate"), dt.datetime)]
    own = [member["optimeDate"] for member in members if member.get("self")]
    primary = [member["optimeDate"] for member in members if member.get("stateStr") == "PRIMARY"]
    furthest = primary or [member["optimeDate"] for member in members]
    return max((max(furthest) - own[0]).total_seconds(), 0.0) if own else None


def judge(answer: Answer, settings: MongodbSettings) -> Outcome:
    """The worst finding decides."""
    marks = {"server_process": answer.server.process} if answer.server.process else {}
    values = {"latency_ms": answer.latency_ms}
    if answer.lag_s is not None:
        values["lag_s"] = answer.lag_s
    share = _share(answer)
    if share is not None:
        values["connections_percent"] = share
    return verdict(_findings(answer, settings), _well(answer), marks, values)


def _findings(answer: Answer, settings: MongodbSettings) -> Iterator[Finding]:
    server = answer.server
    if not server.role:
        yield Finding("down", "it serves nobody: it is neither primary nor secondary (starting, recovering or removed)")
    elif settings.role is not None and server.role != settings.role:
        yield Finding("down", f"it is a {server.role} and should be a {settings.role}")
    if settings.replica_set and server.replica_set != settings.replica_set:
        belongs = f"belongs to replica set {server.replica_set}" if server.replica_set else "belongs to no replica set"
        yield Finding("down", f"it {belongs} and should be in {settings.replica_set}")
    if server.role == _SECONDARY:
        yield from over("{} s behind the primary", answer.lag_s, limit_of(settings, "lag_{}_s"), " s")
    words = f"{{}} % of the connections in use, {answer.connections} of {answer.most_connections}"
    yield from over(words, _share(answer), limit_of(settings, "connections_{}_percent"), " %")
    yield from slow(answer.latency_ms, settings.slow_ms)


def _share(answer: Answer) -> float | None:
    if answer.connections is None or not answer.most_connections:
        return None
    return 100 * answer.connections / answer.most_connections


def _well(answer: Answer) -> str:
    server = answer.server
    member = f" of {server.replica_set}" if server.replica_set else ""
    behind = f", {answer.lag_s:g} s behind" if answer.lag_s else ""
    return f"{server.role}{member}{behind}, answered in {answer.latency_ms:.0f} ms"


def refused(error: CommandError, command: str, where: str, settings: MongodbSettings) -> Outcome:
    """The state when the server refuses a command; CouldNotCheckError where it is this user alone who may not."""
    user = f"user {settings.user}" if settings.user else "whoever does not sign in"
    if error.code in {AUTHENTICATION_FAILED, _MECHANISM_UNAVAILABLE}:
        raise CouldNotCheckError(
            f"{where} refuses {user}: wrong password, or no such user in auth_database {settings.auth_database}"
        )
    if error.code == UNAUTHORIZED:
        needed = f"read on {settings.collection}" if command == "find" else "clusterMonitor"
        raise CouldNotCheckError(f"{where} does not let {user} run {command}: grant the role {needed}")
    if error.code == _NO_REPLICATION:
        return Outcome("down", f"{where} is no member of a replica set, and its lag is asked for")
    if error.code in _ENDING:
        return Outcome("down", f"{where} is being shut down: {error}")
    return Outcome("down", f"{where} refuses {command}: {error}")
