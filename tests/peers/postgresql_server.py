"""Real PostgreSQL servers on loopback: a primary that speaks TLS, and replicas that stream from it."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from peers.server_process import Server, as_user, copied, free_port, hand_over, own_folder, until

if TYPE_CHECKING:
    # What measures starts these servers too, and has no agent's tests beside it.
    from agent.checks.check_stage import Certificates

USER = "postgres"
PASSWORD = "s3kret"
MAX_CONNECTIONS = 12

_CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = {most}
fsync = off
shared_buffers = 8MB
wal_receiver_timeout = 2s
wal_retrieve_retry_interval = 100ms
"""
_USERS = f"""
CREATE ROLE detak LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_monitor;
CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE idle NOLOGIN PASSWORD '{PASSWORD}';
CREATE TABLE declarations (number int);
GRANT SELECT ON declarations TO detak;
CREATE TABLE hidden (number int);
"""


@dataclass
class Postgres:
    """A running server: its data lie in `folder`/data, its local socket in `folder`."""

    folder: Path
    port: int
    server: Server

    @property
    def keys(self) -> dict[str, Any]:
        """How a check reaches it."""
        return {"host": "127.0.0.1", "port": self.port, "password": PASSWORD}

    def connect(self, user: str = USER, database: str = "postgres") -> "psycopg.Connection[Any]":
        return psycopg.connect(host=str(self.folder), port=self.port, user=user, dbname=database, autocommit=True)

    def run(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def value(self, query: str) -> Any:
        with self.connect() as connection:
            row = connection.execute(query.encode()).fetchone()
            return row[0] if row else None

    def restart(self) -> None:
        self.server.stop(signal.SIGINT)
        self.server.start()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self.server.stop(signal.SIGINT)
        try:
            yield
        finally:
            self.server.start()


def program(name: str) -> str:
    """One of PostgreSQL's own programs, of the newest version there is; they are not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.skip(f"{name} is not on this machine")
    return str(found[-1])


@contextlib.contextmanager
def primary(
    certificates: "Certificates | None" = None, more: str = "", inside: Path | None = None
) -> Iterator[Postgres]:
    """`more` is what else its configuration says; its data lie `inside` a folder."""
    with own_folder(USER, inside) as folder:
        _run(program("initdb"), "-D", f"{folder}/data", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync",
             "--auth-local=trust", "--auth-host=scram-sha-256")  # fmt: skip
        with _running(folder, (_tls(folder, certificates) if certificates else "") + more) as server:
            server.run(*_USERS.strip().splitlines())
            yield server


@contextlib.contextmanager
def replica(of: Postgres, more: str = "") -> Iterator[Postgres]:
    """A replica that streams from `of`; `more` is what else its configuration says."""
    with own_folder(USER) as folder:
        _run(program("pg_basebackup"), "-h", str(of.folder), "-p", str(of.port), "-U", USER, "-D", f"{folder}/data",
             "-R", "--checkpoint=fast", "--no-sync", "-X", "stream")  # fmt: skip
        with _running(folder, more) as server:
            yield server


def caught_up(one: Postgres, of: Postgres) -> None:
    """Waits until the replica has replayed everything."""
    end = of.value("SELECT pg_current_wal_lsn()")
    until(
        lambda: bool(one.value(f"SELECT pg_last_wal_replay_lsn() >= '{end}'")), lambda: "the replica does not catch up"
    )


@contextlib.contextmanager
def _running(folder: Path, more: str) -> Iterator[Postgres]:
    port = free_port()
    text = _CONFIGURATION.format(port=port, folder=folder, most=MAX_CONNECTIONS) + more
    configuration = folder / "postgresql.conf"
    configuration.write_text(text)
    hand_over(configuration, USER)
    files = {"config_file": configuration, "hba_file": f"{folder}/data/pg_hba.conf"}
    chosen = [f"--{name}={path}" for name, path in files.items()]
    command = [*as_user(USER), program("postgres"), "-D", f"{folder}/data", *chosen]
    running = Postgres(folder, port, Server(command, folder / "log", lambda: _answers(folder, port)))
    try:
        running.server.start()
        yield running
    finally:
        running.server.stop(signal.SIGQUIT)


def _answers(folder: Path, port: int) -> bool:
    """Whether it speaks: a server that refuses everybody for good does, too."""
    try:
        psycopg.connect(host=str(folder), port=port, user=USER, dbname="postgres").close()
    except psycopg.OperationalError as error:
        return "Hot standby mode is disabled" in str(error) or "hot standby mode is disabled" in str(error)
    return True


def _tls(folder: Path, certificates: "Certificates") -> str:
    certificate = copied(certificates.path("good"), folder / "server.pem", USER)
    key = copied(Path(certificates.key), folder / "server.key", USER)
    return f"ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n"


def _run(*command: str) -> None:
    finished = subprocess.run([*as_user(USER), *command], capture_output=True, text=True, check=False, cwd="/")
    assert finished.returncode == 0, finished.stderr
