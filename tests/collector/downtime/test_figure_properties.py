"""What holds of every figure, whatever the evidence: its parts add up, at any time, over any months."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.downtime.accounts import OUTSIDE_HOURS
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Service
from detak_collector.downtime.days import days_of
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.facts import Facts, Stated
from detak_collector.downtime.figure import summed
from detak_collector.downtime.periods import Period, months
from detak_collector.downtime.shares import added
from downtime_cases import DAY, HOUR, UTC, excluded, facts, group, service, stated

BEGIN = 1_735_689_600_000
"""1 January 2025."""
END = BEGIN + 365 * DAY
YEAR = Period("2025", BEGIN, END)
CHECKS = ("a/x", "a/y", "b/x", "b/z")
INSTANT_RULES = ("all_down", "any_down")

SEEDS = st.integers(0, 2**48)


class Estate:
    """Three services on four checks, a year of what was seen of them, and some exclusions, from a seed."""

    def __init__(self, seed: int, rules: tuple[str, ...] = (*INSTANT_RULES, "lowest_member")) -> None:
        self.random = Random(seed)
        self.services = tuple(self._service(f"s{number}", rules) for number in range(3))
        self.history = {check: self._history(check) for check in CHECKS}
        self.exclusions = tuple(self._exclusion() for _ in range(self.random.randint(0, 6)))

    def _service(self, name: str, rules: tuple[str, ...]) -> Service:
        members = self.random.sample(CHECKS, self.random.randint(1, 3))
        rule = self.random.choice(rules) if len(members) > 1 else None
        return service(group(members, rule), name=name, probes=[self.random.choice(CHECKS)])

    def _history(self, check: str) -> list[Stated]:
        down, unseen = ([self._stretch() for _ in range(self.random.randint(0, 12))] for _ in range(2))
        return stated(check, BEGIN, END, down=down, unseen=unseen)

    def _stretch(self) -> tuple[int, int]:
        begin = BEGIN + self.random.randrange(365 * DAY)
        return begin, min(END, begin + self.random.choice([1, HOUR, 3 * DAY, 40 * DAY]) + self.random.randrange(HOUR))

    def _exclusion(self) -> Exclusion:
        begin, end = self._stretch()
        category = self.random.choice(["planned", "preventive", "measurement_error"])
        scope = self.random.choice([{"check": self.random.choice(CHECKS)}, {"service": "s1"}, {"node": "a"}])
        return excluded(begin, end, category=category, **scope)

    def case(self, known: Facts | None = None) -> Case:
        catalogue = Catalogue(Dated.always("org"), "UTC", self.services)
        return Case(catalogue, UTC, known or facts(self.history), self.exclusions, as_of=END)


def by_month(estate: Estate) -> list[Result]:
    return [derive(estate.case(), Period("m", *month), beside=False) for month in months(BEGIN, END, UTC)]


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_year_is_the_sum_of_its_months(seed: int) -> None:
    estate = Estate(seed)
    whole, parts = derive(estate.case(), YEAR, beside=False), by_month(estate)
    assert whole.figure == summed(part.figure for part in parts)
    for place, one in enumerate(whole.services):
        assert one.totals == summed(part.services[place].totals for part in parts)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_every_millisecond_of_a_year_is_in_one_class(seed: int) -> None:
    estate = Estate(seed)
    result = derive(estate.case(), YEAR, beside=False)
    for one in result.services:
        totals = one.totals
        days = [day for month in result.details for day in days_of(month.accounts[one.service.id], UTC)]
        assert len(days) == 365
        assert all(day.service_time_ms == DAY for day in days)
        classes = [(day.counted_ms, day.excluded_ms, day.unobserved_ms, day.degraded_ms) for day in days]
        assert all(sum(day) <= DAY and min(day) >= 0 for day in classes)
        assert sum(day[0] for day in classes) == totals.counted_ms
        assert totals.excluded_ms is not None
        assert sum(day[1] for day in classes) == sum(totals.excluded_ms.values()) - totals.excluded_ms[OUTSIDE_HOURS]


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_certain_counted_and_possible_nest_in_every_account_and_in_every_layers_share(seed: int) -> None:
    result = derive(Estate(seed).case(), YEAR, beside=False)
    for month in result.details:
        for account in month.accounts.values():
            assert account.net.is_nested
            assert account.gross.is_nested
    for one in result.services:
        totals, shares = one.totals, added([month.shares or {} for month in one.months]).values()
        assert totals.certain_ms <= totals.counted_ms <= totals.possible_ms
        assert all(each.certain_ms <= each.counted_ms <= each.possible_ms for each in shares)
        assert sum(each.counted_ms for each in shares) == totals.counted_ms
        assert sum(each.gross_ms for each in shares) == totals.gross_ms
        assert sum(each.certain_ms for each in shares) <= totals.certain_ms
        assert totals.possible_ms <= sum(each.possible_ms for each in shares)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_what_two_collectors_each_know_a_part_of_is_the_same_when_put_together_in_any_order(seed: int) -> None:
    estate = Estate(seed)
    first: dict[str, list[Stated]] = {check: [] for check in CHECKS}
    second: dict[str, list[Stated]] = {check: [] for check in CHECKS}
    for check, known in estate.history.items():
        for fact in known:
            for side in estate.random.choice([(first,), (second,), (first, second)]):
                side[check].append(fact)
    together = facts({check: [*second[check], *first[check]] for check in reversed(CHECKS)})
    apart = derive(estate.case(), YEAR, beside=False)
    joined = derive(estate.case(together), YEAR, beside=False)
    assert (joined.figure, joined.services, joined.incidents) == (apart.figure, apart.services, apart.incidents)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(-400, 400))
def test_under_instant_rules_the_same_year_on_other_days_comes_to_the_same(seed: int, days: int) -> None:
    estate, by = Estate(seed, INSTANT_RULES), days * DAY
    moved = Estate(seed, INSTANT_RULES)
    moved.history = {
        check: [Stated(one.check, one.state, one.first_utc + by, one.last_utc + by) for one in known]
        for check, known in estate.history.items()
    }
    moved.exclusions = tuple(_moved(one, by) for one in estate.exclusions)
    case, year = moved.case(), Period("p", BEGIN + by, END + by)
    there = derive(replace(case, as_of=END + by), year, beside=False)
    here = derive(estate.case(), YEAR, beside=False)
    assert there.figure == here.figure
    assert [[(one.begin - by, one.end - by, one.counted_ms) for one in each.outages] for each in there.services] == [
        [(one.begin, one.end, one.counted_ms) for one in each.outages] for each in here.services
    ]


def _moved(one: Exclusion, by: int) -> Exclusion:
    return replace(one, begin=one.begin + by, end=one.end + by)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_more_true_facts_never_widen_the_bounds(seed: int) -> None:
    estate = Estate(seed, INSTANT_RULES)
    whole = {check: stated(check, BEGIN, END, down=_downs(known)) for check, known in estate.history.items()}
    less, more = estate.case(), estate.case(facts(whole))
    for before, after in zip(
        derive(less, YEAR, beside=False).services, derive(more, YEAR, beside=False).services, strict=True
    ):
        assert before.totals.certain_ms <= after.totals.certain_ms
        assert after.totals.possible_ms <= before.totals.possible_ms


def _downs(known: list[Stated]) -> list[tuple[int, int]]:
    return [(one.first_utc, one.last_utc) for one in known if one.state == "down"]
