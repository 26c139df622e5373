"""Incidents: outages that belong together, because they overlap or lie close to each other, or because people said so.

Operators' rulings name outages by number. The latest ruling on an outage wins; an outage without a number (as in a
recomputation) is ruled by the clock alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType

from detak_collector.downtime.outages import Outage, OutageKey

MERGE, SPLIT, UNDO = "merge", "split", "undo"

Numbers = Mapping[OutageKey, int | None]
"""The numbers that outages keep for good; None, or nothing, where one has none yet."""

NO_NUMBERS: Numbers = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an operator said: `merge` these outages, `split` this one off, or `undo` the ruling `undoes`.

    `id` counts rulings in the order in which they were made, `ruled_at` is UTC milliseconds.
    """

    id: int
    kind: str
    outages: tuple[int, ...]
    undoes: int | None
    reason: str
    ruled_by: str
    ruled_at: int


@dataclass(frozen=True, slots=True)
class Orders:
    """What the rulings in force amount to: outages that begin an incident, and outages that share one."""

    begins: frozenset[int] = frozenset()
    together: tuple[frozenset[int], ...] = ()

    @property
    def named(self) -> frozenset[int]:
        """All outages that some order is about."""
        return self.begins.union(*self.together)


NO_ORDERS = Orders()


@dataclass(frozen=True, slots=True)
class Incident:
    """Outages that belong together, in order of time. `ruled`: an operator's ruling is about one of them."""

    id: str
    outages: tuple[Outage, ...]
    ruled: bool

    @property
    def begin(self) -> int:
        """When its first outage began."""
        return self.outages[0].begin

    @property
    def counted_ms(self) -> int:
        """What its outages cost, each in its own service."""
        return sum(one.counted_ms for one in self.outages)

    @property
    def end(self) -> int:
        """When its last outage ended."""
        return max(one.end for one in self.outages)


def in_force(rulings: Iterable[Ruling]) -> list[Ruling]:
    """The merges and splits that no later ruling undoes, in order."""
    known = sorted(rulings, key=lambda one: one.id)
    undone = {one.undoes for one in known if one.kind == UNDO}
    return [one for one in known if one.kind != UNDO and one.id not in undone]


def orders_of(rulings: Iterable[Ruling], merged_into: Mapping[int, int]) -> Orders:
    """What the rulings amount to now that evidence has merged some outages into others.

    A merge follows a number to the outage that it is part of now. A split does not: what it told apart is one outage,
    and no outage bears the number any more.
    """
    begins: set[int] = set()
    together: list[set[int]] = []
    for one in in_force(rulings):
        if one.kind == MERGE:
            together.append({_now(number, merged_into) for number in one.outages})
        else:
            begins.add(one.outages[0])
            for group in together:
                group.discard(one.outages[0])
    return Orders(frozenset(begins), tuple(frozenset(group) for group in together if len(group) > 1))


def _now(number: int, merged_into: Mapping[int, int]) -> int:
    while number in merged_into:
        number = merged_into[number]
    return number


def incidents_of(
    outages: Iterable[Outage],
    gap_at: Callable[[int], int],
    numbers: Numbers = NO_NUMBERS,
    orders: Orders = NO_ORDERS,
) -> tuple[Incident, ...]:
    """The incidents in order of time.

    `outages` come in the order of their services, which decides where two begin at once. `gap_at` is the longest gap
    within an incident, in milliseconds, in force when the later outage begins. An incident is called by the local time
    of its first outage.
    """
    in_order = sorted(outages, key=attrgetter("begin"))
    named = {key: number for key, number in numbers.items() if number in orders.named} if orders.named else {}
    anew = {key for key, number in named.items() if number in orders.begins}
    groups = _joined(_chained(in_order, gap_at, anew), named, orders.together)
    ids = _distinct(group[0].id.rpartition("/")[2] for group in groups)
    return tuple(
        Incident(
            id_,
            tuple(group),
            bool(named) and any(one.key in named for one in group),
        )
        for id_, group in zip(ids, groups, strict=True)
    )


def homes(incidents: Iterable[Incident]) -> dict[OutageKey, Incident]:
    """The incident of each outage."""
    return {(outage.service, outage.begin): one for one in incidents for outage in one.outages}


def _chained(
    outages: Iterable[Outage], gap_at: Callable[[int], int], anew: Collection[OutageKey]
) -> list[list[Outage]]:
    """Outages in order of time, each with those that it overlaps or follows closely, unless it is to begin `anew`.

    Where several incidents could take it, it goes with the one that began last.
    """
    done: list[list[Outage]] = []
    reaches: list[int] = []
    open_: list[int] = []
    for one in outages:
        since = one.begin - gap_at(one.begin)
        near = [at for at in open_ if since <= reaches[at]]
        if near and not (anew and one.key in anew):
            done[near[-1]].append(one)
            reaches[near[-1]] = max(reaches[near[-1]], one.end)
            continue
        open_ = [*near, len(done)]
        done.append([one])
        reaches.append(one.end)
    return done


def _joined(groups: list[list[Outage]], named: Numbers, together: Sequence[frozenset[int]]) -> list[list[Outage]]:
    """The groups, with those made one that hold outages which belong together."""
    if not together:
        return groups
    holder = {named[key]: at for at, group in enumerate(groups) for one in group if (key := one.key) in named}
    home = list(range(len(groups)))
    for numbers in together:
        places = {_root(home, holder[number]) for number in numbers if number in holder}
        for place in places:
            home[place] = min(places)
    merged: dict[int, list[Outage]] = {}
    for at, group in enumerate(groups):
        merged.setdefault(_root(home, at), []).extend(group)
    return [sorted(group, key=lambda one: (one.begin, one.service)) for group in merged.values()]


def _root(home: Sequence[int], at: int) -> int:
    while home[at] != at:
        at = home[at]
    return at


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """The names, with a count behind one that came before."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}-{seen[name]}"
