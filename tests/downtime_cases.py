"""Short words for building engine cases in tests: minutes of one day, members, groups, services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Group, Member, NodeEntry, Service
from detak_collector.downtime.derive import Case, Result, ServiceResult, derive
from detak_collector.downtime.facts import Facts, Node, Stated
from detak_collector.downtime.periods import Period

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UTC = ZoneInfo("UTC")

Stretches = Sequence[tuple[int, int]]


def group(
    members: Sequence[str], rule: str | None = None, *, name: str = "g", category: str = "database", **more: object
) -> Group:
    """A database group of plain checks, such as `a/c`."""
    settings: dict[str, object] = {"category": Dated.always(category), **more}
    return Group(
        key=f"s/{name}",
        name=name,
        members=tuple(Member((check,)) for check in members),
        rule=Dated.always(rule) if rule else None,
        **settings,  # type: ignore[arg-type]
    )


def service(*groups: Group, name: str = "s", probes: Sequence[str] = (), **more: object) -> Service:
    """A service of the criticality that counts."""
    settings: dict[str, object] = {"name": Dated.always(name), "criticality": Dated.always("sangat kritis"), **more}
    return Service(id=name, groups=groups, probes=tuple(Member((one,)) for one in probes), **settings)  # type: ignore[arg-type]


def stated(
    check: str, begin: int, end: int, down: Stretches = (), unseen: Stretches = (), **more: object
) -> list[Stated]:
    """A check that was up from `begin` to `end` but for where it was down or not seen."""
    edges = sorted({begin, end, *(edge for pair in (*down, *unseen) for edge in pair)})
    facts = []
    for first, last in pairwise(edges):
        if any(from_ <= first < until for from_, until in unseen):
            continue
        state = "down" if any(from_ <= first < until for from_, until in down) else "up"
        facts.append(Stated(check.split("/")[1], state, first, last, **more))  # type: ignore[arg-type]
    return facts


def facts(histories: Mapping[str, Sequence[Stated]]) -> Facts:
    """Facts of checks such as `a/c`."""
    nodes: dict[str, list[Stated]] = {}
    for check, history in histories.items():
        nodes.setdefault(check.split("/")[0], []).extend(history)
    return Facts({name: Node(name, stated=tuple(all_)) for name, all_ in nodes.items()})


def excluded(begin: int, end: int, *, category: str = "planned", check: str = "", **more: str) -> Exclusion:
    """An approved exclusion of one check, or of another scope given as `service="s"`."""
    kind, scope = ("check", check) if check else next(iter(more.items()))
    return Exclusion("x", category, kind, scope, begin, end, "ND-1", "work", "a", 0, "b", 0)


def figures(
    services: Sequence[Service], known: Facts, begin: int, end: int, *exclusions: Exclusion, **rules: object
) -> Result:
    """The derived result of [begin, end) in UTC months."""
    catalogue = Catalogue(Dated.always("org"), "UTC", tuple(services), **rules)  # type: ignore[arg-type]
    return derive(Case(catalogue, UTC, known, exclusions, as_of=end), Period("test", begin, end))


def only(result: Result) -> ServiceResult:
    """The one service of a result."""
    (one,) = result.services
    return one


def node(name: str, **more: object) -> NodeEntry:
    """A node's entry in the catalogue."""
    return NodeEntry(name, **more)  # type: ignore[arg-type]
