"""What a first catalogue could be, from the checks that report. Pure; what is only a guess is marked as one.

It knows names, kinds and targets, and nothing of what users use: so all groups go to one service that is to be divided.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from detak_wire import limits

LAYER_OF_KIND: Mapping[str, str] = {
    "ups": "power",
    "ping": "network",
    "dns": "network",
    "snmp": "device",
    "os": "server",
    "alive": "server",
    "ipmi": "server",
    "redfish": "server",
    "postgresql": "database",
    "mysql": "database",
    "oracle": "database",
    "sqlserver": "database",
    "redis": "database",
    "mongodb": "database",
}
"""Whatever is not named here is taken for a part of an application."""

UNDIVIDED = "undivided"
_DATABASE = re.compile(
    r"postgres|mysql|mariadb|oracle|sqlserver|mssql|redis|mongo|(?:^|[-_.])(?:db|pg|sql)(?:[-_.]|\d|$)"
)
_SITE = re.compile(r"(dc|drc)[-_.](?=[a-z])(.+)")
_NUMBER = re.compile(r"[-_.]*\d+")
_GATEWAYS = frozenset({"gateway", "gw", "router", "default-gateway"})
_BY_NAME = frozenset({"process", "systemd", "tcp", "log", "file", "command"})


@dataclass(frozen=True, slots=True)
class Reporting:
    """One check as its node states it. `remote`: its target is another host."""

    node: str
    check: str
    kind: str
    remote: bool = False
    target: str = ""

    @property
    def name(self) -> str:
        """As the catalogue calls it."""
        return f"{self.node}/{self.check}"


@dataclass(frozen=True, slots=True)
class ProposedGroup:
    """One layer. Each member is the checks that observe one thing, from different nodes where there are several."""

    id: str
    category: str
    kind: str
    members: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ProposedService:
    """What is watched at one address from elsewhere, as its users may reach it."""

    id: str
    target: str
    probes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposedNode:
    """Facts of a node; `by_name`: its site is only what its name says."""

    name: str
    site: str
    by_name: bool
    witnesses: tuple[str, ...]
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A first catalogue: services that are seen, all groups, and what is known of the nodes."""

    services: tuple[ProposedService, ...]
    groups: tuple[ProposedGroup, ...]
    nodes: tuple[ProposedNode, ...]


def propose(checks: Sequence[Reporting], nodes: Iterable[str], sites: Mapping[str, str]) -> Proposed:
    """The proposal. `nodes` are those that report, `sites` where they stand as far as somebody said so."""
    names = sorted(nodes)
    beside = _Beside(checks, frozenset(names))
    ids = _Ids({UNDIVIDED})
    services = tuple(_services([one for one in checks if _is_probe(one)], ids))
    rest = [one for one in checks if not _is_probe(one) and one.name not in beside.spent]
    seen = {one.node for one in rest if one.kind == "os"}
    rest += [Reporting(name, "alive", "alive") for name in names if name not in seen]
    return Proposed(services, tuple(_groups(rest, ids)), tuple(_node(name, sites, beside) for name in names))


def layer_of(one: Reporting) -> str:
    """The category of what it looks at: by its kind, and by its name where the kind can look at anything."""
    if one.kind in _BY_NAME and _DATABASE.search(one.check):
        return "database"
    return LAYER_OF_KIND.get(one.kind, "application")


def stem_of(node: str) -> str:
    """What nodes that may stand in for each other have in common: the name without its site and number."""
    match = _SITE.fullmatch(node)
    stem = _NUMBER.sub("", match[2] if match else node)
    return stem.strip("-_.") or node


def site_of(node: str) -> str:
    """The site that a name such as dc-db-01 speaks of; empty where it speaks of none."""
    match = _SITE.fullmatch(node)
    return match[1].upper() if match else ""


class _Beside:
    """What else sees each node: pings from elsewhere of a host called as it is, and its own of a gateway."""

    def __init__(self, checks: Iterable[Reporting], names: frozenset[str]) -> None:
        self.witnesses: defaultdict[str, list[str]] = defaultdict(list)
        self.references: defaultdict[str, list[str]] = defaultdict(list)
        self.spent: set[str] = set()
        """Those that see a whole node are no part of a service by themselves."""
        for one in checks:
            if one.kind != "ping":
                continue
            if one.check in _GATEWAYS:
                self.references[one.node].append(one.name)
            reached = names.intersection(_called(one.target.lower())) - {one.node} if one.remote else frozenset[str]()
            for node in reached:
                self.witnesses[node].append(one.name)
                self.spent.add(one.name)


def _called(host: str) -> Iterable[str]:
    """The names by which a node may be called that has this host name: it, and what stands before each of its dots."""
    return accumulate(host.split("."), lambda name, label: f"{name}.{label}")


def _is_probe(one: Reporting) -> bool:
    return one.kind == "http" and one.remote


def _services(probes: Sequence[Reporting], ids: _Ids) -> Iterable[ProposedService]:
    by_target: defaultdict[str, list[Reporting]] = defaultdict(list)
    for one in probes:
        by_target[one.target].append(one)
    for target, some in sorted(by_target.items()):
        yield ProposedService(ids.take(some[0].check), target, tuple(sorted(one.name for one in some)))


def _groups(checks: Sequence[Reporting], ids: _Ids) -> Iterable[ProposedGroup]:
    """Local checks of one kind and name on nodes of like names together; what is looked at from afar each by itself."""
    found: defaultdict[tuple[str, ...], list[Reporting]] = defaultdict(list)
    for one in checks:
        far = ("afar", one.kind, one.target, "" if one.target else one.name)
        found[far if one.remote else ("here", one.kind, one.check, stem_of(one.node))].append(one)
    groups = [_group(key[0] == "afar", some) for key, some in found.items()]
    order = list(dict.fromkeys([*LAYER_OF_KIND.values(), "application"]))
    for group in sorted(groups, key=lambda one: (order.index(one.category), one.id, one.members)):
        yield replace(group, id=ids.take(group.id))


def _group(is_afar: bool, some: Sequence[Reporting]) -> ProposedGroup:  # noqa: FBT001
    first, names = some[0], tuple(sorted(one.name for one in some))
    if is_afar:
        return ProposedGroup(first.check, layer_of(first), first.kind, (_of_different_nodes(names),))
    called = f"{stem_of(first.node)}-{first.check}" if len(names) > 1 else f"{first.node}-{first.check}"
    return ProposedGroup(called, layer_of(first), first.kind, tuple((name,) for name in names))


def _of_different_nodes(names: Sequence[str]) -> tuple[str, ...]:
    """One check of each node: two on one node see the same."""
    return tuple({name.partition("/")[0]: name for name in reversed(names)}.values())[::-1]


def _node(name: str, sites: Mapping[str, str], beside: _Beside) -> ProposedNode:
    site, witnesses, references = sites.get(name, ""), beside.witnesses[name], beside.references[name]
    return ProposedNode(name, site or site_of(name), not site, tuple(witnesses), tuple(references))


class _Ids:
    """Gives each thing an id of its own."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """This one, or with a number where it is taken."""
        base = wanted[: limits.NAME_CHARACTERS - 5].rstrip("-_.")
        name, number = base, 2
        while name in self._taken:
            name, number = f"{base}-{number}", number + 1
        self._taken.add(name)
        return name
