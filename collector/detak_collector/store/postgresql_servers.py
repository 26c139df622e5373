"""Which of several servers a store is on: the primary, and of two that both think they are, the newer one.

A primary that was cut off, or whose keeper died, still takes connections after another one was promoted, and commits
there wait for a standby that has left it. A promotion begins a new timeline: its number tells which is which.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from detak_collector.store.base import StoreUnavailableError

_TIMELINE = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int"
DEFAULT_PORT = 5_432
_BY_PLACE = ("host", "hostaddr", "port")


@dataclass(frozen=True, slots=True)
class Server:
    """One that took a connection; `timeline` is 0 where it is the only one there is."""

    host: str
    port: int
    timeline: int

    def is_at(self, named: Mapping[str, str]) -> bool:
        """Whether it is the one of these parameters."""
        return named.get("host", "") == self.host and int(named.get("port") or DEFAULT_PORT) == self.port


class Servers:
    """Of one database, for all its connections and any thread. `asked` are libpq's parameters."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self.has_standby = True
        """Whether commits wait for another server too, as was seen last."""
        self._asked = dict(asked)
        self._lock = threading.Lock()
        self._order = _split(asked)
        self._newest = 0

    @property
    def lack_standby(self) -> bool:
        """Whether there are several, and one of them alone keeps what is committed."""
        return len(self._order) > 1 and not self.has_standby

    def conninfo(self) -> str:
        """The servers in the order in which they are to be tried."""
        with self._lock:
            order = list(self._order)
        named = [name for name in _BY_PLACE if name in self._asked]
        together = {name: ",".join(one[name] for one in order) for name in named}
        return make_conninfo("", **(self._asked | together))

    def accept(self, connection: psycopg.Connection[Any], place: str) -> Server:
        """The server just connected to; raises StoreUnavailableError where a newer one is known."""
        server = Server(connection.info.host, connection.info.port, 0)
        if len(self._order) > 1:
            server = replace(server, timeline=int(connection.execute(_TIMELINE).fetchall()[0][0]))
        if self.is_outdated(server):
            self.avoid(server)
            connection.close()
            raise StoreUnavailableError(
                f"{place}: {server.host}:{server.port} takes writes though it was replaced (timeline "
                f"{server.timeline}, another has {self._newest}): stop it, and let it join the cluster again"
            )
        with self._lock:
            self._newest = max(server.timeline, self._newest)
        return server

    def is_outdated(self, server: Server) -> bool:
        """Whether a server of a later timeline has been seen."""
        return server.timeline < self._newest

    def avoid(self, server: Server) -> None:
        """From now on it is tried last."""
        with self._lock:
            self._order.sort(key=server.is_at)


def _split(asked: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each server's own part of the parameters; libpq gives one port to all where it is the only one."""
    named = {name: str(asked[name]).split(",") for name in _BY_PLACE if name in asked}
    count = max(map(len, named.values()), default=1)
    return [{name: values[at if len(values) > 1 else 0] for name, values in named.items()} for at in range(count)]
