"""Collectors that share one PostgreSQL database, behind a real HAProxy, with real agents: all as processes."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psycopg
from installation import Installation, until

from conftest import program_path
from peers.postgresql_server import PASSWORD
from peers.server_process import Server, free_port

MEMBERS = 2
IN_TURNS = "roundrobin"
"""The hardest for collectors: each learns of every node what the other one heard."""

BY_KEY = "hdr(Authorization)\n    hash-type consistent"
"""As the documentation has it: each node stays with one collector while that serves."""

_HAPROXY = """
global
    stats socket {folder}/stats.sock mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    retries 2
    option redispatch
frontend agents
    bind 127.0.0.1:{front}
    default_backend collectors
backend collectors
    balance {balance}
    option httpchk GET /readyz
    default-server check inter 300ms fall 2 rise 1
{servers}
"""


class Databases(Protocol):
    """A server, or several that are one place."""

    def url(self, database: str) -> str: ...

    def new_database(self, name: str) -> str: ...

    def drop(self, name: str) -> None: ...


@dataclass
class Member(Installation):
    """One of the collectors. Agents and people are told the address of the balancer in front of it."""

    front: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.front}"

    @property
    def own_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        return self.processes["collector"].pid

    def answers(self, path: str = "/readyz") -> int:
        """The status of its answer, 0 where there is none."""
        try:
            with urllib.request.urlopen(self.own_url + path, timeout=3) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def page_says(self, word: str) -> bool:
        """Whether its own page shows it."""
        with urllib.request.urlopen(self.own_url, timeout=10) as answer:
            return word in answer.read().decode()

    def _is_served(self) -> bool:
        return self.answers("/healthz") == 200


@dataclass
class Estate:
    """The collectors, what is before them and what is behind."""

    folder: Path
    server: Databases
    database: str
    collectors: list[Member] = field(default_factory=list)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """What the database says."""
        with psycopg.connect(self.server.url(self.database), autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def on_duty(self) -> int | None:
        """The process that does the common work, if any does."""
        rows = self.query("SELECT holder FROM duty WHERE until > clock_timestamp()")
        return int(str(rows[0][0]).split("/")[1]) if rows else None

    def holder(self) -> Member:
        """The collector that does it."""
        until("a collector has the duty", lambda: self.on_duty() in [one.pid for one in self.collectors])
        return next(one for one in self.collectors if one.pid == self.on_duty())

    def other(self, than: Member) -> Member:
        return next(one for one in self.collectors if one is not than)


@contextmanager
def estate(folder: Path, server: Databases, database: str, services: str, balance: str = IN_TURNS) -> Iterator[Estate]:
    """Two collectors that serve, and nothing left behind."""
    made = Estate(folder, server, database)
    server.new_database(database)
    password = folder / "password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    front = free_port()
    with ExitStack() as stack:
        stack.callback(server.drop, database)
        for number in range(MEMBERS):
            home = folder / f"collector-{number}"
            home.mkdir()
            one = Member(home, front=front)
            stack.callback(one.close)
            one.configure(services)
            _share(one, server, database, password)
            one.start_collector()
            made.collectors.append(one)
        balancer = _balancer(folder, front, made.collectors, balance)
        stack.callback(balancer.stop)
        balancer.start()
        yield made


def _share(one: Member, server: Databases, database: str, password: Path) -> None:
    path = one.folder / "collector.toml"
    path.write_text(
        f'store = "{server.url(database).replace(f":{PASSWORD}@", "@")}"\n'
        f'store_password_file = {json.dumps(str(password))}\npublic_url = "{one.url}"\n{path.read_text()}'
    )
    one.collector_says("config-check")


def _balancer(folder: Path, front: int, collectors: list[Member], balance: str) -> Server:
    servers = "\n".join(f"    server c{at} 127.0.0.1:{one.port}" for at, one in enumerate(collectors))
    configuration = folder / "haproxy.cfg"
    configuration.write_text(_HAPROXY.format(balance=balance, folder=folder, front=front, servers=servers))
    command = [program_path("haproxy"), "-db", "-f", str(configuration)]
    return Server(command, folder / "haproxy.log", lambda: _is_open(front))


def _is_open(port: int) -> bool:
    ask = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{port}/readyz', timeout=2)"
    return subprocess.run([sys.executable, "-c", ask], capture_output=True, timeout=10, check=False).returncode == 0
