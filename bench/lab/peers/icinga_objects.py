"""What Icinga 2 is told, in its own language: hosts, and for each target a service with the check that fits. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.peers.peer import page_of
from lab.targets import Kind, Target

CENTRE, CENTRE_ZONE = "centre", "master"
_ON_HOST = ("process", "filesystem")

CURL_COMMAND = """
object CheckCommand "page" {
  command = [ PluginDir + "/check_curl" ]
  arguments = {
    "-H" = "$page_name$"
    "-I" = "$page_address$"
    "-p" = "$page_port$"
    "-u" = "$page_path$"
    "-t" = "$page_timeout$"
    "-f" = "follow"
    "-s" = "$page_string$"
    "-S" = { set_if = "$page_tls$" }
    "-D" = { set_if = "$page_tls$" }
    "--ca-cert" = "$page_authority$"
  }
}
"""
"""check_curl, which follows check_http and verifies certificates; Icinga's own library has no command for it yet."""


@dataclass(frozen=True, slots=True)
class AgentHost:
    """A host, and where its Icinga agent listens; no agent where nothing inside is looked at."""

    name: str
    address: str
    port: int | None


def needs_agent(target: Target) -> bool:
    """Whether the check must run on a host: the target's own, or the branch's."""
    return target.branch is not None or target.kind in _ON_HOST


def includes() -> str:
    """Icinga's own library of checks, and ours."""
    return "include <itl>\ninclude <plugins>\n" + CURL_COMMAND


def centre(hosts: Sequence[AgentHost], port: int) -> Iterator[str]:
    """The node that looks from the centre, and the agents that it connects to."""
    yield _object("Endpoint", CENTRE, {})
    yield _object("Zone", CENTRE_ZONE, {"endpoints": [CENTRE]})
    yield _object("ApiListener", "api", {"bind_host": "127.0.0.1", "bind_port": port})
    yield _object("CheckerComponent", "checker", {})
    for one in hosts:
        if one.port is not None:
            yield _object("Endpoint", one.name, {"host": one.address, "port": one.port})
            yield _object("Zone", one.name, {"endpoints": [one.name], "parent": CENTRE_ZONE})


def agent(host: AgentHost) -> Iterator[str]:
    """The node on a host, which runs what the centre asks for."""
    yield _object("Endpoint", CENTRE, {})
    yield _object("Zone", CENTRE_ZONE, {"endpoints": [CENTRE]})
    yield _object("Endpoint", host.name, {})
    yield _object("Zone", host.name, {"endpoints": [host.name], "parent": CENTRE_ZONE})
    listens = {"bind_host": host.address, "bind_port": host.port, "accept_commands": True}
    yield _object("ApiListener", "api", listens)
    yield _object("CheckerComponent", "checker", {})


def history_in(database: Path, name: str, owner: str) -> str:
    """Where the history of states is kept: the socket's folder, the database, its role."""
    said = {"host": str(database), "database": name, "user": owner, "password": ""}
    return 'library "db_ido_pgsql"\n' + _object("IdoPgsqlConnection", "ido", said)


def looked_at(targets: Sequence[Target], hosts: Sequence[AgentHost], interval_s: int) -> Iterator[str]:
    """Hosts, each pinged, and services."""
    often = {"check_interval": interval_s, "retry_interval": interval_s, "max_check_attempts": 1, "zone": CENTRE_ZONE}
    for host in hosts:
        yield _object("Host", host.name, {"address": host.address, "check_command": "hostalive", **often})
    for one in targets:
        if one.kind == "host":
            continue
        command, words = _check(one, interval_s)
        said: dict[str, object] = {"host_name": one.seen_from[0], "check_command": command, **often}
        said |= {f"vars.{key}": value for key, value in words.items()}
        if needs_agent(one):
            said["command_endpoint"] = one.seen_from[0]
        yield _object("Service", one.service, said)


def _check(target: Target, interval_s: int) -> tuple[str, Mapping[str, object]]:
    """The command of Icinga's library and what it is given."""
    if target.kind == "postgresql" and target.user is not None:
        return "pgsql", _login(target)
    command, words = _CHECKS[target.kind]
    return command, words(target, interval_s)


def _process(target: Target, _: int) -> dict[str, object]:
    return {"procs_command": target.process, "procs_critical": "1:", "procs_warning": "1:"}


def _file_system(target: Target, _: int) -> dict[str, object]:
    return {"disk_partitions": [target.path], "disk_wfree": "10%", "disk_cfree": "5%", "disk_exclude_type": []}


def _question(target: Target, interval_s: int) -> dict[str, object]:
    """Not `check_dig`, which only warns of a server that refuses; the port is that of name servers."""
    asked = {"dns_lookup": target.question, "dns_expected_answers": [target.expected] if target.expected else []}
    return {"dns_server": target.address, "dns_timeout": interval_s, **asked}


def _login(target: Target) -> dict[str, object]:
    login = {"pgsql_username": target.user, "pgsql_password": target.password or "none"}
    where = {"pgsql_hostname": target.address, "pgsql_port": target.port}
    return {**where, **login, "pgsql_database": target.database or "postgres"}


def _connection(target: Target, interval_s: int) -> dict[str, object]:
    return {"tcp_address": target.address, "tcp_port": target.port, "tcp_timeout": interval_s}


def _redis(target: Target, interval_s: int) -> dict[str, object]:
    talk = {"tcp_send": "PING\r\n", "tcp_expect": "+PONG", "tcp_quit": "QUIT\r\n", "tcp_mismatch": "crit"}
    return {**_connection(target, interval_s), **talk}


def _page(target: Target, interval_s: int) -> dict[str, object]:
    url = urlsplit(page_of(target))
    return {
        "page_name": url.hostname,
        "page_address": target.address,
        "page_port": target.port or url.port,
        "page_path": url.path or "/",
        "page_string": target.expected,
        "page_tls": target.kind == "tls",
        "page_authority": target.authority,
        "page_timeout": interval_s,
    }


_CHECKS: Mapping[Kind, tuple[str, Callable[[Target, int], dict[str, object]]]] = {
    "process": ("procs", _process),
    "filesystem": ("disk", _file_system),
    "http": ("page", _page),
    "tls": ("page", _page),
    "dns": ("dns", _question),
    "redis": ("tcp", _redis),
    "postgresql": ("tcp", _connection),
    "tcp": ("tcp", _connection),
}


def _object(kind: str, name: str, said: Mapping[str, object]) -> str:
    """Values are written as in JSON, which Icinga's language reads."""
    lines = "".join(f"  {key} = {json.dumps(value)}\n" for key, value in said.items() if value is not None)
    return f'object {kind} "{name}" {{\n{lines}}}\n'
