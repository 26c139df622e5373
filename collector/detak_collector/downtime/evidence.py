"""The reading of every check: sampled or stated, with witnesses, references and declarations taken into account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detak_collector.downtime.case import Case
from detak_collector.downtime.declarations import declared_up, with_up
from detak_collector.downtime.facts import Node
from detak_collector.downtime.intervals import EMPTY, Intervals, union
from detak_collector.downtime.lives import History, history_of
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.remote import weigh_remote
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.downtime.stated import read_stated


def read_all(case: Case, begin: int, end: int) -> dict[str, Reading]:
    """The reading of every check that the catalogue names, remote ones weighed by their references."""
    wanted = dict.fromkeys(check for service in case.catalogue.services for check in service.checks())
    helping = dict.fromkeys(
        check for node in case.catalogue.nodes for check in (*node.references, *node.witnesses)
    )  # fmt: skip
    checks = tuple({**wanted, **helping})
    reader = _Reader(case, Window(begin, end, case.as_of), {})
    first = {check: reader.read(check, EMPTY) for check in checks}
    reached = {node.name: _reached(node.witnesses, first, begin, end) for node in case.catalogue.nodes}
    for check in checks:
        host_up = reached.get(_node(check), EMPTY)
        if host_up and first[check].presumed:
            first[check] = reader.read(check, host_up)
    weighed = {
        check: weigh_remote(reading, case.catalogue.node(_node(check)), first, begin, end)
        for check, reading in first.items()
    }
    return {check: with_up(reading, declared_up(case.declarations, check)) for check, reading in weighed.items()}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads check after check; each node's history is laid out once."""

    case: Case
    window: Window
    histories: dict[str, History]

    def read(self, check: str, host_up: Intervals) -> Reading:
        """The check's own evidence, stated or sampled."""
        name, _, called = check.partition("/")
        node = self.case.facts.nodes.get(name, Node(name))
        if node.stated:
            facts = [fact for fact in node.stated if fact.check == called]
            return read_stated(check, facts, self.window.begin, self.window.end)
        if name not in self.histories:
            self.histories[name] = history_of(node, self.case.facts)
        reading = read_sampled(called, self.histories[name], self.case.facts, self.window, host_up=host_up)
        return replace(reading, check=check)


def _reached(witnesses: Sequence[str], readings: Mapping[str, Reading], begin: int, end: int) -> Intervals:
    """Where a check elsewhere surely reached the node."""
    return union(readings[check].down.possible.within(begin, end) for check in witnesses)


def _node(check: str) -> str:
    return check.split("/", 1)[0]
