"""Joins processes, ports and recognisers: who runs here, and what does each listen on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from detak_agent.discovery.facts import FIRST_PROCESS, Facts, Listener, LocalSocket, RunningProcess
from detak_agent.discovery.recognisers import Recogniser


@dataclass(frozen=True, slots=True)
class Instance:
    """One server that runs: its first process, or none where only its port gives it away, and where it listens."""

    recogniser: Recogniser
    process: RunningProcess | None
    alike: int = 1
    """How many main processes of this name there are on the machine."""
    listeners: tuple[Listener, ...] = ()
    local_sockets: tuple[LocalSocket, ...] = ()

    @property
    def unit(self) -> str:
        return self.process.unit if self.process else ""


@dataclass(frozen=True, slots=True)
class Matched:
    """All instances, and the TCP ports that belong to none, each with the process that holds it if that is known."""

    instances: tuple[Instance, ...]
    unknown: tuple[tuple[Listener, RunningProcess | None], ...]


def match(facts: Facts, recognisers: Sequence[Recogniser]) -> Matched:
    """Pure; in an order that does not depend on process ids."""
    matcher = _Matcher(facts, recognisers)
    instances = sorted(matcher.instances(), key=lambda one: (recognisers.index(one.recogniser), _order(one)))
    return Matched(tuple(instances), tuple(matcher.unknown()))


def _order(instance: Instance) -> tuple[str, int, str]:
    ports = [listener.port for listener in instance.listeners]
    return instance.unit, min(ports, default=0), instance.process.command if instance.process else ""


@dataclass(frozen=True, slots=True)
class _Key:
    """What makes main processes one instance."""

    title: str
    unit: str
    port: int
    name: str

    @property
    def has_a_place(self) -> bool:
        return bool(self.unit or self.port)


class _Matcher:
    def __init__(self, facts: Facts, recognisers: Sequence[Recogniser]) -> None:
        self._facts = facts
        self._recognisers = recognisers
        self._processes = {process.pid: process for process in facts.processes}
        self._rows: dict[int, Recogniser] = {}
        holders = {pid for listener in facts.listeners for pid in listener.pids}
        for process in facts.processes:
            # A container has ports of its own; only what it shares with this machine can be reached here.
            if process.container in {"", facts.own_container} or process.pid in holders:
                row = next((row for row in recognisers if row.fits(process)), None)
                if row is not None:
                    self._rows[process.pid] = row
        self._roots = sorted({self._root(pid) for pid in self._rows})
        self._owners = {listener: self._owner(listener) for listener in facts.listeners}

    def instances(self) -> Iterable[Instance]:
        by_root = {root: [key for key, owner in self._owners.items() if owner == root] for root in self._roots}
        merged: dict[_Key, list[int]] = {}
        for root in self._roots:
            merged.setdefault(self._key(root, by_root[root]), []).append(root)
        places = {key.title for key in merged if key.has_a_place}
        # What has neither unit nor port while another one has is a session or a helper of that one.
        kept = [roots for key, roots in merged.items() if key.has_a_place or key.name or key.title not in places]
        mains = [root for roots in kept for root in roots]
        for roots in kept:
            alike = sum(self._is_alike(root, roots[0]) for root in mains)
            yield self._instance(roots, alike, [one for root in roots for one in by_root[root]])
        yield from self._known_by_port()

    def _key(self, root: int, listeners: Sequence[Listener]) -> _Key:
        row, process = self._rows[root], self._processes[root]
        port = 0 if process.unit else min((one.port for one in listeners), default=0)
        return _Key(row.title, process.unit, port, row.named_by(process) if row.named_by else "")

    def unknown(self) -> Iterable[tuple[Listener, RunningProcess | None]]:
        for listener, owner in self._owners.items():
            if owner is None and listener.protocol == "tcp" and not self._row_by_port(listener):
                holder = next((self._processes[pid] for pid in listener.pids if pid in self._processes), None)
                yield listener, holder

    def _is_alike(self, root: int, other: int) -> bool:
        return self._rows[root] is self._rows[other] and self._processes[root].name == self._processes[other].name

    def _instance(self, roots: Sequence[int], alike: int, listeners: Iterable[Listener]) -> Instance:
        process, row = self._processes[roots[0]], self._rows[roots[0]]
        return Instance(row, process, alike, tuple(listeners), self._local_sockets(row, roots))

    def _local_sockets(self, row: Recogniser, roots: Sequence[int]) -> tuple[LocalSocket, ...]:
        known_by_name = [one for one in self._facts.local_sockets if not one.pids and row.has_socket(one.path)]
        held = [one for one in self._facts.local_sockets if {self._root(pid) for pid in one.pids} & set(roots)]
        return tuple(sorted({*held, *known_by_name}, key=lambda one: one.path))

    def _root(self, pid: int) -> int:
        """The first of a row of ancestors that are the same kind of server."""
        row, seen = self._rows.get(pid), {pid}
        while row is not None:
            parent = self._processes[pid].parent
            if self._rows.get(parent) is not row or parent in seen:
                break
            pid = parent
            seen.add(pid)
        return pid

    def _owner(self, listener: Listener) -> int | None:
        """The root of who holds it. systemd holds the sockets that it hands over, and is nobody's root."""
        for pid in sorted(listener.pids):
            if pid in self._rows and pid != FIRST_PROCESS:
                return self._root(pid)
        return None if listener.pids else self._likely_owner(listener)

    def _likely_owner(self, listener: Listener) -> int | None:
        """Without the right to see who holds it: the only server of that user, else one whose usual port it is."""
        of_the_user = [root for root in self._roots if self._processes[root].uid == listener.uid != 0]
        if len(of_the_user) == 1:
            return of_the_user[0]
        usual = [root for root in self._roots if listener.port in self._rows[root].ports]
        return usual[0] if usual else None

    def _known_by_port(self) -> Iterable[Instance]:
        found: dict[str, Instance] = {}
        for listener, owner in self._owners.items():
            row = self._row_by_port(listener) if owner is None else None
            if row is not None:
                before = found.setdefault(row.title, Instance(row, None))
                found[row.title] = replace(before, listeners=(*before.listeners, listener))
        yield from found.values()

    def _row_by_port(self, listener: Listener) -> Recogniser | None:
        """Where the kernel hides processes, a usual port is all there is to go by."""
        if listener.pids or not self._facts.hidden:
            return None
        return next((row for row in self._recognisers if listener.port in row.ports), None)
