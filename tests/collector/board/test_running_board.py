"""The page's data follows the evidence, and derives no more than that asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from detak_collector.board.board import Condition, ServiceState
from detak_collector.board.running import RunningBoard
from detak_collector.clocks import Reading
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_collector.stored_months import View
from detak_wire.messages import Part, Span, State
from downtime_cases import DAY, MINUTE, group, service
from evidence_builders import RUN, START_UTC, arrival, beat, exchange, growth, opening, reading, span

NODES = ("n-1", "n-2")
WEB, MAIL = (service(group([f"{node}/web"]), name=name) for node, name in zip(NODES, ("web", "mail"), strict=True))
SECOND = 1_000
DECEMBER = 1_701_388_800_000


class Estate:
    """Two nodes with a check each, a service on each, and a page that is drawn now and then."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.now = 2_000
        self.asked: list[set[str]] = []
        self.nodes: list[str] = []
        self.cost_s = 1_000_000.0
        self.is_locked = False
        self._told_s = 0.0
        self._rules = Rules(Catalogue(Dated.always("org"), "UTC", (WEB, MAIL)))
        self.begins_anew()
        self._watch = store.watch.begin(reading(0))
        self._number = 2
        for node in NODES:
            self._tell(node, Part(RUN, opening(), [span(1, "alive"), span(2, "web", closed=True)]))

    def begins_anew(self) -> None:
        """The page is drawn from what is stored alone."""
        self._board = RunningBoard(self.store.derived, self.store.registry, timer=self._timer)

    def collector_restarts(self) -> None:
        """It was away until now."""
        self.begins_anew()
        self._watch = self.store.watch.begin(reading(self.now))

    def _timer(self) -> float:
        self._told_s += self.cost_s
        return self._told_s

    def _tell(self, node: str, part: Part) -> None:
        (receipt,) = self.store.evidence.commit([arrival(beat(part, sent=self.now, node=node))])
        assert not isinstance(receipt, Exception), receipt

    def facts(self, begin: int, end: int, now: Reading, checks: Collection[str], **more: object) -> Facts:
        """The store's, noting what was asked for."""
        if self.is_locked:
            raise StoreUnavailableError("database is locked")
        names = {check for check in checks if not check.endswith("/alive")}
        self.asked += [names] if names else []
        return self.store.evidence.facts(begin, end, now, checks, **more)  # type: ignore[arg-type]

    def beat(self, *nodes: str) -> None:
        """Nothing new, a second later, from these nodes."""
        self.now += SECOND
        samples = 1 + (self.now - 2_000) // SECOND
        for node in nodes:
            self._tell(node, Part(RUN, growths=[growth(span(1, "alive", samples=samples), self.now)]))

    def turn(self, node: str, state: State, at: int | None = None) -> None:
        """The node's check turned, now or earlier: a record of one sample."""
        first = self.now if at is None else at
        self._record(node, span(self._next_number(), first=first, state=state, closed=True))

    def is_found_to_have_run_before(self, node: str, at: int) -> None:
        """A run of which nobody knew, and what it saw fail: all months may rest on it."""
        spans = [span(number, first=at + number * 4_000, state="down", closed=True) for number in (1, 2)]
        self._tell(node, Part("bbbb0001", opening(opened=at), spans))

    def exchanges(self, node: str, times: int) -> None:
        """The node learns so often what time it is."""
        made = [exchange(self._next_number(), self.now + at) for at in range(times)]
        self._tell(node, Part(RUN, exchanges=made))

    def begin(self, node: str, state: State) -> None:
        """The node's check says so from now on; what it said before has not been delivered yet."""
        self._record(node, span(self._next_number(), first=self.now, state=state))

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _record(self, node: str, one: Span) -> None:
        self._tell(node, Part(RUN, spans=[one]))

    def report(self, period: Period) -> None:
        """Another process tells of a period, and keeps what it derived."""
        at = reading(self.now + 20)
        store = self.store
        Figures(store.evidence, store.derived, store.registry, lambda: self._rules, lambda: at).report(period)

    def look(self) -> dict[str, ServiceState]:
        """The services as of now; `asked` has the checks that were derived for it."""
        self.asked.clear()
        at = reading(self.now + 20)
        self.store.watch.extend(self._watch, at)
        board = self._board.draw(View(self, self._rules, at))  # type: ignore[arg-type]
        self.nodes = [one.name for one in board.nodes]
        return {one.id: one for one in board.services}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    store = open_store(tmp_path, reading(0))
    for node in NODES:
        store.registry.issue(node, node.encode(), reading(0).utc + DAY, reading(0))
        store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
    try:
        yield Estate(store)
    finally:
        store.close()


def test_the_first_drawing_derives_every_service(estate: Estate) -> None:
    services = estate.look()
    assert estate.asked[-1] == {"n-1/web", "n-2/web"}
    assert {one.condition for one in services.values()} == {Condition.UP}


def test_all_nodes_are_shown_however_many_are_looked_at_at_once(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detak_collector.board.running.NODES_AT_ONCE", 1)
    estate.look()
    assert estate.nodes == list(NODES)


def test_a_quiet_beat_derives_nothing(estate: Estate) -> None:
    estate.look()
    estate.beat(*NODES)
    estate.look()
    assert estate.asked == []


def test_news_of_a_check_derive_the_services_that_rest_on_it(estate: Estate) -> None:
    estate.look()
    estate.beat(*NODES)
    estate.turn("n-1", "down")
    services = estate.look()
    assert estate.asked == [{"n-1/web"}]
    assert (services["web"].condition, services["mail"].condition) == (Condition.DOWN, Condition.UP)


def test_a_service_that_is_down_is_derived_again_because_its_outage_grows(estate: Estate) -> None:
    estate.turn("n-1", "down")
    first = estate.look()["web"].counted_ms
    estate.beat(*NODES)
    assert estate.look()["web"].counted_ms == first + SECOND
    assert estate.asked == [{"n-1/web"}]


def test_a_node_that_falls_silent_is_noticed_and_so_is_its_return(estate: Estate) -> None:
    estate.look()
    for _ in range(20):
        estate.beat("n-2")
    services = estate.look()
    assert estate.asked == [{"n-1/web"}]
    assert (services["web"].condition, services["mail"].condition) == (Condition.PRESUMED_DOWN, Condition.UP)
    estate.beat(*NODES)
    assert estate.look()["web"].condition is not Condition.PRESUMED_DOWN


def test_all_is_derived_again_when_that_takes_little_of_the_time(estate: Estate) -> None:
    estate.cost_s = 0.02
    estate.look()
    estate.now += 399
    estate.look()
    assert estate.asked == []
    estate.now += 1
    estate.look()
    assert estate.asked == [{"n-1/web", "n-2/web"}]


def test_a_month_that_begins_is_derived(estate: Estate) -> None:
    estate.look()
    estate.now = DECEMBER - START_UTC + MINUTE
    estate.look()
    assert estate.asked == [{"n-1/web", "n-2/web"}] * 2


def test_a_late_fact_of_a_closed_month_reaches_the_year(estate: Estate) -> None:
    estate.now = 30_000
    estate.turn("n-1", "up")
    estate.now = DECEMBER - START_UTC + 3 * DAY
    estate.turn("n-1", "up")
    before = estate.look()
    estate.turn("n-1", "down", at=60_000)
    estate.turn("n-1", "down", at=64_000)
    after = estate.look()
    assert after["web"].counted_ms == before["web"].counted_ms + 4_000
    assert {"n-1/web"} in estate.asked
    assert {"n-2/web"} not in estate.asked


def test_a_check_that_is_down_from_its_first_word_on_is_news(estate: Estate) -> None:
    estate.look()
    estate.beat(*NODES)
    estate.begin("n-1", "down")
    services = estate.look()
    assert estate.asked == [{"n-1/web"}]
    assert services["web"].condition is Condition.DOWN


def test_what_is_open_is_no_news_as_long_as_it_says_the_same(estate: Estate) -> None:
    estate.begin("n-1", "up")
    estate.look()
    estate.beat(*NODES)
    estate.turn("n-2", "up")
    estate.look()
    assert estate.asked == [{"n-2/web"}]


def test_a_drawing_that_failed_loses_no_news(estate: Estate) -> None:
    estate.look()
    estate.beat(*NODES)
    estate.turn("n-1", "down")
    estate.is_locked = True
    with pytest.raises(StoreUnavailableError):
        estate.look()
    estate.is_locked = False
    assert estate.look()["web"].condition is Condition.DOWN


def test_a_node_that_died_while_the_collector_was_away_is_noticed(estate: Estate) -> None:
    estate.now += 60 * SECOND
    estate.collector_restarts()
    for _ in range(3):
        estate.beat("n-2")
    assert estate.look()["web"].condition is Condition.UP
    for _ in range(20):
        estate.beat("n-2")
    assert estate.look()["web"].condition is Condition.PRESUMED_DOWN
    estate.beat("n-2")
    estate.look()
    assert {"n-2/web"} not in estate.asked


def test_what_another_process_has_derived_again_reaches_the_page(estate: Estate) -> None:
    year = Period("2023", DECEMBER - 334 * DAY, DECEMBER + 31 * DAY)
    estate.now = 30_000
    estate.turn("n-1", "up")
    estate.now = DECEMBER - START_UTC + 3 * DAY
    for node in NODES:
        estate.turn(node, "up")
    estate.exchanges("n-1", 1)
    estate.look()
    for node in NODES:
        estate.is_found_to_have_run_before(node, at=60_000)
    estate.report(year)
    # So much that the store notes how far it has come, and tidies up.
    estate.exchanges("n-1", 1_100)
    estate.report(year)
    seen = estate.look()
    estate.begins_anew()
    assert seen == estate.look()
