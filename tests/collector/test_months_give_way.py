"""What is kept gives way to whatever bears on it, in whichever order two processes read, derive and keep."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import pytest

from detak_collector.clocks import Reading
from detak_collector.downtime.catalogue import Catalogue, Dated, NodeEntry, Service
from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.store.base import (
    Arrival,
    CaughtUp,
    DerivedMonth,
    DerivedMonths,
    EvidenceStore,
    News,
    StoreUnavailableError,
    Wanted,
)
from detak_collector.store.database import Connection
from detak_collector.store.derived import MOST
from detak_collector.store.noted import Since, since_mark
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_collector.store.touched import Touch, touched_between
from detak_collector.stored_months import View
from detak_wire.messages import Part, PreviousRun, Span, State
from downtime_cases import DAY, HOUR, MINUTE, group, service
from evidence_builders import RUN, START_UTC, beat, exchange, opening, reading, span

NOVEMBER = Period("2023-11", 1_698_796_800_000, 1_701_388_800_000)
DECEMBER = NOVEMBER.end - START_UTC
"""Its begin, in agent time."""
NODES = ("a", "b", "w")
MUCH_LATER = reading(DECEMBER + 50 * DAY)


def rules_of(*services: Service, nodes: Sequence[NodeEntry] = (), minimum_ms: int = 0) -> Rules:
    minimum = Dated.always(minimum_ms)
    return Rules(Catalogue(Dated.always("org"), "UTC", services, tuple(nodes), minimum_outage_ms=minimum))


ON_A = rules_of(service(group(["a/web"])))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path, reading(0))
    for node in NODES:
        opened.registry.issue(node, node.encode(), START_UTC + DAY, reading(0))
        opened.registry.redeem(node.encode(), node, node.encode() * 9, reading(0))
    watch = opened.watch.begin(reading(0))
    opened.watch.extend(watch, MUCH_LATER)
    yield opened
    opened.close()


def tell(store: SqliteStore, at: int, part: Part, node: str = "a") -> None:
    (receipt,) = store.evidence.commit([Arrival(node, beat(part, sent=at, run=part.run, node=node), reading(at))])
    assert not isinstance(receipt, Exception), receipt


def seen(number: int, first: int, length: int = MINUTE, state: State = "up", check: str = "web") -> Span:
    return span(number, check, first, length // 1_000 + 1, state=state, closed=True)


def a_quiet_month(store: SqliteStore, node: str = "a", *, without: int = 0) -> None:
    """Its two spans a day reach ten days into December; the record `without` has not arrived."""
    spans = [
        seen(2 * day + place, HOUR + day * (DAY - 1_000), DAY - 1_000, check=check)
        for day in range(26)
        for place, check in enumerate(("alive", "web"), start=1)
    ]
    for one in spans:
        if one.number != without:
            tell(store, one.last_end + 1_000, Part(RUN, opening(), [one]), node)


DOWN_FOR_A_DAY = seen(22, HOUR + 10 * (DAY - 1_000), DAY - 1_000, "down")


def figures(evidence: EvidenceStore, derived: DerivedMonths, store: SqliteStore, rules: Rules) -> Figures:
    return Figures(evidence, derived, store.registry, lambda: rules, lambda: MUCH_LATER)


def report(store: SqliteStore, rules: Rules = ON_A, derived: DerivedMonths | None = None) -> Result:
    return figures(store.evidence, derived or store.derived, store, rules).report(NOVEMBER)


def counted_ms(result: Result) -> int:
    return result.services[0].totals.counted_ms


class Around:
    """What is kept, as it is."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store

    def catch_up(self) -> CaughtUp:
        return self.store.derived.catch_up()

    def news(self, since: int) -> News:
        return self.store.derived.news(since)

    def load(self, wanted: Sequence[Wanted], *, days: bool) -> list[DerivedMonth]:
        return self.store.derived.load(wanted, days=days)

    def disposed(self, wanted: Sequence[Wanted], known_at: int | None = None) -> list[DerivedMonth]:
        return self.store.derived.disposed(wanted, known_at)

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        return self.store.derived.keep(months, mark)


class Overtaken(Around):
    """A fact arrives right before the month is kept, and another process takes note of it."""

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        tell(self.store, MUCH_LATER.boottime, Part(RUN, spans=[DOWN_FOR_A_DAY]))
        many = [exchange(100 + at, DECEMBER + 5 * DAY + at) for at in range(1_100)]
        tell(self.store, MUCH_LATER.boottime, Part(RUN, exchanges=many))
        self.store.derived.catch_up()
        return super().keep(months, mark)


class Full(Around):
    """On a full disk nothing can be kept."""

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        raise StoreUnavailableError("disk full")


class Locked(Full):
    """Nor can be noted what is new."""

    def catch_up(self) -> CaughtUp:
        raise StoreUnavailableError("database is locked")


def test_a_fact_that_arrives_while_a_month_is_derived_is_not_overlooked(store: SqliteStore) -> None:
    a_quiet_month(store, without=DOWN_FOR_A_DAY.number)
    assert counted_ms(report(store, derived=Overtaken(store))) == 0
    assert counted_ms(report(store)) >= DAY - 2_000


def tell_many(store: SqliteStore, count: int, first: int = 100) -> None:
    """Facts that bear on December alone."""
    many = [exchange(first + at, DECEMBER + 5 * DAY + first + at) for at in range(count)]
    tell(store, MUCH_LATER.boottime, Part(RUN, exchanges=many))


@pytest.fixture
def meanwhile(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """A beat is taken each time that thousands of facts are looked at; the facts of each time."""
    looked: list[tuple[int, int]] = []

    def look(connection: Connection, since: int, until: int, nodes: Container[str] | None = None) -> Iterator[Touch]:
        touches = list(touched_between(connection, since, until, nodes))
        if until - since > MOST:
            tell(store, MUCH_LATER.boottime, Part(RUN, exchanges=[exchange(20_000 + len(looked), MUCH_LATER.boottime)]))
            looked.append((since, until))
        return iter(touches)

    for module in ("derived", "noted"):
        monkeypatch.setattr(f"detak_collector.store.{module}.touched_between", look)
    return looked


def test_beats_are_taken_while_it_is_looked_at_what_thousands_of_facts_bear_upon(
    store: SqliteStore, meanwhile: list[tuple[int, int]]
) -> None:
    a_quiet_month(store)
    report(store)
    mark = store.derived.catch_up().mark
    tell_many(store, MOST + 100)
    assert store.derived.keep([], mark)
    assert [since for since, _ in meanwhile] == [mark, mark]


def test_what_thousands_of_facts_bear_upon_is_written_down_in_parts(
    store: SqliteStore, meanwhile: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detak_collector.store.noted.PART", MOST + 50)
    a_quiet_month(store)
    tell_many(store, 1)
    report(store)
    tell_many(store, 3 * MOST, 200)
    mark = store.derived.catch_up().mark
    assert [until - since for since, until in meanwhile] == [MOST + 50] * 2
    assert mark >= meanwhile[0][0] + 3 * MOST
    assert asked(store) == 0


def test_numbers_that_leave_a_wide_gap_are_no_facts_to_look_through(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_quiet_month(store)
    tell_many(store, 1)
    report(store)
    mark = store.derived.catch_up().mark
    tell_many(store, 2, 200)
    with store.database.writing() as connection:
        connection.execute("UPDATE exchange SET sequence = sequence + ? WHERE number = 201", (10**12,))
    parts: list[int] = []

    def counted(connection: Connection, until: int) -> Since:
        parts.append(until)
        return since_mark(connection, until)

    monkeypatch.setattr("detak_collector.store.derived.since_mark", counted)
    assert store.derived.catch_up().mark > 10**12
    assert store.derived.put([], mark)
    assert len(parts) == 2


def test_a_month_is_not_kept_where_too_much_has_come_to_look_at_while_beats_wait(store: SqliteStore) -> None:
    a_quiet_month(store)
    mark = store.derived.catch_up().mark
    assert store.derived.put([], mark)
    tell_many(store, MOST + 100)
    assert not store.derived.put([], mark)


@pytest.mark.parametrize("kind", [Full, Locked])
def test_a_report_is_printed_though_nothing_can_be_kept(store: SqliteStore, kind: type[Around]) -> None:
    a_quiet_month(store)
    told = report(store, derived=kind(store))
    assert told == report(store)


def test_nothing_that_is_kept_is_trusted_while_the_store_cannot_say_what_is_new(store: SqliteStore) -> None:
    a_quiet_month(store, without=DOWN_FOR_A_DAY.number)
    assert counted_ms(report(store)) == 0
    tell(store, MUCH_LATER.boottime, Part(RUN, spans=[DOWN_FOR_A_DAY]))
    assert counted_ms(report(store, derived=Locked(store))) >= DAY - 2_000


def asked(store: SqliteStore, rules: Rules = ON_A) -> int:
    """How many months a report derives."""

    class Counting:
        count = 0

        def facts(self, *given: object, **more: object) -> object:
            self.count += bool(given[3])
            return store.evidence.facts(*given, **more)  # type: ignore[arg-type]

    counting = Counting()
    figures(counting, store.derived, store, rules).report(NOVEMBER)  # type: ignore[arg-type]
    return counting.count


def test_an_agent_that_is_started_again_leaves_the_months_before_kept(store: SqliteStore) -> None:
    a_quiet_month(store)
    tell(store, DECEMBER, Part(RUN, exchanges=[exchange(90, DECEMBER + 9 * DAY)]))
    asked(store)
    at = MUCH_LATER.boottime - DAY
    opened = opening(opened=at, previous=PreviousRun(RUN, "0b007000", DECEMBER + 10 * DAY, 90))
    tell(store, at + 5_000, Part("bbbb0001", opened, exchanges=[exchange(1, at + 1_000)]))
    assert asked(store) == 0


def test_what_a_second_agent_of_the_same_name_saw_is_taken_in_however_late(store: SqliteStore) -> None:
    a_quiet_month(store)
    tell(store, 5 * DAY, Part("cccc0001", opening(opened=5 * DAY)))
    before = report(store)
    tell(store, MUCH_LATER.boottime, Part("cccc0001", spans=[seen(1, 5 * DAY, HOUR, "down")]))
    after = report(store)
    assert after != before
    assert after == report(store, derived=Locked(store))


def test_a_service_derived_by_itself_is_what_it_is_among_others(store: SqliteStore) -> None:
    for node in NODES:
        a_quiet_month(store, node)
    nodes = (NodeEntry("a", witnesses=("w/web",)), NodeEntry("w", references=("b/web",)))
    alone, other = service(group(["a/web"])), service(group(["b/web"]), name="other")
    view = View(store.evidence, rules_of(alone, other, nodes=nodes), MUCH_LATER)
    cell = NOVEMBER.begin, NOVEMBER.end
    both, one = view.month(NOVEMBER, cell), view.only([alone]).month(NOVEMBER, cell)
    assert {"a/web", "b/web", "w/web"} <= one.readings.keys()
    assert all(both.readings[check] == reading for check, reading in one.readings.items())


@pytest.mark.parametrize(("minimum_ms", "months"), [(10 * MINUTE, 1), (0, 0)])
def test_evidence_of_the_next_month_bears_on_a_month_only_where_outages_have_a_minimum_length(
    store: SqliteStore, minimum_ms: int, months: int
) -> None:
    # Which member has the least in December decides how long an outage went on that began in November.
    rules = rules_of(service(group(["a/web", "b/web"], "lowest_member")), minimum_ms=minimum_ms)
    for node in ("a", "b"):
        a_quiet_month(store, node)
    asked(store, rules)
    assert asked(store, rules) == 0
    tell(store, MUCH_LATER.boottime, Part(RUN, spans=[seen(99, DECEMBER + 5 * DAY, HOUR, "down")]))
    assert asked(store, rules) == months


def silent_since(store: SqliteStore, at: int) -> None:
    tell(
        store,
        at + 1_000,
        Part(RUN, opening(), [seen(1, HOUR, at - HOUR, check="alive"), seen(2, HOUR, at - HOUR)]),
    )


def test_a_node_that_dies_right_before_a_month_ends_was_down_to_the_end(store: SqliteStore) -> None:
    silent_since(store, DECEMBER - 5_000)
    assert counted_ms(report(store)) == 4_000


def at_moment(moment: Reading, store: SqliteStore, period: Period) -> int:
    reports = Figures(store.evidence, store.derived, store.registry, lambda: ON_A, lambda: moment)
    return counted_ms(reports.report(period))


def test_a_node_that_has_long_been_dead_is_so_from_the_first_second_of_a_month(store: SqliteStore) -> None:
    silent_since(store, DECEMBER - DAY)
    december = Period("2023-12", NOVEMBER.end, NOVEMBER.end + 31 * DAY)
    assert at_moment(reading(DECEMBER + 3_000), store, december) == 3_000
