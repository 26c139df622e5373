"""From facts to findings: what runs here, and which checks are proposed for it. Pure, and stable from run to run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from detak_agent.discovery.advice import advice, controller_advice
from detak_agent.discovery.drafts import Draft, Finding, Group, Proposal
from detak_agent.discovery.facts import (
    FIRST_PROCESS,
    Facts,
    Listener,
    RunningProcess,
    hosts_of,
    one_for_each_port,
)
from detak_agent.discovery.matching import Instance, match
from detak_agent.discovery.ports import Target, dns, tcp
from detak_agent.discovery.recognisers import RECOGNISERS, Recogniser, unit_stem
from detak_agent.discovery.toml_text import Value

OWN_UNIT = "detak-agent.service"
MOST_PORTS = 20
"""Of one server, and of those that were not recognised."""

_CONTROLLER = Finding(Group.SYSTEM, "Management controller", "/dev/ipmi0", (controller_advice(),))
_LONGEST_WORD = 150
_SHOWN_PLACES = 8


def findings(facts: Facts, recognisers: Sequence[Recogniser] = RECOGNISERS) -> list[Finding]:
    """All of them, by group and in the order of the table of recognisers."""
    matched = match(facts, recognisers)
    found = [
        _of_machine(facts),
        *(_of_instance(instance, facts, matched.instances) for instance in matched.instances),
        *[_CONTROLLER] * facts.has_controller,
        *_of_own_units(facts, {instance.unit for instance in matched.instances}),
        *_of_unknown(facts, matched.unknown),
    ]
    return sorted(found, key=lambda finding: finding.group)


def _of_machine(facts: Facts) -> Finding:
    # One that hangs with its server would hide all others from a check that looks at it, so it has one of its own.
    left_out: dict[str, Value] = {"ignore_filesystems": facts.network_mounts} if facts.network_mounts else {}
    own: Proposal = Proposal("os", (Draft("os", {"interval_ms": 15_000, **left_out}),), sure=True)
    mounts = [
        Proposal(f"mount{path.rstrip('/').replace('/', '-')}", (Draft("os", _mount_keys(path)),), sure=True)
        for path in facts.network_mounts
    ]
    where = ", ".join(part for part in (facts.system, facts.machine) if part)
    note = ""
    if facts.machine == "container":
        note = "In a container the processor, memory and load that it sees may be those of the whole host."
    return Finding(Group.MACHINE, "The operating system", where, (own, *mounts), note)


def _mount_keys(path: str) -> dict[str, Value]:
    return {"items": ("disk", "inodes", "read_only"), "filesystems": (path,), "interval_ms": 15_000}


def _of_instance(instance: Instance, facts: Facts, others: Sequence[Instance]) -> Finding:
    row, process = instance.recogniser, instance.process
    name = _name(instance)
    advised = advice(instance, name, facts, others)
    proposals = [*_liveness(instance, name, facts), *_ports(instance, name, facts), *advised]
    where = [f"unit {instance.unit}"] if instance.unit else [process.name] if process else ["known by its port only"]
    places = sorted({(one.port, one.place) for one in instance.listeners})
    shown = [place for _, place in places[:_SHOWN_PLACES]] + ["…"] * (len(places) > _SHOWN_PLACES)
    where += [f"listens on {', '.join(shown)}"] if shown else []
    return Finding(row.group, row.title, ", ".join(where), tuple(proposals), row.note)


def _name(instance: Instance) -> str:
    row, process = instance.recogniser, instance.process
    if row.named_by and process:
        return row.named_by(process)
    ports = {listener.port for listener in instance.listeners}
    usual = not ports or not row.ports or ports & set(row.ports)
    return row.name if usual else f"{row.name}-{min(ports)}"


def _liveness(instance: Instance, name: str, facts: Facts) -> Iterable[Proposal]:
    process = instance.process
    if process is None or not instance.recogniser.is_service:
        return
    shared = instance.alike > 1 and not instance.recogniser.named_by
    drafts = [Draft("process", _chosen_by(process, instance.recogniser, instance.alike))]
    if facts.systemd and process.unit:
        drafts.insert(0, Draft("systemd", {"units": (process.unit,)}))
    yield Proposal(name if process.unit or not shared else instance.recogniser.name, tuple(drafts))


def _chosen_by(process: RunningProcess, row: Recogniser, alike: int) -> dict[str, Value]:
    """By its name if that is the server's, else by what in the command line tells it from others of that name."""
    number: dict[str, Value] = {"at_least": alike} if alike > 1 else {}
    if not row.argument and not row.named_by:
        return {"process_name": process.name, **number}
    word = _telling_word(process, row)
    return {"command_pattern": pattern_of(word)} if word else {"process_name": process.name, **number}


def _telling_word(process: RunningProcess, row: Recogniser) -> str:
    words = [word for word in process.arguments if word]
    fitting = [word for word in words if row.argument and re.search(row.argument, word)]
    named = [word for word in words[1:] if row.named_by and word.endswith((".jar", ".war", ".js", ".dll", ".py"))]
    others = [word for word in words[1:] if not word.startswith("-")]
    return next(iter([*fitting, *named, *others, *words]), "")


def pattern_of(word: str) -> str:
    """A regular expression that finds this word in a command line, readable, and in plain characters only."""
    return "".join(_as_pattern(character) for character in word[:_LONGEST_WORD])


def _as_pattern(character: str) -> str:
    if character in ".+*?(){}|$":
        return f"[{character}]"
    if character in "[]\\^":
        return f"\\{character}"
    return character if character.isprintable() else "[^ ]"


def _ports(instance: Instance, name: str, facts: Facts) -> Iterable[Proposal]:
    row = instance.recogniser
    numbers = {listener.port for listener in instance.listeners}
    zones = facts.zones.get(row.name, ())
    stem = name if row.named_by else row.name
    proposals = []
    for listener in one_for_each_port(instance.listeners):
        skipped = (row.bus and listener.port - row.bus in numbers) or (not row.steady and _may_change(listener, facts))
        is_datagram = listener.protocol == "udp"
        if skipped or (is_datagram and (row.on(listener.port) is not dns or _has_tcp(instance, listener))):
            continue
        targets = [Target(host, listener, zones) for host in hosts_of(listener)]
        drafts = [draft for target in targets for draft in row.on(listener.port)(target)]
        if drafts:
            proposals.append(Proposal(f"{stem}-{listener.port}", tuple(drafts)))
    return proposals[:MOST_PORTS]


def _may_change(listener: Listener, facts: Facts) -> bool:
    low, high = facts.ephemeral
    return low <= listener.port <= high


def _has_tcp(instance: Instance, listener: Listener) -> bool:
    return any(one.protocol == "tcp" and one.port == listener.port for one in instance.listeners)


def _of_own_units(facts: Facts, covered: set[str]) -> Iterable[Finding]:
    for unit in sorted(set(facts.own_units) - covered - {OWN_UNIT}):
        note = "A timer is judged by the last run of what it starts." if unit.endswith(".timer") else ""
        name = unit_stem(unit).replace(".timer", "-timer")
        yield Finding(Group.OWN_UNITS, unit, "", (Proposal(name, (Draft("systemd", {"units": (unit,)}, note),)),))


def _of_unknown(facts: Facts, unknown: Sequence[tuple[Listener, RunningProcess | None]]) -> Iterable[Finding]:
    holders = dict(unknown)
    for listener in one_for_each_port(tuple(holders))[:MOST_PORTS]:
        holder = holders[listener]
        name = f"{holder.name if holder and holder.pid != FIRST_PROCESS else 'port'}-{listener.port}"
        changing = " The kernel may have given it this port: it may be another after the next start."
        note = changing.strip() if _may_change(listener, facts) else ""
        proposal = Proposal(name, tcp(Target(hosts_of(listener)[0], listener)), off=True)
        yield Finding(Group.UNKNOWN, f"Port {listener.port}", _held_by(holder, listener), (proposal,), note)


def _held_by(holder: RunningProcess | None, listener: Listener) -> str:
    if holder is None:
        return f"{listener.place}, holder not seen (user {listener.uid})"
    if holder.pid == FIRST_PROCESS:
        return f"{listener.place}, held by the first process, which may start a service on demand"
    unit = f", unit {holder.unit}" if holder.unit else ""
    inside = " in a container" if holder.container else ""
    return f"{listener.place}, {holder.name}{inside}{unit}"
