"""Real MariaDB servers on loopback: a primary that speaks TLS, and replicas of it."""

import contextlib
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pymysql.cursors

from agent.checks.check_stage import Certificates
from conftest import program_path
from peers.server_process import Server, as_user, copied, free_port, hand_over, own_folder, until

USER = "mysql"
PASSWORD = "s3kret"
MAX_CONNECTIONS = 12

_USERS = f"""
CREATE DATABASE tax;
CREATE TABLE tax.declarations (number INT);
CREATE USER detak@'%' IDENTIFIED BY '{PASSWORD}';
GRANT REPLICA MONITOR ON *.* TO detak@'%';
GRANT SELECT ON tax.* TO detak@'%';
CREATE USER plain@'%' IDENTIFIED BY '{PASSWORD}';
CREATE USER follower@'%' IDENTIFIED BY '{PASSWORD}';
CREATE USER writer@'%' IDENTIFIED BY '{PASSWORD}';
GRANT INSERT ON tax.declarations TO writer@'%';
GRANT REPLICATION SLAVE ON *.* TO follower@'%';
"""


@dataclass
class Mariadb:
    """A running server with its local socket in `folder`."""

    folder: Path
    port: int
    server: Server

    @property
    def keys(self) -> dict[str, Any]:
        """How a check reaches it."""
        return {"host": "127.0.0.1", "port": self.port, "password": PASSWORD}

    @property
    def socket(self) -> str:
        return f"{self.folder}/socket"

    def connect(self, user: str = "root") -> "pymysql.Connection[Any]":
        return _connect(self.socket, user, PASSWORD if user != "root" else "")

    def run(self, *statements: str) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def value(self, query: str) -> Any:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
            return row[0] if row else None

    def replicates(self) -> bool:
        with self.connect() as connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute("SHOW SLAVE STATUS")
            row = cursor.fetchone() or {}
        return row.get("Slave_IO_Running") == row.get("Slave_SQL_Running") == "Yes"

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self.server.stop(signal.SIGTERM)
        try:
            yield
        finally:
            self.server.start()


@contextlib.contextmanager
def primary(certificates: Certificates | None = None) -> Iterator[Mariadb]:
    with own_folder(USER) as folder:
        more = []
        if certificates is not None:
            certificate = copied(certificates.path("good"), folder / "server.pem", USER)
            key = copied(Path(certificates.key), folder / "server.key", USER)
            more = [f"--ssl-cert={certificate}", f"--ssl-key={key}"]
        with _running(folder, "--log-bin=binlog", "--server-id=1", *more) as server:
            server.run(*_USERS.strip().splitlines())
            yield server


@contextlib.contextmanager
def replica(of: Mariadb) -> Iterator[Mariadb]:
    with own_folder(USER) as folder, _running(folder, "--server-id=2", "--slave-net-timeout=2") as server:
        server.run(
            "SET GLOBAL gtid_slave_pos = ''",
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={of.port}, MASTER_USER='follower', "
            f"MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1",
            "START SLAVE",
        )
        caught_up(server, of)
        yield server


def caught_up(one: Mariadb, of: Mariadb) -> None:
    """Waits until the replica is connected again and has applied everything."""
    until(one.replicates, lambda: "the replica does not replicate")
    end = of.value("SELECT @@gtid_binlog_pos")
    assert one.value(f"SELECT MASTER_GTID_WAIT('{end}', 20)") == 0


@contextlib.contextmanager
def _running(folder: Path, *more: str) -> Iterator[Mariadb]:
    port = free_port()
    _install(folder)
    command = [*as_user(USER), program_path("mariadbd"), "--no-defaults", f"--datadir={folder}/data",
               f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket",
               f"--pid-file={folder}/pid", f"--max-connections={MAX_CONNECTIONS}", "--skip-name-resolve",
               "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=4M",
               *more]  # fmt: skip
    running = Mariadb(folder, port, Server(command, folder / "log", lambda: _answers(f"{folder}/socket")))
    try:
        running.server.start()
        yield running
    finally:
        running.server.stop(signal.SIGKILL)


def _install(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        hand_over(Path(scratch), USER)
        finished = subprocess.run(
            [*as_user(USER), program_path("mariadb-install-db"), "--no-defaults", f"--datadir={folder}/data",
             "--auth-root-authentication-method=normal", "--skip-test-db", f"--tmpdir={scratch}",
             "--innodb-log-file-size=4M"],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr


def _connect(path: str, user: str, password: str) -> "pymysql.Connection[Any]":
    return pymysql.connect(unix_socket=path, user=user, password=password, ssl_disabled=True, autocommit=True)


def _answers(path: str) -> bool:
    try:
        # The driver would leave a socket open that nobody takes.
        with socket.socket(socket.AF_UNIX) as tried:
            tried.connect(path)
        _connect(path, "root", "").close()
    except (OSError, pymysql.err.OperationalError):
        return False
    return True


def until_value(server: Mariadb, query: str, wanted: Any) -> None:
    until(lambda: bool(server.value(query) == wanted), lambda: f"{query} is {server.value(query)!r}")
