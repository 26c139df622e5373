"""Groups and their members: what each entry may say, and whether rule and `k` fit the members at every date."""

from __future__ import annotations

from collections.abc import Iterator

from detak_collector.catalogue.dated import Scalars, overlap, window
from detak_collector.catalogue.moments import Zone
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.table import Reading, Table, table
from detak_collector.catalogue.values import array, check, distinct, flag, group_name, name, one_of, text, whole
from detak_collector.downtime.catalogue import CATEGORIES, RULES, Dated, Group, Member

MOST_MEMBERS = 1_000
BEGINNING = -(2**62)
"""Stands for the time before every date."""


def own_group(entry: Table, service: str, scalars: Scalars) -> Group | None:
    """A [[service.group]]."""
    called = entry.required("name", group_name)
    return _group(entry, f"{service}/{called}", called, scalars)


def shared_group(entry: Table, scalars: Scalars) -> Group | None:
    """A [[group]], written once and used by many services; its name is its id unless it has another."""
    key = entry.required("id", name)
    return _group(entry, str(key), entry.optional("name", text, key), scalars)


def _group(entry: Table, key: str, called: str | None, scalars: Scalars) -> Group | None:
    before = len(entry.place.lines)
    category = entry.required("category", scalars.dated(one_of(CATEGORIES)))
    members = entry.required("members", array(member(scalars.zone), least=1))
    rule = entry.optional("rule", scalars.dated(one_of(RULES), "anywhen"))
    k = entry.optional("k", scalars.dated(whole(1, MOST_MEMBERS), "anywhen"))
    third_party = entry.optional("third_party", scalars.dated(flag), Dated.always(value=False))
    entry.finish()
    if called is None or category is None or members is None:
        return None
    _check_doubles(members, entry.place.key("members"))
    if len(entry.place.lines) > before:
        return None
    group = Group(key, called, category, members, rule, k, third_party)
    _check_rule(group, entry, scalars.zone)
    return group


def member(zone: Zone) -> Reading[Member]:
    """A check, or a table with `check` or `observers` and the dates between which it is a member."""

    def read(value: object, place: Place) -> Member | None:
        if isinstance(value, str):
            one = check(value, place)
            return None if one is None else Member((one,))
        entry = table(value, place, 'a check, written "node/check", or a table with check or observers')
        return None if entry is None else _member(entry, zone)

    return read


def _member(entry: Table, zone: Zone) -> Member | None:
    before = len(entry.place.lines)
    one = entry.optional("check", check)
    observers = entry.optional("observers", distinct(check, least=2))
    since, until = window(entry, zone)
    entry.finish()
    if len(entry.place.lines) == before and (one is None) == (observers is None):
        entry.place.refuse("needs either check or observers", entry.content)
    return Member(observers or (str(one),), since, until) if len(entry.place.lines) == before else None


def together(one: Member, other: Member) -> bool:
    """Whether there is a time at which both are members."""
    return overlap((one.since, one.until), (other.since, other.until))


def _check_doubles(members: tuple[Member, ...], place: Place) -> None:
    seen: dict[str, list[Member]] = {}
    for number, one in enumerate(members, start=1):
        for what in one.checks:
            if any(together(one, other) for other in seen.get(what, ())):
                place.item(f"#{number}").refuse("stands in this group already", what)
            seen.setdefault(what, []).append(one)


def _check_rule(group: Group, entry: Table, zone: Zone) -> None:
    """The rule and `k` against the members of each stretch of time; of each problem only the first date is told."""
    place = entry.place
    if group.k is not None and not (group.rule and any(rule == "k_of_n" for _, _, rule in group.rule.entries)):
        place.key("k").refuse("only with rule = k_of_n; remove it", entry.content["k"])
        return
    told: set[str] = set()
    for key, reason, got in _misfits(group, entry, zone):
        if key not in told:
            told.add(key)
            place.key(key).refuse(reason, got)


def _misfits(group: Group, entry: Table, zone: Zone) -> Iterator[tuple[str, str, object]]:
    for instant in _instants(group):
        members = sum(one.in_force(instant) for one in group.members)
        rule = None if group.rule is None else group.rule.at(instant)
        k = None if group.k is None else group.k.at(instant)
        when = "" if instant == BEGINNING else f" from {zone.said(instant)}"
        if members > 1 and rule is None:
            yield "rule", f"required with several members{when}; one of {', '.join(RULES)}", entry.content.get("rule")
        elif members and rule == "k_of_n" and k is None:
            yield "k", f"required with rule = k_of_n{when}", entry.content.get("k")
        elif members and rule == "k_of_n" and k is not None and k > members:
            yield "k", f"at most the number of members in force{when}, which is {members}", k


def _instants(group: Group) -> list[int]:
    """The first instant of each stretch in which members, rule and `k` stay the same."""
    edges = {edge for one in group.members for edge in one.changes()}
    for dated in (group.rule, group.k):
        edges.update(dated.changes() if dated is not None else ())
    return [BEGINNING, *sorted(edges)]
