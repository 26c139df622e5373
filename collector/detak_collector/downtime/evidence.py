"""The reading of every check: sampled or stated, with witnesses, references and declarations taken into account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, NodeEntry
from detak_collector.downtime.declarations import declared_up, with_up
from detak_collector.downtime.facts import Facts, Node
from detak_collector.downtime.intervals import EMPTY, Intervals, at_least, union
from detak_collector.downtime.lives import History, history_of
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.remote import EDGE_MS, weigh_remote
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.downtime.stated import read_stated
from detak_collector.downtime.tail import NOTHING_BESIDE, Beside

SPEAKS_FOR_THE_HOST = frozenset({"ping"})
"""Kinds of a witness that, while they fail, tell of the host itself and not merely of something on it."""


def read_all(case: Case, begin: int, end: int) -> dict[str, Reading]:
    """The reading of every check that bears on a service, remote ones weighed by their references."""
    return read_these(case, (check for service in case.catalogue.services for check in service.checks()), begin, end)


def read_these(case: Case, wanted: Iterable[str], begin: int, end: int) -> dict[str, Reading]:
    """The same of these checks, and of every other that bears on them."""
    catalogue = case.catalogue
    entries = {node.name: node for node in catalogue.nodes}
    checks = bearing_on(wanted, entries)
    reader = _Reader(case, Window(begin, end, case.as_of, catalogue.freeze_degraded_below_ms), entries, {})
    sites = silent_sites(catalogue, case.facts, case.as_of)
    beside = {
        node.name: Beside(site_silent=_around(node, sites, case.as_of), retired=node.retired)
        for node in catalogue.nodes
    }
    first = {check: reader.read(check, beside.get(_node(check), NOTHING_BESIDE)) for check in checks}
    witnessed = {
        node.name: _witnessed(beside[node.name], reader.weighed(node.witnesses, first), begin, end)
        for node in (entries[name] for name in dict.fromkeys(map(_node, checks)) if name in entries)
        if node.witnesses
    }
    again = {
        check: reader.read(check, witnessed[_node(check)])
        for check in checks
        if first[check].down.counted and _node(check) in witnessed
    }
    weighed = reader.weighed(checks, {**first, **again})
    return {check: with_up(reading, declared_up(case.declarations, check)) for check, reading in weighed.items()}


def bearing_on(checks: Iterable[str], entries: Mapping[str, NodeEntry]) -> tuple[str, ...]:
    """These checks, the witnesses and references of their nodes, those of the witnesses' nodes, and so on."""
    found: dict[str, None] = {}
    waiting = list(checks)
    while waiting:
        new = [check for check in dict.fromkeys(waiting) if check not in found]
        found.update(dict.fromkeys(new))
        nodes = (entries[name] for name in dict.fromkeys(map(_node, new)) if name in entries)
        waiting = [check for node in nodes for check in (*node.references, *node.witnesses)]
    return tuple(found)


def silent_sites(catalogue: Catalogue, facts: Facts, now: int) -> dict[str, Intervals]:
    """By site: where all of the nodes, at least two, that stood there were unheard beyond the deadline.

    Nodes that were never heard are left out, others from their retirement on.
    """
    present: dict[str, list[Intervals]] = {}
    heard: dict[str, list[Intervals]] = {}
    for node in catalogue.nodes:
        until = now if node.retired is None else min(now, node.retired)
        if node.site is not None and node.name in facts.unheard:
            for site in dict.fromkeys(node.site.values()):
                there = node.site.when(0, until, site)
                present.setdefault(site, []).append(there)
                heard.setdefault(site, []).append(there - facts.silences(node.name))
    return {site: at_least(2, nodes) - union(heard[site]) for site, nodes in present.items()}


def _around(node: NodeEntry, sites: Mapping[str, Intervals], now: int) -> Intervals:
    """Where the site was silent at which the node then stood."""
    if node.site is None:
        return EMPTY
    return union(node.site.when(0, now, site) & sites.get(site, EMPTY) for site in dict.fromkeys(node.site.values()))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads check after check; each node's history is laid out once."""

    case: Case
    window: Window
    entries: Mapping[str, NodeEntry]
    histories: dict[str, History]

    def read(self, check: str, beside: Beside) -> Reading:
        """The check's own evidence, stated or sampled."""
        name, _, called = check.partition("/")
        node = self.case.facts.nodes.get(name, Node(name))
        window = self.window_of(name)
        if node.stated:
            facts = [fact for fact in node.stated if fact.check == called]
            return read_stated(check, facts, window.begin, window.end)
        if name not in self.histories:
            self.histories[name] = history_of(node, self.case.facts)
        return read_sampled(called, self.histories[name], self.case.facts, window, beside)

    def window_of(self, node: str) -> Window:
        """What is read of a node's checks: if references weigh them, what is beside the window bears on it."""
        entry = self.entries.get(node)
        if entry is None or not entry.references:
            return self.window
        return replace(self.window, begin=self.window.begin - EDGE_MS, end=self.window.end + EDGE_MS)

    def weighed(self, checks: Iterable[str], readings: Mapping[str, Reading]) -> dict[str, Reading]:
        """These readings with the references of their nodes taken into account, clipped to the window."""
        begin, end = self.window.begin, self.window.end
        found: dict[str, Reading] = {}
        for check in checks:
            entry = self.entries.get(_node(check)) or NodeEntry(_node(check))
            found[check] = weigh_remote(readings[check], entry, readings, begin, end)
        return found


def _witnessed(beside: Beside, witnesses: Mapping[str, Reading], begin: int, end: int) -> Beside:
    """With what the node's witnesses say of its host: that it was reached, and if they speak for it that it was not."""
    of_the_host = [one for one in witnesses.values() if one.kind in SPEAKS_FOR_THE_HOST]
    return replace(
        beside,
        host_up=union(one.down.possible.within(begin, end) for one in witnesses.values()),
        host_due=union(one.due for one in witnesses.values()),
        host_down=union(one.down.certain for one in of_the_host),
        host_unreached=union(one.seen for one in of_the_host),
    )


def _node(check: str) -> str:
    return check.partition("/")[0]
