"""`detak-agent discover` beside real servers: what it proposes, taken as it is, is up."""

import contextlib
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import Certificates, make_certificates
from conftest import program_path
from peers import bind_server, mariadb_server, nginx_server, postgresql_server, redis_server
from peers.server_process import Server, as_user, free_port, own_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.peers(
    "nginx", "openssl", "redis-server", "haproxy", "pg_ctlcluster", "mariadbd", "mariadb-install-db", "named", "setpriv"
)

_HAPROXY = """
global
    stats socket {folder}/admin.sock mode 666 level user
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend front
    bind 127.0.0.1:{port}
    default_backend pages
backend pages
    server nginx 127.0.0.1:{behind}
"""


@dataclass(frozen=True)
class Stage:
    """The servers by name, and where each listens."""

    ports: dict[str, int]
    postgresql: postgresql_server.Postgres
    mariadb: mariadb_server.Mariadb


@dataclass(frozen=True)
class Proposed:
    """What was written: the text, and its checks by the port that they look at."""

    text: str
    by_port: dict[int, dict[str, Any]]

    def block(self, line: str) -> str:
        """The table that has this line."""
        return next(block for block in self.text.split("\n\n") if line in block.splitlines())

    def switched_on(self, line: str) -> str:
        """The table that is switched off and has this line, with the `#` of each line removed."""
        lines = self.block(f"#{line}").splitlines()
        return "\n".join(line[1:] for line in lines if line.startswith("#") and not line.startswith("# "))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stage(certificates: Certificates) -> Iterator[Stage]:
    with contextlib.ExitStack() as running:
        web = running.enter_context(nginx_server.nginx(program_path("nginx"), certificates))
        database = running.enter_context(postgresql_server.primary())
        mariadb = running.enter_context(mariadb_server.primary())
        names = running.enter_context(bind_server.primary(program_path("named"), serial=7))
        locked = running.enter_context(redis_server.running())
        ports = {
            "nginx": web.ports["plain"],
            "nginx-tls": web.ports["good"],
            "nginx-expired": web.ports["expired"],
            "haproxy": running.enter_context(haproxy(web.ports["plain"])),
            "postgresql": database.port,
            "mariadb": mariadb.port,
            "named": names.port,
            "redis": running.enter_context(open_redis()),
            "redis-with-a-password": locked.port,
        }
        yield Stage(ports, database, mariadb)


@contextlib.contextmanager
def open_redis() -> Iterator[int]:
    """A Redis that asks nobody for a password."""
    port = free_port()
    with own_folder("redis") as folder:
        command = [
            *as_user("redis"),
            program_path("redis-server"),
            "--port",
            str(port),
            "--save",
            "",
            "--dir",
            str(folder),
        ]
        with started(Server(command, folder / "log", lambda: takes_connections(port))):
            yield port


@contextlib.contextmanager
def haproxy(behind: int) -> Iterator[int]:
    port = free_port()
    with own_folder("haproxy") as folder:
        configuration = folder / "haproxy.cfg"
        configuration.write_text(_HAPROXY.format(folder=folder, port=port, behind=behind))
        command = [program_path("haproxy"), "-db", "-f", str(configuration)]
        with started(Server(command, folder / "log", lambda: takes_connections(port))):
            yield port


@contextlib.contextmanager
def started(server: Server) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        server.stop()


def takes_connections(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def agent(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "detak_agent.cli", *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def port_of(check: dict[str, Any]) -> int:
    if "url" in check:
        return int(check["url"].split(":")[2].split("/")[0])
    if "servers" in check:
        return int(check["servers"][0].rpartition(":")[2])
    return int(check.get("port", 0))


@pytest.fixture(scope="module")
def proposed(stage: Stage) -> Proposed:
    done = agent("discover")
    assert done.returncode == 0, done.stderr
    checks = tomllib.loads(done.stdout)["check"]
    return Proposed(done.stdout, {port_of(check): check for check in checks if port_of(check)})


def write(path: Path, *checks: str) -> Path:
    path.write_text(
        f'node = "n"\nstate_directory = "{path.parent}/state"\n[[collector]]\nurl = "http://127.0.0.1:9"\n'
        + "\n".join(checks)
    )
    return path


def test_each_server_has_the_check_of_its_kind(stage: Stage, proposed: Proposed) -> None:
    kinds = {name: proposed.by_port.get(port, {}).get("kind") for name, port in stage.ports.items()}
    assert kinds == {
        "nginx": "http",
        "nginx-tls": "http",
        "nginx-expired": "tcp",
        "haproxy": "tcp",
        "postgresql": "tcp",
        "mariadb": None,
        "named": "dns",
        "redis": "redis",
        "redis-with-a-password": "tcp",
    }


def test_what_is_proposed_is_up_as_it_is(stage: Stage, proposed: Proposed, tmp_path: Path) -> None:
    names = [proposed.by_port[port]["name"] for name, port in stage.ports.items() if name != "mariadb"]
    blocks = [proposed.block(f'name = "{name}"') for name in names]
    blocks += [proposed.block(line) for line in ('process_name = "mariadbd"', 'backend = "pages"')]
    done = agent("check", "--config", str(write(tmp_path / "agent.toml", *blocks)))
    states = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert (done.returncode, set(states.values())) == (0, {"up"}), done.stdout + done.stderr
    assert len(states) == len(stage.ports) + 1


def test_the_steps_that_are_told_let_the_agent_into_postgresql_without_a_password(
    stage: Stage, proposed: Proposed, tmp_path: Path
) -> None:
    # The account that asks is the one that runs the test, and not the agent's.
    account = pwd.getpwuid(os.getuid()).pw_name
    check = proposed.switched_on(f'host = "{stage.postgresql.folder}"').replace("detak-agent", account)
    config = write(tmp_path / "agent.toml", check)
    before = agent("check", "--config", str(config)).stdout
    stage.postgresql.run(f'CREATE ROLE "{account}" LOGIN IN ROLE pg_monitor')
    after = agent("check", "--config", str(config)).stdout
    assert (before.split()[1], after.split()[1]) == ("unknown", "up"), before + after
    assert f"-h {stage.postgresql.folder} -p {stage.postgresql.port} -c 'CREATE ROLE" in proposed.text


def test_the_steps_that_are_told_let_the_agent_into_mariadb_without_a_password(
    stage: Stage, proposed: Proposed, tmp_path: Path
) -> None:
    account = pwd.getpwuid(os.getuid()).pw_name
    statement = next(line for line in proposed.text.splitlines() if "VIA unix_socket" in line).removeprefix("#   ")
    told = statement.replace("detak-agent", account).replace("CREATE USER", "CREATE OR REPLACE USER")
    check = proposed.switched_on(f'host = "{stage.mariadb.socket}"').replace("detak-agent", account)
    stage.mariadb.run(told)
    done = agent("check", "--config", str(write(tmp_path / "agent.toml", check)))
    assert done.stdout.split()[1] == "up", done.stdout


def test_with_a_configuration_only_what_it_does_not_check_is_proposed(
    stage: Stage, proposed: Proposed, tmp_path: Path
) -> None:
    redis = proposed.by_port[stage.ports["redis"]]
    config = write(
        tmp_path / "agent.toml", proposed.block(f'name = "{redis["name"]}"'), '[[check]]\nname = "os"\nkind = "os"'
    )
    done = agent("discover", "--config", str(config))
    checks = tomllib.loads(done.stdout)["check"]
    ports = {port_of(check) for check in checks}
    assert stage.ports["redis"] not in ports
    assert set(stage.ports.values()) - ports == {stage.ports["redis"], stage.ports["mariadb"]}
    assert not [check for check in checks if check["kind"] == "os"]
    whole = config.read_text() + done.stdout
    config.write_text(whole)
    assert agent("config-check", "--config", str(config)).returncode == 0


def test_the_zone_that_the_name_server_has_is_asked_for(stage: Stage, proposed: Proposed) -> None:
    check = proposed.by_port[stage.ports["named"]]
    assert (check["query"], check["type"], check["authoritative"]) == (bind_server.ZONE, "SOA", True)
