"""PostgreSQL in the laboratory: a primary and a replica that streams from it; and Redis' port."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psycopg

from lab.host import Host, NotDoneError, Program

REDIS_PORT = 6379
TOLERATED_LAG = 16_384
"""Bytes that a replica may lack."""

USER = "postgres"
_CONFIGURATION = """
listen_addresses = '*'
unix_socket_directories = '{folder}'
shared_buffers = 8MB
wal_receiver_timeout = 3s
wal_retrieve_retry_interval = 200ms
"""


def database(host: Host) -> Program:
    """The primary, with a user for the checks."""
    data = _folder(host) / "data"
    _as_postgres(_program("initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--locale=C", "-E", "UTF8",
                 "--no-sync")  # fmt: skip
    with (data / "postgresql.conf").open("a") as file:
        file.write(_CONFIGURATION.format(folder=data.parent))
    with (data / "pg_hba.conf").open("a") as file:
        file.write("host all all 10.77.0.0/16 trust\nhost replication all 10.77.0.0/16 trust\n")
    program = _server(host, data)
    program.is_well = lambda: is_writable(host)
    return program


def replica(host: Host, of: Host) -> Program:
    """A replica of the database on another host, which must have been made before; its data are a copy of them."""
    data = _folder(host) / "data"
    shutil.copytree(of.folder / "postgresql/data", data)
    subprocess.run(["chown", "-R", f"{USER}:", str(data)], check=True)
    with (data / "postgresql.conf").open("a") as file:
        file.write(f"unix_socket_directories = '{data.parent}'\n")
        file.write(f"primary_conninfo = 'host={of.address} user={USER} connect_timeout=2'\n")
    (data / "standby.signal").touch()
    program = _server(host, data)
    program.is_well = lambda: has_caught_up(host)
    return program


def standby(host: Host) -> Program:
    """A server whose data `copy` brings, before each start at which it is to follow another one."""
    return _server(host, _folder(host) / "data")


def copy(primary: Host, to: Host) -> None:
    """The data of a running primary, for a standby that follows it under its host's name; what was there is gone."""
    data = to.folder / "postgresql/data"
    shutil.rmtree(data, ignore_errors=True)
    source = f"host={primary.address} user={USER} application_name={to.name} connect_timeout=2"
    _as_postgres(_program("pg_basebackup"), "-d", source, "-D", str(data), "-R", "--checkpoint=fast", "--no-sync")
    with (data / "postgresql.conf").open("a") as file:
        file.write(f"unix_socket_directories = '{data.parent}'\n")


def value(host: Host, query: str) -> str | None:
    """What a query says; None where the database does not answer in time."""
    try:
        with psycopg.connect(host=host.address, user=USER, dbname="postgres", connect_timeout=2) as connection:
            row = connection.execute(query.encode()).fetchone()
            return str(row[0]) if row else None
    except psycopg.Error:
        return None


def is_writable(host: Host) -> bool:
    """Whether it answers, and takes writes."""
    return value(host, "SELECT current_setting('transaction_read_only')") == "off"


def has_caught_up(host: Host) -> bool:
    """Whether a replica answers and has replayed what it received, but for what it may lack."""
    lacks = "coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)"
    said = f"SELECT pg_is_in_recovery() AND {lacks} < {TOLERATED_LAG}"
    return value(host, said) == "True"


def run(host: Host, statement: str) -> None:
    """One statement, outside a transaction."""
    with psycopg.connect(
        host=host.address, user=USER, dbname="postgres", connect_timeout=2, autocommit=True
    ) as connection:
        connection.execute(statement.encode())


def _server(host: Host, data: Path) -> Program:
    return Program(host, "postgresql", [_program("postgres"), "-D", str(data)], user=USER)


def _folder(host: Host) -> Path:
    folder = host.folder / "postgresql"
    folder.mkdir()
    shutil.chown(folder, USER, USER)
    return folder


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not found:
        raise NotDoneError(f"{name} is not on this machine: install the package postgresql")
    return str(found[-1])


def _as_postgres(*words: str) -> None:
    command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
    if done.returncode:
        raise NotDoneError(f"{Path(words[0]).name}: {done.stderr.strip()}")
