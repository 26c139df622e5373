"""The engine's set algebra against the oracle that looks at one instant after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.downtime.accounts import REASONS, Account
from detak_collector.downtime.catalogue import (
    Catalogue,
    Dated,
    Declaration,
    Exclusion,
    Group,
    Member,
    NodeEntry,
    Service,
)
from detak_collector.downtime.derive import Case, derive
from detak_collector.downtime.facts import Facts, Node, Stated
from detak_collector.downtime.intervals import EMPTY
from detak_collector.downtime.outages import LAYERS, causes
from detak_collector.downtime.periods import Period
from detak_collector.downtime.shares import added, by_layer
from detak_collector.downtime.triple import NOWHERE
from downtime_cases import UTC
from instant_oracle import Moment, Oracle, plain

END = 24
COUNTED = ("planned", "preventive", "third_party", "measurement_error")
CHECKS = ["a/x", "a/y", "b/x", "b/y", "c/x"]
SCOPES = [("all", "all"), ("service", "s"), ("site", "DC"), ("site", "DRC"), ("group", "s/g0")]
SCOPES += [("node", "a"), ("node", "b")]
SCOPES += [("check", check) for check in CHECKS] * 2

T = TypeVar("T")

Given = tuple[Catalogue, Facts, tuple[Exclusion, ...], tuple[Declaration, ...]]


class Maker:
    """Makes dense cases from a seed: much is down and much is excluded at once, so that coincidences are common."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def case(self) -> Given:
        groups = tuple(self._group(f"g{place}") for place in range(self.random.randint(0, 3)))
        probes = self._probes() if not groups or self.random.random() < 0.7 else ()
        service = Service(
            "s",
            Dated.always("S"),
            Dated.always("sangat kritis"),
            groups,
            probes,
            probe_guard=self._dated([True, False]),
        )
        counted = self.random.choice([COUNTED, COUNTED, COUNTED[:2], ()])
        nodes = (NodeEntry("a", site=self._dated(["DC", "DRC"])),)
        catalogue = Catalogue(
            Dated.always("org"),
            "UTC",
            (service,),
            nodes,
            counted_exclusions=counted,
            planned_in_denominator=self._dated([True, False]),
        )
        exclusions = tuple(self._exclusion() for _ in range(self.random.randint(0, 4)))
        declarations = tuple(self._declaration() for _ in range(self.random.choice([0, 0, 1, 2])))
        return catalogue, self._history(), exclusions, declarations

    def _history(self) -> Facts:
        nodes: dict[str, list[Stated]] = {}
        for check in CHECKS:
            node, name = check.split("/")
            at, stated = 0, nodes.setdefault(node, [])
            while at < END:
                until = min(END, at + self.random.randint(1, 9))
                state = self.random.choice(["up", "up", "down", "down", "down", "degraded", "unknown", ""])
                if state:
                    stated.append(Stated(name, state, at, until))
                at = until - (self.random.random() < 0.1 and until - at > 1)
        return Facts({name: Node(name, stated=tuple(stated)) for name, stated in nodes.items()})

    def _group(self, name: str) -> Group:
        checks = self.random.sample(CHECKS, self.random.randint(1, 3))
        members = self._members(checks)
        fewest = min(filter(None, (sum(one.in_force(t) for one in members) for t in range(END))), default=1)
        rule = self.random.choice(["all_down", "any_down", "k_of_n"])
        k = Dated.always(self.random.randint(1, fewest))
        dated = Dated.always(rule) if len(checks) > 1 else None
        third_party = Dated.always(value=False) if name == "g0" else self._dated([False, False, True])
        category = self._dated(["server", "database", "application"])
        return Group(f"s/{name}", name, category, members, dated, k, third_party)

    def _members(self, checks: Sequence[str]) -> tuple[Member, ...]:
        """Members throughout, or each from a date on or up to one."""
        if self.random.random() < 0.6:
            return tuple(map(plain, checks))
        change = self.random.randint(1, END - 1)
        dates = [(None, change), (change, None), (None, None)]
        return tuple(Member((check,), *self.random.choice(dates)) for check in checks)

    def _probes(self) -> tuple[Member, ...]:
        """One probe throughout, or one that another takes over from, perhaps after a gap."""
        first, second = self.random.sample(CHECKS, 2)
        if self.random.random() < 0.5:
            return (plain(first),)
        until = self.random.randint(1, END - 1)
        return Member((first,), None, until), Member((second,), min(END, until + self.random.choice([0, 0, 3])))

    def _dated(self, values: Sequence[T]) -> Dated[T]:
        """One of the values always, or one after the other."""
        if self.random.random() < 0.6:
            return Dated.always(self.random.choice(values))
        change = self.random.randint(1, END - 1)
        return Dated(((None, change, self.random.choice(values)), (change, None, self.random.choice(values))))

    def _exclusion(self) -> Exclusion:
        begin = self.random.randint(0, END - 4)
        category = self.random.choice([*COUNTED, "force_majeure"])
        approver = self.random.choice(["b", "b", "b", "b", "a", None])
        until = min(END, begin + self.random.randint(3, 16))
        return Exclusion("x", category, *self.random.choice(SCOPES), begin, until, "ND", "why", "a", 0, approver, 0)

    def _declaration(self) -> Declaration:
        begin = self.random.randint(0, END - 4)
        until = min(END, begin + self.random.randint(2, 10))
        what = self.random.choice(
            [("down", "service", "s"), ("up", "check", self.random.choice(CHECKS)), ("up", "node", "a")]
        )
        return Declaration("d", *what, begin, until, "ND", "why", "a", 0, self.random.choice(["b", "b", "a"]), 0)


SEEDS = st.integers(0, 2**48)


def _case(given_: Given) -> Case:
    catalogue, facts, excluded, declared = given_
    return Case(catalogue, UTC, facts, excluded, END, declared)


def _derived(given_: Given) -> Account:
    (month,) = derive(_case(given_), Period("p", 0, END)).details
    (account,) = month.accounts.values()
    return account


def _moments(case: Given) -> list[Moment]:
    catalogue, facts, excluded, declared = case
    oracle = Oracle(catalogue, facts, excluded, catalogue.services[0], declared)
    return [oracle.at(t) for t in range(END)]


@settings(max_examples=400, deadline=None)
@given(SEEDS)
def test_counted_gross_and_the_waterfall_are_those_of_the_oracle(seed: int) -> None:
    case = Maker(seed).case()
    account, moments = _derived(case), _moments(case)
    for t, moment in enumerate(moments):
        assert (t in account.gross.counted) == moment.gross, t
        assert (t in account.net.counted) == moment.counted, t
        reasons = [reason for reason in REASONS if t in account.left[reason]]
        assert reasons == ([moment.reason] if moment.reason else []), t


@settings(max_examples=400, deadline=None)
@given(SEEDS)
def test_the_bounds_hold_in_every_world_that_the_evidence_allows(seed: int) -> None:
    case = Maker(seed).case()
    account, moments = _derived(case), _moments(case)
    for t, moment in enumerate(moments):
        assert moment.certain or t not in account.net.certain, t
        assert t in account.net.possible or not moment.possible, t
    assert account.net.is_nested
    assert account.gross.is_nested


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_causes_and_service_time_are_those_of_the_catalogue_then_in_force(seed: int) -> None:
    case = Maker(seed).case()
    account, moments = _derived(case), _moments(case)
    found = causes(case[0].services[0], account)
    for t, moment in enumerate(moments):
        assert [cause for cause, where in found.items() if t in where] == ([moment.cause] if moment.cause else []), t
        assert (t in account.service_time) == moment.service_time, t


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_the_share_of_a_layer_holds_in_every_world_and_shares_add_up(seed: int) -> None:
    case = Maker(seed).case()
    catalogue, known, excluded, declared = case
    (service,) = catalogue.services
    account, oracle = _derived(case), Oracle(catalogue, known, excluded, service, declared)
    found = by_layer(service, account, causes(service, account))
    for t in range(END):
        surely, perhaps = oracle.causes(t, declared=False), oracle.causes(t, declared=True)
        for layer in LAYERS:
            net = found.get(layer, (NOWHERE, EMPTY))[0]
            assert net.is_nested
            assert surely == {layer} or t not in net.certain, (t, layer)
            assert t in net.possible or layer not in perhaps, (t, layer)
        assert [t in net.counted for net, _ in found.values()].count(True) == (t in account.net.counted), t
    (one,) = derive(_case(case), Period("p", 0, END)).services
    shares = added([month.shares or {} for month in one.months])
    assert sum(share.gross_ms for share in shares.values()) == one.totals.gross_ms
    assert {name: share.counted_ms for name, share in shares.items() if share.counted_ms} == dict(one.causes)
    told = [outage.net_causes or {} for outage in one.outages]
    assert {name: sum(each.get(name, 0) for each in told) for name in one.causes} == dict(one.causes)


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_what_is_not_observed_is_where_the_unknown_would_decide(seed: int) -> None:
    case = Maker(seed).case()
    account, moments = _derived(case), _moments(case)
    for t, moment in enumerate(moments):
        assert (t in account.unobserved) == moment.unobserved, t


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(1, END - 1))
def test_a_group_whose_members_all_come_later_changes_nothing_before(seed: int, since: int) -> None:
    catalogue, known, excluded, declared = Maker(seed).case()
    (service,) = catalogue.services
    later = Group("s/later", "later", Dated.always("server"), (Member((next(service.checks()),), since),))
    with_later = replace(catalogue, services=(replace(service, groups=(*service.groups, later)),))
    before = _derived((catalogue, known, excluded, declared)).clip(0, since)
    after = _derived((with_later, known, excluded, declared)).clip(0, since)
    for what in ("gross", "net", "left", "unobserved", "degraded", "presumed", "service_time", "variants"):
        assert getattr(before, what) == getattr(after, what), what


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_gross_less_everything_excluded_is_counted_to_the_millisecond(seed: int) -> None:
    case = Maker(seed).case()
    (one,) = derive(_case(case), Period("p", 0, END)).services
    totals = one.totals
    assert totals.excluded_ms is not None
    assert totals.gross_ms - sum(totals.excluded_ms.values()) == totals.counted_ms
    assert totals.certain_ms <= totals.counted_ms <= totals.possible_ms
    assert sum(outage.counted_ms for outage in one.outages) == totals.counted_ms
    assert sum(one.causes.values()) == totals.counted_ms
