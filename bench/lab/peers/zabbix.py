"""Zabbix: a server with its history in PostgreSQL, and agent 2 on every host.

Downtime is read from its problems: from the event that opens one to the event that resolves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.peers.database import Database
from lab.peers.folding import Times, of_samples, of_services
from lab.peers.peer import AgentProgram
from lab.peers.place import LOOPBACK, Place, Programs, ports, run, version_of
from lab.peers.zabbix_api import DATABASE, OWNER, Api
from lab.peers.zabbix_items import AGENT, AVAILABLE, INTERNAL, PING, Item, conditions, has_scenario, item, scenario
from lab.targets import Target
from lab.truth import Interval

_SCRIPTS = tuple(Path("/usr/share/zabbix-server-pgsql") / f"{one}.sql.gz" for one in ("schema", "images", "data"))
_DISABLED = 1
_SERVER = """
LogType=console
ListenIP={loopback}
ListenPort={port}
DBHost={database}
DBName={name}
DBUser={owner}
PidFile={folder}/server.pid
SocketDir={folder}
FpingLocation=/usr/bin/fping
SSLCALocation={folder}/authorities
AllowRoot=1
Timeout={patience_s}
StartPollers=5
StartPollersUnreachable=3
StartPingers=3
StartHTTPPollers=5
UnreachablePeriod={interval_s}
UnreachableDelay={interval_s}
UnavailableDelay={interval_s}
"""
_IF_IT_FAILS = {"type": 26, "params": "", "error_handler": 2, "error_handler_params": "0"}
"""The agent calls a page or an answer that it did not get an error, which no trigger sees: here it is a value."""

_AGENT = """
LogType=console
Server={server}
ListenIP={address}
ListenPort={port}
Hostname={host}
PidFile={folder}/{host}.pid
ControlSocket={folder}/{host}.control
PluginSocket={folder}/{host}.plugin
Timeout={timeout_s}
UserParameter=pgsql.ping[*],pg_isready -h "$1" -p "$2" -t {timeout_s}
"""


@dataclass(frozen=True, slots=True)
class _Host:
    """A host as Zabbix knows it, and where its agent listens."""

    name: str
    address: str
    port: int

    def told(self) -> dict[str, object]:
        interface = {"type": 1, "main": 1, "useip": 1, "ip": self.address, "dns": "", "port": str(self.port)}
        return {"host": self.name, "interfaces": [interface]}


class Zabbix:
    """A server, its database and its frontend in a place."""

    name = "Zabbix"

    def __init__(self, place: Place, interval_s: int) -> None:
        self.place, self.interval_s = place, interval_s
        self.programs = Programs(place)
        self._port, self._frontend = ports(2)
        self._hosts: list[_Host] = []
        self._bears_on: dict[str, list[Target]] = {}

    def prepare(self, targets: Sequence[Target], folder: Path) -> None:
        """Makes the database and tells it by the API what to look at; the server finds all of it when it starts."""
        self._folder = self.programs.folder = folder
        addresses = {one.host: one.address for one in targets} | dict(one.seen_from for one in targets)
        chosen = zip(sorted(addresses.items()), ports(len(addresses)), strict=True)
        self._hosts = [_Host(name, address, port) for (name, address), port in chosen]
        with self.programs.all_or_none():
            database = Database.begun(self.programs)
            database.make(DATABASE, OWNER, _SCRIPTS)
            self._api = Api.served(self.programs, database, self._frontend)
            self._tell(targets)
            where = {"database": database.folder, "name": DATABASE, "owner": OWNER}
            self._write("server.conf", _SERVER, loopback=LOOPBACK, port=self._port, **where)
            for host in self._hosts:
                its = {"host": host.name, "address": host.address, "port": host.port}
                self._write(f"{host.name}.conf", _AGENT, server=self.place.address, **its)
            self._trust({one.authority for one in targets if one.authority})

    def agents(self) -> list[AgentProgram]:
        """Agent 2."""
        return [
            AgentProgram(host.name, "zabbix_agent2", ("zabbix_agent2", "-f", "-c", f"{self._folder}/{host.name}.conf"))
            for host in self._hosts
        ]

    def start(self) -> None:
        """Starts the server; its database and frontend run since it was prepared."""
        command = ["zabbix_server", "--foreground", "--config", f"{self._folder}/server.conf"]
        with self.programs.all_or_none():
            self.programs.start("zabbix_server", command, self._is_up)

    def stop(self) -> None:
        """Ends the server, the frontend and the database."""
        self.programs.stop()

    def outages(self, begin: int, end: int) -> list[Interval]:
        """From each problem that bears on a service to its resolution."""
        asked = {"output": ["objectid", "clock", "ns", "value"], "source": 0, "object": 0}
        changes: dict[str, list[tuple[int, bool]]] = {}
        for event in self._api.rows("event.get", asked | {"objectids": list(self._bears_on)}):
            at = int(event["clock"]) * 1_000 + int(event["ns"]) // 1_000_000
            changes.setdefault(event["objectid"], []).append((at, event["value"] == "0"))
        down: dict[Target, list[Times]] = {one: [] for targets in self._bears_on.values() for one in targets}
        for trigger, samples in changes.items():
            for target in self._bears_on[trigger]:
                down[target] += of_samples(samples, begin, end)
        return of_services(down.items())

    def _is_up(self) -> bool:
        return "server #0 started" in self.programs.log("zabbix_server").read_text(errors="replace")

    def version(self) -> str:
        """Of the server and the agent."""
        return f"{version_of('zabbix-server-pgsql')} (agent 2: {version_of('zabbix-agent2')})"

    def _tell(self, targets: Sequence[Target]) -> None:
        """Hosts, what is looked at, and the triggers, each with the services that it bears on."""
        own = self._api.rows("host.get", {"output": ["hostid"]})
        self._api.call("host.massupdate", {"hosts": own, "status": _DISABLED})
        groups = [{"groupid": one} for one in self._api.made("hostgroup.create", [{"name": "Laboratory"}], "groupids")]
        told = [{**one.told(), "groups": groups} for one in self._hosts]
        made = self._api.made("host.create", told, "hostids")
        numbers = {host.name: number for host, number in zip(self._hosts, made, strict=True)}
        scenarios = [scenario(one, numbers[one.host], self.interval_s) for one in targets if has_scenario(one)]
        self._api.made("httptest.create", scenarios, "httptestids")
        self._items(targets, numbers)
        triggers: dict[str, list[Target]] = {}
        for one in targets:
            for expression in conditions(one):
                triggers.setdefault(expression, []).append(one)
        things = [_trigger(expression, bears_on) for expression, bears_on in triggers.items()]
        made = self._api.made("trigger.create", things, "triggerids")
        self._bears_on = dict(zip(made, triggers.values(), strict=True))

    def _items(self, targets: Sequence[Target], numbers: dict[str, str]) -> None:
        """Each once on its host; every host is pinged, and its agent's answers are watched."""
        looked_at = {(host.name, one) for host in self._hosts for one in (PING, AVAILABLE)}
        looked_at |= {(one.seen_from[0], item(one)) for one in targets if not has_scenario(one)}
        shown = self._api.rows(
            "hostinterface.get", {"output": ["interfaceid", "hostid"], "hostids": list(numbers.values())}
        )
        interfaces = {one["hostid"]: one["interfaceid"] for one in shown}
        things = [self._item(one, numbers[host], interfaces) for host, one in sorted(looked_at, key=str)]
        self._api.made("item.create", things, "itemids")

    def _item(self, looked_at: Item, host_id: str, interfaces: dict[str, str]) -> dict[str, object]:
        return {
            "name": looked_at.key,
            "key_": looked_at.key,
            "hostid": host_id,
            **({} if looked_at.type == INTERNAL else {"interfaceid": interfaces[host_id]}),
            "type": looked_at.type,
            "value_type": looked_at.value_type,
            "delay": f"{self.interval_s}s",
            "preprocessing": [_IF_IT_FAILS] if looked_at.type == AGENT else [],
        }

    def _write(self, file: str, text: str, **more: object) -> None:
        timeout_s = max(1, min(self.interval_s - 1, 3))
        told = {"interval_s": self.interval_s, "timeout_s": timeout_s, "patience_s": timeout_s + 1}
        filled = text.format(folder=self._folder, **told, **more)
        (self._folder / file).write_text(filled.lstrip(), encoding="utf-8")

    def _trust(self, authorities: set[str]) -> None:
        """The server takes authorities from a folder of them."""
        trusted = self._folder / "authorities"
        trusted.mkdir()
        for at, one in enumerate(sorted(authorities)):
            (trusted / f"{at}.pem").write_bytes(Path(one).read_bytes())
        run(["openssl", "rehash", str(trusted)])


def _trigger(expression: str, bears_on: Sequence[Target]) -> dict[str, object]:
    """Named and tagged by the services that are down while it says so."""
    services = sorted({one.service for one in bears_on})
    tags = [{"tag": "service", "value": one} for one in services]
    return {"description": ", ".join(services)[:255], "expression": expression, "priority": 4, "tags": tags}
