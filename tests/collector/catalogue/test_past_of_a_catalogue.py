"""What two catalogues say differently of the time before a moment; where that is nothing, no figure of it differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.catalogue.organisation import parse_beside
from detak_collector.catalogue.past import differences
from detak_collector.downtime.catalogue import Catalogue, Dated, Member, Service, Unit
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.facts import Stated
from detak_collector.downtime.periods import Period
from downtime_cases import DAY, HOUR, UTC, facts, group, service, stated

BEGIN = 1_735_689_600_000
"""1 January 2025."""
NOW = BEGIN + 100 * DAY
CHECKS = ("a/x", "a/y", "b/x", "b/z")

TOP = 'organisation = "DJBC"\ntimezone = "Asia/Jakarta"\n'
WEB = '[[service]]\nid = "web"\ncriticality = "sangat kritis"\nprobes = ["a/web"]\n'
HOURS = 'hours = "kantor"\n'
KANTOR = '[[calendar]]\nid = "kantor"\nweekly = { mon-fri = "07:30-17:00" }\nholidays = "libur.csv"\n'
TABLE = "date,name,kind,decree\n2025-01-01,Tahun Baru,national,SKB\n2025-01-28,Cuti,joint-leave,SKB\n"


def said(before: str, after: str, *tables: str, moment: int = NOW) -> list[str]:
    old, new = (
        parse_beside(text, "services.toml", lambda _, table=table: table)  # type: ignore[misc]
        for text, table in zip((before, after), (tables * 2)[:2] or (None, None), strict=True)
    )
    return list(differences(old, new, moment))


def test_a_comment_a_name_and_what_is_public_say_nothing_of_the_past() -> None:
    after = "# for Budi\n" + TOP.replace("DJBC", "Bea Cukai") + WEB + 'name = "CEISA"\npublic = true\n'
    assert said(TOP + WEB, after) == []


def test_a_service_from_a_date_ahead_says_nothing_of_the_past_and_one_without_a_date_does() -> None:
    dated = WEB.replace('"web"', '"api"').replace('"sangat kritis"', '[{ value = "sangat kritis", from = 2025-05-01 }]')
    assert said(TOP + WEB, TOP + WEB + dated) == []
    assert said(TOP + WEB, TOP + WEB + dated, moment=NOW + 60 * DAY) == [
        "service api: is new, and read for the time before too: date its criticality"
    ]


def test_a_second_member_from_now_on_may_bring_the_rule_that_it_needs() -> None:
    alone = WEB + '[[service.group]]\nname = "db"\ncategory = "database"\nmembers = ["a/pg"]\n'
    ahead = alone.replace('["a/pg"]', '["a/pg", { check = "b/pg", from = 2025-05-01 }]\nrule = "ha"')
    assert said(TOP + alone, TOP + ahead) == []
    assert said(TOP + alone, TOP + ahead.replace("2025-05-01", "2025-03-01")) == [
        "service web: members of web/db",
        "service web: rule of web/db",
        "service web: node b",
    ]


def test_the_tables_of_next_year_are_filled_without_asking_and_a_past_holiday_is_not() -> None:
    text = TOP + WEB + HOURS + KANTOR
    ahead = TABLE + "2026-01-01,Tahun Baru,national,SKB\n2026-03-20,Cuti,joint-leave,SKB\n"
    assert said(text, text, TABLE, ahead) == []
    past = TABLE + "2025-02-03,Libur,national,SKB\n"
    assert said(text, text, TABLE, past) == ["service web: hours"]
    assert said(text, text, TABLE, TABLE.replace(",SKB", ",SKB 1497")) == []


def test_joint_leave_of_a_year_that_had_no_figure_for_want_of_it_changes_no_figure() -> None:
    text = TOP + WEB + HOURS + KANTOR
    unfilled = TABLE.replace("2025", "2024")
    assert said(text, text, unfilled, unfilled + TABLE.partition("\n")[2]) == []
    assert said(text, text, TABLE, TABLE.replace("joint-leave", "national")) == ["service web: hours"]


def test_a_calendar_of_another_name_with_the_same_hours_is_the_same() -> None:
    text = TOP + WEB + HOURS + KANTOR
    assert said(text, text.replace("kantor", "jam-kerja"), TABLE, TABLE) == []


def test_each_rule_of_the_organisation_is_told_by_its_key() -> None:
    changed = {
        "target_percent": "0.2", "planned_in_denominator": "false", "ha_rule": '"all_down"',
        "minimum_outage_ms": "1000", "incident_gap_ms": "1", "freeze_degraded_below_ms": "1",
        "counted_exclusions": '["planned"]',
    }  # fmt: skip
    for key, value in changed.items():
        assert said(TOP + WEB, f"{TOP}{key} = {value}\n{WEB}") == [key]
    assert said(TOP + WEB, TOP.replace("Jakarta", "Jayapura") + WEB) == ["timezone"]
    # A word that no service ever had counts nothing.
    assert said(TOP + WEB, f'{TOP}counted_criticality = ["sangat kritis", "kritis"]\n{WEB}') == []
    assert said(TOP + WEB, f'{TOP}counted_criticality = ["kritis"]\n{WEB}') == ["service web: whether it is counted"]


def test_a_witness_and_a_retirement_are_told_with_the_service_that_they_bear_on() -> None:
    node = '[[node]]\nname = "a"\nwitnesses = ["b/ping"]\n'
    assert said(TOP + WEB, TOP + WEB + node) == ["service web: node a", "service web: node b"]
    retired = '[[node]]\nname = "a"\nretired = "{}"\n'
    assert said(TOP + WEB, TOP + WEB + retired.format("2025-06-01")) == []
    assert said(TOP + WEB, TOP + WEB + retired.format("2025-02-01")) == ["service web: node a"]


def test_another_unit_is_another_figure_and_one_that_goes_or_changes_is_told() -> None:
    text = TOP + WEB + WEB.replace('"web"', '"api"')
    unit = '[[unit]]\nid = "u"\nservices = ["web"]\n'
    assert said(text, text + unit) == []
    assert said(text + unit, text) == ["unit u: is gone"]
    assert said(text + unit, text + unit.replace('"web"', '"web", "api"')) == ["unit u: services"]


def test_a_service_that_is_gone_is_told() -> None:
    assert said(TOP + WEB + WEB.replace('"web"', '"api"'), TOP + WEB) == ["service api: is gone"]


class Change:
    """A catalogue of three services on four checks, and another one that differs in one or two things, from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.before = Catalogue(
            Dated.always("org"), "UTC", tuple(self._service(f"s{number}") for number in range(3)),
            counted_criticality=("sangat kritis", "kritis"), units=(Unit("u", "u", ("s0", "s1")),),
        )  # fmt: skip
        self.after = self.before
        for _ in range(self.random.randint(1, 2)):
            self.after = self.random.choice(self._changes())(self.after)
        self.facts = facts({check: self._history(check) for check in CHECKS})

    def result(self, catalogue: Catalogue) -> Result:
        return derive(Case(catalogue, UTC, self.facts, (), as_of=NOW), Period("p", BEGIN, NOW))

    def _service(self, name: str) -> Service:
        members = self.random.sample(CHECKS, self.random.randint(1, 3))
        rule = self.random.choice(["all_down", "any_down", "lowest_member", "ha"]) if len(members) > 1 else None
        return service(replace(group(members, rule), key=f"{name}/g"), name=name, probes=self.random.sample(CHECKS, 1))

    def _history(self, check: str) -> list[Stated]:
        down, unseen = ([self._stretch() for _ in range(self.random.randint(0, 6))] for _ in range(2))
        return stated(check, BEGIN, NOW, down=down, unseen=unseen)

    def _stretch(self) -> tuple[int, int]:
        begin = BEGIN + self.random.randrange(100 * DAY)
        return begin, min(NOW, begin + self.random.choice([HOUR, 3 * DAY, 20 * DAY]))

    def _date(self) -> int:
        return NOW + self.random.randint(-40, 40) * DAY

    def _dated(self, before: Dated[str], value: str) -> Dated[str]:
        at = self._date()
        return Dated(((None, at, before.value_at(BEGIN)), (at, None, value)))

    def _changes(self) -> list[Callable[[Catalogue], Catalogue]]:
        return [
            lambda one: replace(one, organisation=Dated.always("other")),
            lambda one: replace(one, target_percent=Dated.always(Fraction(self.random.randint(1, 2), 10))),
            lambda one: replace(one, ha_rule=self._dated(Dated.always("lowest_member"), "all_down")),
            lambda one: replace(one, counted_criticality=self.random.choice([("sangat kritis",), ("kritis",)])),
            lambda one: replace(one, minimum_outage_ms=Dated(((None, at := self._date(), 0), (at, None, 2 * HOUR)))),
            lambda one: replace(one, services=one.services[:-1]),
            lambda one: replace(one, services=(*one.services, self._new())),
            lambda one: self._with(one, self._criticality),
            lambda one: self._with(one, self._joined),
            lambda one: self._with(one, self._left),
            lambda one: self._with(one, self._reordered),
            lambda one: self._with(one, lambda each: replace(each, name=Dated.always("renamed"))),
            lambda one: self._with(one, lambda each: replace(each, probe_guard=Dated.always(value=False))),
        ]

    def _new(self) -> Service:
        at = self._date()
        return replace(self._service("new"), criticality=Dated(((at, None, "sangat kritis"),)))

    def _with(self, one: Catalogue, change: Callable[[Service], Service]) -> Catalogue:
        at = self.random.randrange(len(one.services))
        return replace(one, services=tuple(change(each) if n == at else each for n, each in enumerate(one.services)))

    def _criticality(self, one: Service) -> Service:
        now = one.criticality.at(BEGIN)
        return one if now is None else replace(one, criticality=self._dated(one.criticality, "rendah"))

    def _members(self, one: Service, members: tuple[Member, ...]) -> Service:
        (its,) = one.groups
        rule = its.rule or Dated.always(self.random.choice(["all_down", "lowest_member"]))
        return replace(one, groups=(replace(its, members=members, rule=rule),))

    def _joined(self, one: Service) -> Service:
        members = one.groups[0].members
        free = [check for check in CHECKS if (check,) not in {each.checks for each in members}]
        return self._members(one, (*members, Member((self.random.choice(free),), self._date()))) if free else one

    def _left(self, one: Service) -> Service:
        first, *rest = one.groups[0].members
        return self._members(one, (replace(first, until=max(self._date(), (first.since or BEGIN) + 1)), *rest))

    def _reordered(self, one: Service) -> Service:
        return self._members(one, tuple(reversed(one.groups[0].members)))


def numbers(result: Result, names: set[str]) -> object:
    """Everything but what the members of a group say of an outage, of which those to come are asked too."""
    services = [one for one in result.services if one.service.id in names]
    return (
        result.figure,
        result.target_percent,
        dict(result.beside),
        [(one.service.id, one.criticality, one.totals, dict(one.causes), one.beside) for one in services],
        [outage._replace(said=()) for one in services for outage in one.outages],
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**48))
def test_what_is_taken_at_once_changes_no_figure_of_the_past(seed: int) -> None:
    change = Change(seed)
    if not differences(change.before, change.after, NOW):
        names = {one.id for one in change.before.services}
        assert numbers(change.result(change.before), names) == numbers(change.result(change.after), names)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**48))
def test_a_catalogue_says_nothing_else_than_itself_and_differing_is_mutual(seed: int) -> None:
    change = Change(seed)
    assert differences(change.before, change.before) == ()
    there, back = differences(change.before, change.after, NOW), differences(change.after, change.before, NOW)
    assert bool(there) == bool(back)
