"""The engine's set algebra against the oracle that looks at one instant after another."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.downtime.accounts import REASONS, Account
from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration, Exclusion, Group, NodeEntry, Service
from detak_collector.downtime.derive import Case, derive
from detak_collector.downtime.facts import Facts, Node, Stated
from detak_collector.downtime.periods import Period
from downtime_cases import UTC
from instant_oracle import Moment, Oracle, plain

END = 24
COUNTED = ("planned", "preventive", "third_party", "measurement_error")
CHECKS = ["a/x", "a/y", "b/x", "b/y", "c/x"]
SCOPES = [("all", "all"), ("service", "s"), ("site", "DC"), ("group", "s/g0"), ("node", "a"), ("node", "b")]
SCOPES += [("check", check) for check in CHECKS] * 2

Given = tuple[Catalogue, Facts, tuple[Exclusion, ...], tuple[Declaration, ...]]


class Maker:
    """Makes dense cases from a seed: much is down and much is excluded at once, so that coincidences are common."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def case(self, *, with_probes: bool = True) -> Given:
        count = self.random.randint(0 if with_probes else 1, 3)
        groups = tuple(self._group(f"g{place}") for place in range(count))
        probes = [self.random.choice(CHECKS)] if with_probes and (not groups or self.random.random() < 0.7) else []
        service = Service("s", "S", Dated.always("sangat kritis"), groups, tuple(map(plain, probes)))
        counted = self.random.choice([COUNTED, COUNTED, COUNTED[:2], ()])
        catalogue = Catalogue("org", "UTC", (service,), (NodeEntry("a", site="DC"),), counted_exclusions=counted)
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
        rule = self.random.choice(["all_down", "any_down", "k_of_n"])
        k = Dated.always(self.random.randint(1, len(checks)))
        dated = Dated.always(rule) if len(checks) > 1 else None
        third_party = name != "g0" and self.random.random() < 0.4
        return Group(f"s/{name}", name, "database", tuple(map(plain, checks)), dated, k, third_party=third_party)

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
    (one,) = derive(_case(given_), Period("p", 0, END)).services
    assert one.joined is not None
    return one.joined


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


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_what_is_not_observed_is_where_the_unknown_would_decide(seed: int) -> None:
    case = Maker(seed).case(with_probes=False)
    account, moments = _derived(case), _moments(case)
    for t, moment in enumerate(moments):
        assert (t in account.unobserved) == moment.unobserved, t


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
