"""Whether what HAProxy serves is well: pure. Rows of its statistics go in, an outcome comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detak_agent.checks.base import Outcome
from detak_agent.checks.kinds.haproxy.kind import HaproxySettings
from detak_agent.checks.kinds.haproxy.stats import Process, Row
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_agent.checks.verdict import limit_of, over, verdict

_MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample: the row that is judged, the servers of its backend, the process where a socket told of it."""

    row: Row
    servers: Sequence[Row] = ()
    process: Process | None = None

    @property
    def up(self) -> int:
        """How many servers take requests."""
        return sum(server.up for server in self.servers)

    @property
    def room(self) -> tuple[int, int] | None:
        """Sessions and their limit; of a backend those of its servers that are up, None if one of them has no limit."""
        if not self.servers:
            return None if not self.row.limit else (self.row.sessions, self.row.limit)
        able = [server for server in self.servers if server.up]
        if not able or not all(server.limit for server in able):
            return None
        return sum(server.sessions for server in able), sum(server.limit or 0 for server in able)

    @property
    def queued(self) -> int:
        """Requests that wait for a server, in all queues."""
        return self.row.queued + sum(server.queued for server in self.servers)


def judge(answer: Answer, settings: HaproxySettings, marks: Mapping[str, str]) -> Outcome:
    """The worst finding decides."""
    return verdict(_findings(answer, settings), _well(answer, settings), marks, _values(answer))


def _findings(answer: Answer, settings: HaproxySettings) -> Iterator[Finding]:
    if answer.process is not None and answer.process.stopping:
        yield Finding("down", "HAProxy is stopping, and takes no new connections")
    if settings.frontend:
        yield from _of_frontend(answer.row)
    elif settings.server:
        yield from _of_server(answer.row)
    else:
        yield from _of_backend(answer, settings)
    yield from _of_room(answer, settings)


def _of_frontend(row: Row) -> Iterator[Finding]:
    if row.status == "FULL":
        yield Finding("degraded", f"the frontend is full: further connections wait (limit {row.limit})")
    elif row.status != "OPEN":
        yield Finding("down", f"the frontend takes no connections (HAProxy says {row.status})")


def _of_server(row: Row) -> Iterator[Finding]:
    if row.up:
        return
    state = row.status.split(" ")[0]
    if state in {"DRAIN", "NOLB"}:
        yield Finding("degraded", f"server {row.shown}: it gets no new users")
    else:
        yield Finding("down", f"server {row.shown}" + (": a person took it out" if row.set_aside else ""))


def _of_backend(answer: Answer, settings: HaproxySettings) -> Iterator[Finding]:
    of_all = f"{answer.up} of {len(answer.servers)} servers up"
    if not answer.row.status.startswith("UP"):
        yield Finding("down", f"backend {answer.row.proxy} {answer.row.status}, {of_all}{_others(answer)}")
    elif settings.at_least is not None and answer.up < settings.at_least:
        yield Finding("down", f"only {of_all}, at least {settings.at_least} wanted{_others(answer)}")
    elif any(not server.up and not server.set_aside for server in answer.servers):
        yield Finding("degraded", f"only {of_all}{_others(answer)}")


def _others(answer: Answer) -> str:
    """The servers that are not up, those first that nobody took out."""
    not_up = sorted((server for server in answer.servers if not server.up), key=lambda server: server.set_aside)
    shown = [server.shown for server in not_up[:_MOST_SHOWN]]
    more = [f"{len(not_up) - _MOST_SHOWN} more"] if len(not_up) > _MOST_SHOWN else []
    return f": {', '.join([*shown, *more])}" if not_up else ""


def _of_room(answer: Answer, settings: HaproxySettings) -> Iterator[Finding]:
    limit = limit_of(settings, "sessions_{}_percent")
    if answer.room is not None:
        words = f"{{}} % of the sessions in use, {answer.room[0]} of {answer.room[1]}"
        yield from over(words, _percent(*answer.room), limit, " %")
    process = answer.process
    if process is not None and process.most_connections:
        words = (
            f"HAProxy holds {{}} % of all the connections it may, {process.connections} of {process.most_connections}"
        )
        yield from over(words, _percent(process.connections, process.most_connections), limit, " %")
    if answer.queued:
        yield from over("{} requests wait for a server", answer.queued, limit_of(settings, "queue_{}"), "")


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole


def _values(answer: Answer) -> dict[str, float]:
    sessions, _ = answer.room or (answer.row.sessions, 0)
    values: dict[str, float] = {"sessions": sessions, "queued": answer.queued}
    if answer.room is not None:
        values["sessions_percent"] = _percent(*answer.room)
    if answer.servers:
        values["servers_up"] = answer.up
    return values


def _well(answer: Answer, settings: HaproxySettings) -> str:
    room = answer.room
    sessions = f"{room[0]} of {room[1]} sessions" if room else f"{answer.row.sessions} sessions"
    if settings.frontend or settings.server:
        return f"{answer.row.status}, {sessions}"
    return f"{answer.up} of {len(answer.servers)} servers up{_others(answer)}, {sessions}"
