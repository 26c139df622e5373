"""Icinga 2: a centre with its history of states in PostgreSQL, and an agent on each host with something inside to see.

Downtime is read from that history, as its reports do: a service is down while its hard state is critical or unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.peers.database import Database
from lab.peers.folding import Times, of_samples, of_services
from lab.peers.icinga_objects import (
    CENTRE,
    CENTRE_ZONE,
    AgentHost,
    agent,
    centre,
    history_in,
    includes,
    looked_at,
    needs_agent,
)
from lab.peers.peer import AgentProgram
from lab.peers.place import Place, Programs, ports, run, version_of
from lab.targets import Target
from lab.truth import Interval

_DATABASE = _OWNER = "icinga"
_SCHEMA = Path("/usr/share/icinga2-ido-pgsql/schema/pgsql.sql")
_CRITICAL, _DOWN = 2, 1
_HISTORY = f"""
SELECT name1, coalesce(name2, ''),
       (1000 * extract(epoch FROM state_time))::bigint + state_time_usec / 1000,
       state >= CASE objecttype_id WHEN 1 THEN {_DOWN} ELSE {_CRITICAL} END
FROM icinga_statehistory JOIN icinga_objects USING (object_id)
WHERE state_type = 1 ORDER BY 3
"""


class Icinga:
    """A centre and its database in a place."""

    name = "Icinga 2"

    def __init__(self, place: Place, interval_s: int) -> None:
        self.place, self.interval_s = place, interval_s
        self.programs = Programs(place)
        [self._port] = ports(1)
        self._targets: Sequence[Target] = ()
        self._hosts: list[AgentHost] = []

    def prepare(self, targets: Sequence[Target], folder: Path) -> None:
        """Makes the database, an authority, a certificate for each node, and the configuration of all."""
        self._targets = targets
        self._folder = self.programs.folder = folder
        inside = {one.seen_from[0] for one in targets if needs_agent(one)}
        addresses = {one.host: one.address for one in targets} | dict(one.seen_from for one in targets)
        chosen = zip(sorted(addresses.items()), ports(len(addresses)), strict=True)
        self._hosts = [AgentHost(name, address, port if name in inside else None) for (name, address), port in chosen]
        with self.programs.all_or_none():
            self._database = Database.begun(self.programs)
            self._database.make(_DATABASE, _OWNER, [_SCHEMA])
            self._make(CENTRE)
            run(["icinga2", "pki", "new-ca", *self._set(CENTRE)])
            history = history_in(self._database.folder, _DATABASE, _OWNER)
            objects = [*centre(self._hosts, self._port), history, *looked_at(targets, self._hosts, self.interval_s)]
            self._write(CENTRE, CENTRE_ZONE, objects)
            for host in self._hosts:
                if host.port is not None:
                    self._make(host.name)
                    self._write(host.name, host.name, agent(host))
            run(["icinga2", "daemon", "--validate", *self._told(CENTRE)])

    def agents(self) -> list[AgentProgram]:
        """Icinga 2 itself, which runs what the centre asks for."""
        return [
            AgentProgram(host.name, "icinga2", ("icinga2", "daemon", *self._told(host.name)))
            for host in self._hosts
            if host.port is not None
        ]

    def start(self) -> None:
        """Starts the centre; its database runs since it was prepared."""
        log = self.programs.log("icinga2")
        command = ["icinga2", "daemon", *self._told(CENTRE)]
        with self.programs.all_or_none():
            self.programs.start("icinga2", command, lambda: "Activated all objects" in log.read_text(errors="replace"))

    def stop(self) -> None:
        """Ends the centre and the database."""
        self.programs.stop()

    def outages(self, begin: int, end: int) -> list[Interval]:
        """From each hard state that is bad to the next good one; a host that is down takes what is inside it along."""
        changes: dict[tuple[str, str], list[tuple[int, bool]]] = {}
        for host, service, at, bad in self._database.ask(_DATABASE, _HISTORY):
            changes.setdefault((host, service), []).append((int(at), bad == "f"))
        down: list[tuple[Target, list[Times]]] = []
        for one in self._targets:
            host = one.seen_from[0]
            names = {"" if one.kind == "host" else one.service} | ({""} if needs_agent(one) else set())
            found = [times for name in names for times in of_samples(changes.get((host, name), []), begin, end)]
            down.append((one, found))
        return of_services(down)

    def version(self) -> str:
        """Of the daemon and of the plugins that look."""
        return f"{version_of('icinga2-bin')} (plugins: {version_of('monitoring-plugins-standard')})"

    def _home(self, node: str) -> Path:
        return self._folder / node

    def _make(self, node: str) -> None:
        for one in ("data/certs", "data/ca", "log", "cache", "spool", "run"):
            (self._home(node) / one).mkdir(parents=True)

    def _set(self, node: str) -> list[str]:
        """The constants that keep a node's files in its folder."""
        home = self._home(node)
        folders = {"DataDir": "data", "LogDir": "log", "CacheDir": "cache", "SpoolDir": "spool", "InitRunDir": "run"}
        said = {key: str(home / name) for key, name in folders.items()}
        said |= {"RunAsUser": "root", "RunAsGroup": "root"}
        return [word for key, value in said.items() for word in ("--define", f"{key}={value}")]

    def _told(self, node: str) -> list[str]:
        return ["--config", str(self._home(node) / "icinga2.conf"), *self._set(node)]

    def _certify(self, node: str) -> None:
        certs = self._home(node) / "data" / "certs"
        request, certificate = certs / f"{node}.csr", certs / f"{node}.crt"
        key = certs / f"{node}.key"
        run(["icinga2", "pki", "new-cert", "--cn", node, "--key", str(key), "--csr", str(request), *self._set(CENTRE)])
        run(["icinga2", "pki", "sign-csr", "--csr", str(request), "--cert", str(certificate), *self._set(CENTRE)])
        authority = self._home(CENTRE) / "data" / "ca" / "ca.crt"
        (certs / "ca.crt").write_bytes(authority.read_bytes())

    def _write(self, node: str, zone: str, objects: Iterable[str]) -> None:
        """A node's configuration, and its certificate."""
        self._certify(node)
        constants = {"NodeName": node, "ZoneName": zone, "PluginDir": "/usr/lib/nagios/plugins", "TicketSalt": ""}
        said = "".join(f'const {key} = "{value}"\n' for key, value in constants.items())
        text = said + includes() + "\n".join(objects)
        (self._home(node) / "icinga2.conf").write_text(text, encoding="utf-8")
