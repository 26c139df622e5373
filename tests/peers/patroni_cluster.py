"""Two PostgreSQL servers that Patroni keeps as primary and synchronous standby, with etcd to decide which is which.

Nothing is gentle here: a node is killed with all that runs on it, or its Patroni alone, which leaves a primary that
does not know that it has been replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from conftest import program_path
from peers.postgresql_server import PASSWORD, program
from peers.server_process import Server, as_user, free_ports, hand_over, own_folder, until
from peers.store_server import MEMORY, OWNER

USER = "postgres"
TTL_S = 20
"""How long a leader that has died counts as one."""

FAILED_OVER_WITHIN_S = 90.0
_HBA = [
    "local all all trust",
    "host replication replicator 127.0.0.1/32 trust",
    "host all postgres 127.0.0.1/32 trust",
    "host all all 127.0.0.1/32 scram-sha-256",
]


@dataclass
class ClusterNode:
    """One Patroni and its server."""

    name: str
    folder: Path
    port: int
    rest: int
    patroni: Server

    def kill(self) -> None:
        """As if its machine had lost power."""
        self.kill_patroni()
        self.kill_server()

    def kill_patroni(self) -> None:
        """What keeps the server is gone; the server goes on as it was."""
        self.patroni.stop(signal.SIGKILL)

    def kill_server(self) -> None:
        """All of its processes: those that serve end when the first one is gone."""
        pid = self.server_pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            until(lambda: not _is_open(self.port), lambda: f"the server of {self.name} goes on")

    def server_pid(self) -> int | None:
        """The first process of the server, if it has one."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            return pid if Path(f"/proc/{pid}").exists() else None
        return None

    def takes_writes(self) -> bool:
        """Whether it is a primary, whatever Patroni thinks."""
        with contextlib.suppress(psycopg.OperationalError), self.connect() as connection:
            row = connection.execute("SELECT NOT pg_is_in_recovery()").fetchone()
            return row == (True,)
        return False

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, dbname=database, autocommit=True, connect_timeout=3
        )

    def value(self, query: str) -> object:
        with self.connect() as connection:
            row = connection.execute(query.encode()).fetchone()
            return row[0] if row else None


@dataclass
class Cluster:
    """Both of them. As a store it is one place with two hosts."""

    nodes: tuple[ClusterNode, ClusterNode]

    def url(self, database: str) -> str:
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.nodes)
        return f"postgresql://{OWNER}:{PASSWORD}@{hosts}/{database}"

    def new_database(self, name: str) -> str:
        """Its URL."""
        with self.leader().connect() as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}".encode())
        return self.url(name)

    def drop(self, name: str) -> None:
        """It is gone with the cluster."""

    def leader(self) -> ClusterNode:
        """The one that holds the leader's key and takes writes."""
        until(lambda: self._leader() is not None, self.told, FAILED_OVER_WITHIN_S)
        return next(one for one in self.nodes if one.name == self._leader())

    def other(self, than: ClusterNode) -> ClusterNode:
        return next(one for one in self.nodes if one is not than)

    def until_synchronous(self) -> ClusterNode:
        """The leader, once its commits wait for the other one, and Patroni would promote that."""
        until(lambda: "sync_standby" in self._roles().values(), self.told, FAILED_OVER_WITHIN_S)
        leader = self.leader()
        # Patroni writes the setting first; it is in force once the server has read it.
        names = "SELECT current_setting('synchronous_standby_names') <> ''"
        until(lambda: leader.value(names) is True, self.told)
        return leader

    def be_strict(self, strict: bool) -> None:
        """Whether a primary without its standby takes nothing (True), or goes on alone."""
        self._ask("PATCH", "config", {"synchronous_mode_strict": strict})

    def told(self) -> str:
        """What Patroni says of itself, and the ends of its logs."""
        logs = "\n".join(one.patroni.log.read_text(errors="replace")[-3_000:] for one in self.nodes)
        return f"{self._roles()}\n{logs}"

    def _leader(self) -> str | None:
        names = [name for name, role in self._roles().items() if role == "leader"]
        return next((one.name for one in self.nodes if one.name in names and one.takes_writes()), None)

    def _roles(self) -> dict[str, str]:
        """By node, those that run; empty where nobody answers."""
        with contextlib.suppress(OSError):
            members = self._ask("GET", "cluster")["members"]
            return {one["name"]: one["role"] for one in members if one["state"] in {"running", "streaming"}}
        return {}

    def _ask(self, method: str, what: str, body: object = None) -> Any:
        """The first node that answers."""
        error: OSError = OSError("no node")
        for one in self.nodes:
            request = urllib.request.Request(
                f"http://127.0.0.1:{one.rest}/{what}", json.dumps(body).encode() if body else None, method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=3) as answer:
                    return json.load(answer)
            except OSError as fault:
                error = fault
        raise error


@contextlib.contextmanager
def patroni_cluster() -> Iterator[Cluster]:
    """Starts it, in synchrony, with the role of a store's owner; leaves nothing behind."""
    with own_folder(USER, MEMORY if MEMORY.is_dir() else None) as folder, contextlib.ExitStack() as stack:
        etcd, client = _etcd(folder)
        stack.callback(etcd.stop)
        etcd.start()
        first, second = (_node(folder, name, client) for name in ("a", "b"))
        cluster = Cluster((first, second))
        for one in cluster.nodes:
            stack.callback(_ended, one)
            one.patroni.start()
        leader = cluster.until_synchronous()
        with leader.connect() as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'".encode())
        yield cluster


def _ended(one: ClusterNode) -> None:
    one.patroni.stop(signal.SIGKILL)
    one.kill_server()


def _etcd(folder: Path) -> tuple[Server, int]:
    client, peer = free_ports(2)
    urls = {
        "--listen-client-urls": client,
        "--advertise-client-urls": client,
        "--listen-peer-urls": peer,
        "--initial-advertise-peer-urls": peer,
    }
    words = [word for option, port in urls.items() for word in (option, f"http://127.0.0.1:{port}")]
    command = [
        *as_user(USER), program_path("etcd"), "--name", "default", "--data-dir", f"{folder}/etcd", *words,
        "--initial-cluster", f"default=http://127.0.0.1:{peer}", "--log-level", "error",
    ]  # fmt: skip
    return Server(command, folder / "etcd.log", lambda: _is_open(client)), client


def _node(folder: Path, name: str, etcd: int) -> ClusterNode:
    home = folder / name
    home.mkdir()
    hand_over(home, USER)
    port, rest = free_ports(2)
    configuration = home / "patroni.yml"
    configuration.write_text(json.dumps(_configuration(home, name, port, rest, etcd)))
    hand_over(configuration, USER)
    command = [*as_user(USER), program_path("patroni"), str(configuration)]
    return ClusterNode(name, home, port, rest, Server(command, home / "patroni.log", _answers(rest)))


def _answers(rest: int) -> Callable[[], bool]:
    return lambda: _is_open(rest)


def _configuration(home: Path, name: str, port: int, rest: int, etcd: int) -> dict[str, object]:
    """YAML holds JSON."""
    return {
        "scope": "detak",
        "name": name,
        "restapi": {"listen": f"127.0.0.1:{rest}", "connect_address": f"127.0.0.1:{rest}"},
        "etcd3": {"host": f"127.0.0.1:{etcd}"},
        "bootstrap": {
            "dcs": {
                "ttl": TTL_S,
                "loop_wait": 2,
                "retry_timeout": 5,
                "synchronous_mode": True,
                "maximum_lag_on_failover": 1_048_576,
                "postgresql": {"use_pg_rewind": True, "use_slots": True},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"auth-local": "trust"}, {"auth-host": "scram-sha-256"}],
        },
        "postgresql": {
            "listen": f"127.0.0.1:{port}",
            "connect_address": f"127.0.0.1:{port}",
            "data_dir": f"{home}/data",
            "bin_dir": str(Path(program("postgres")).parent),
            "pgpass": f"{home}/pgpass",
            "pg_hba": _HBA,
            "authentication": {
                "superuser": {"username": "postgres", "password": PASSWORD},
                "replication": {"username": "replicator", "password": PASSWORD},
            },
            "parameters": {"unix_socket_directories": str(home), "shared_buffers": "16MB", "max_connections": 60},
        },
        # No device guards the leader here: what happens without one is what is tested.
        "watchdog": {"mode": "off"},
    }


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
