"""A PostgreSQL database that several collectors may share, by one URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.conninfo import conninfo_to_dict

from detak_collector.store.postgresql_connection import PostgresqlConnection
from detak_collector.store.postgresql_patience import Patience
from detak_collector.store.postgresql_servers import Servers

MOST_IDLE = 8

_DEFAULTS: dict[str, str | int] = {
    "application_name": "detak-collector",
    "connect_timeout": 5,
    # A server that vanished is noticed in ten seconds.
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    # Of several hosts the primary; never a standby.
    "target_session_attrs": "read-write",
}
_OPTIONS = "-c TimeZone=UTC -c idle_in_transaction_session_timeout=60000"


class PostgresqlDatabase:
    """The database at `url`."""

    shared = True

    def __init__(self, url: str, password: str | None = None) -> None:
        asked = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
        self.place = place_of(url)
        options = f"{_OPTIONS} {asked.pop('options', '')}".strip()
        secret = {} if password is None else {"password": password}
        self._servers = Servers(_DEFAULTS | asked | secret | {"options": options})
        self._idle: list[PostgresqlConnection] = []
        self._patience = Patience()

    @property
    def lacks_standby(self) -> bool:
        """As the seam says."""
        return self._servers.lack_standby

    def connect(self, *, durable: bool = True) -> PostgresqlConnection:
        """As the seam says."""
        connection = PostgresqlConnection(self._servers, self.place, durable=durable)
        self._patience.watch(connection)
        return connection

    def close(self) -> None:
        """As the seam says."""
        self._patience.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def reading(self) -> Iterator[PostgresqlConnection]:
        """As the seam says."""
        with self._borrowed() as connection, connection.transaction(writing=False):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[PostgresqlConnection]:
        """As the seam says."""
        with self._borrowed() as connection, connection.transaction():
            yield connection

    @contextmanager
    def _borrowed(self) -> Iterator[PostgresqlConnection]:
        """One of those that wait, or another one."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.connect()
        try:
            yield connection
        finally:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
            else:
                connection.close()


def place_of(url: str) -> str:
    """The URL as people are told it: who, where and which database, no password and no options."""
    asked = conninfo_to_dict(url)
    hosts, ports = str(asked.get("host") or "localhost").split(","), str(asked.get("port") or "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    where = ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
    user = f"{asked['user']}@" if asked.get("user") else ""
    return f"postgresql://{user}{where}/{asked.get('dbname') or asked.get('user') or ''}"
