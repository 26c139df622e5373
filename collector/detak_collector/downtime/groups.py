"""A group over one cell of time: its HA rule applied to its members, stretch by stretch as the catalogue changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from detak_collector.downtime.catalogue import Catalogue, Group, Member, Service
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.parts import QUIET, Part, at_an_instant, member_part, without_reserve
from detak_collector.downtime.scopes import Basis

Instead = Literal["all_down", "worst_member"]
"""A rule to apply in place of the declared HA rules, to show the other readings beside the figure."""

HA_READINGS: tuple[Instead, ...] = ("all_down", "worst_member")


@dataclass(frozen=True, slots=True)
class Cell:
    """A calendar month, or the part of it that is over. `counting`: the hours, less the service's own exclusions."""

    begin: int
    end: int
    hours: Intervals
    counting: Intervals


@dataclass(frozen=True, slots=True)
class Stretch:
    """A group while its members and rule stay the same. An instant rule has one option, `lowest_member` one each."""

    begin: int
    end: int
    rule: str
    members: tuple[Part, ...]
    options: tuple[Part, ...]
    labels: tuple[str, ...]
    chosen: int = 0
    admissible: tuple[int, ...] = (0,)
    quiet: bool = False
    """Whether every member was simply up, so that no rule could say anything else."""


def stretches(group: Group, service: Service, cell: Cell, basis: Basis) -> Iterator[Stretch]:
    """The group over the cell, cut where its membership or its rule changes."""
    catalogue = basis.scopes.catalogue
    for begin, end in pairwise(_cuts(group, catalogue, cell)):
        members = members_at(group, begin)
        if members:
            parts = tuple([member_part(member, service, group, basis).clip(begin, end) for member in members])
            rule = rule_at(group, catalogue, begin, len(members))
            yield _ruled(Stretch(begin, end, "", parts, (), tuple([member.label for member in members])), rule, cell)


def ruled_otherwise(one: Stretch, group: Group, cell: Cell, catalogue: Catalogue, instead: Instead) -> Stretch:
    """The same members over the same time, as another HA rule would have it."""
    return _ruled(one, rule_at(group, catalogue, one.begin, len(one.members), instead), cell)


def _ruled(one: Stretch, rule_and_number: tuple[str, int], cell: Cell) -> Stretch:
    rule, down_when = rule_and_number
    parts = one.members
    quiet = all(part is QUIET for part in parts)
    if rule not in {"lowest_member", "worst_member"}:
        together = at_an_instant(down_when, parts)
        return replace(one, rule=rule, options=(together,), chosen=0, admissible=(0,), quiet=quiet)
    choose = _lowest if rule == "lowest_member" else _worst
    chosen, admissible = choose(parts, cell.counting.clip(one.begin, one.end))
    bare = without_reserve(len(parts), parts)
    options = tuple([replace(part, bare=bare) for part in parts]) if bare else parts
    return replace(one, rule=rule, options=options, chosen=chosen, admissible=admissible, quiet=quiet)


def members_at(group: Group, instant: int) -> tuple[Member, ...]:
    """The members in force at an instant."""
    return tuple(member for member in group.members if member.in_force(instant))


def rule_at(
    group: Group, catalogue: Catalogue, instant: int, members: int, instead: Instead | None = None
) -> tuple[str, int]:
    """The rule in force and, for the instant rules, how many members must be down for the group to be."""
    rule = group.rule.at(instant) if group.rule is not None else None
    if rule == "ha":
        rule = catalogue.ha_rule.at(instant)
    if members == 1 or rule is None or rule == "any_down":
        return "any_down", 1
    rule = instead or rule
    if rule == "k_of_n" and group.k is not None:
        return rule, members - group.k.value_at(instant) + 1
    return rule, members


def _cuts(group: Group, catalogue: Catalogue, cell: Cell) -> list[int]:
    changes: set[int] = set()
    for member in group.members:
        changes.update(member.changes())
    for dated in (group.rule, group.k, catalogue.ha_rule):
        changes.update(dated.changes() if dated is not None else ())
    return sorted({cell.begin, cell.end, *(min(max(instant, cell.begin), cell.end) for instant in changes)})


def _lowest(parts: Sequence[Part], inside: Intervals) -> tuple[int, tuple[int, ...]]:
    """The member with the least net counted and not observed time, and those that the evidence allows to be it."""
    weights = [((part.net.counted | _open(part)) & inside).total for part in parts]
    certain = [(part.net.certain & inside).total for part in parts]
    possible = [(part.net.possible & inside).total for part in parts]
    admissible = tuple(
        place
        for place in range(len(parts))
        if all(
            certain[place] < possible[other] or (certain[place] == possible[other] and place <= other)
            for other in range(len(parts))
        )
    )
    return weights.index(min(weights)), admissible


def _open(part: Part) -> Intervals:
    """Not observed, less what exclusions took."""
    return part.unobserved & part.net.possible if part.unobserved else EMPTY


def _worst(parts: Sequence[Part], inside: Intervals) -> tuple[int, tuple[int, ...]]:
    totals = [(part.net.counted & inside).total for part in parts]
    chosen = totals.index(max(totals))
    return chosen, (chosen,)
