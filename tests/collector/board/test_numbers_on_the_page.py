"""The status page and the report call an outage by the same number, from its first second on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from detak_collector import catalogue
from detak_collector.board.board import Board
from detak_collector.clocks import Reading
from detak_collector.downtime.derive import Result
from detak_collector.downtime.history import Published
from detak_collector.downtime.incidents import SPLIT, Ruling
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import Found, Known
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.records import Records
from detak_collector.report.status import print_status
from detak_collector.rules import Rules
from detak_collector.store.base import Receipt, StoreUnavailableError
from detak_collector.store.outages import SqlOutages
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES, Renderer
from detak_wire.messages import Part
from evidence_builders import RUN, START_UTC, arrival, beat, exchange, reading, span
from outage_history import EVERY_MS, MINUTE_MS, SERVICES, fill

NOVEMBER = Period("2023-11", START_UTC - 86_400_000, START_UTC + 15 * 86_400_000)


class Register(SqlOutages):
    """The register of a disk that may be full: then it gives no number."""

    is_full = False

    def number(self, found: Sequence[Found], window: Interval, now: Reading) -> tuple[int, ...]:
        if self.is_full:
            raise StoreUnavailableError("database or disk is full")
        return super().number(found, window, now)


class Stage:
    """A store that is asked at chosen minutes."""

    def __init__(self, folder: Path) -> None:
        (folder / "services.toml").write_text(SERVICES)
        self.rules = Rules(catalogue.load(folder / "services.toml"))
        self.folder = folder
        self.now = reading(0)
        self.store: SqliteStore = open_store(folder, self.now)
        self.register = Register(self.store.database)
        self.figures = self._figures()

    def at(self, minute: int) -> Reading:
        self.now = reading(minute * MINUTE_MS)
        return self.now

    def page(self, minute: int) -> Board:
        self.at(minute)
        return self.figures.board_now()

    def report(self, minute: int, period: Period = NOVEMBER) -> Result:
        self.at(minute)
        return self.figures.report(period)

    def goes_on(self) -> None:
        """The node delivers one more minute, in which everything is up."""
        begin, sent = 2_000 + 305 * MINUTE_MS, 2_000 + 306 * MINUTE_MS
        spans = [
            span(11, "alive", begin, 60, closed=True),
            *(
                span(number, check, begin, 12, every=EVERY_MS, closed=True)
                for number, check in ((12, "web"), (13, "api"))
            ),
        ]
        message = beat(Part(RUN, spans=spans, exchanges=[exchange(14, sent)]), sent=sent)
        (receipt,) = self.store.evidence.commit([arrival(message)])
        assert isinstance(receipt, Receipt)

    def started_again(self) -> None:
        self.figures = self._figures()

    def fills_up(self) -> None:
        """The disk is full."""
        self.register.is_full = True

    def has_room(self) -> None:
        """It no longer is."""
        self.register.is_full = False

    def _figures(self) -> Figures:
        records = Records(self.register, self.store.history)
        store = self.store
        return Figures(store.evidence, store.derived, store.registry, lambda: self.rules, lambda: self.now, records)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    fill(tmp_path, {"web": [(60, 68), (300, 305)], "api": [(67, 75)]}, 305)
    stage = Stage(tmp_path)
    yield stage
    stage.store.close()


def by_begin(board: Board) -> dict[int, int | None]:
    return {one.begin: one.number for one in (*board.running, *board.recent)}


def reported(result: Result) -> dict[int, int | None]:
    return {outage.begin: result.numbers[outage.key] for one in result.services for outage in one.outages}


def test_page_and_report_agree_whoever_was_first(stage: Stage) -> None:
    page = by_begin(stage.page(305))
    assert page == reported(stage.report(305))
    assert sorted(page.values(), key=str) == [1, 2, 3]
    assert by_begin(stage.page(306)) == page


def test_on_a_full_disk_a_new_outage_has_no_number_until_there_is_room(stage: Stage) -> None:
    stage.fills_up()
    assert set(by_begin(stage.page(305)).values()) == set(reported(stage.report(305)).values()) == {None}
    stage.has_room()
    assert sorted(by_begin(stage.page(306)).values(), key=str) == [1, 2, 3]


def test_an_outage_keeps_its_number_when_it_ends_and_when_the_collector_starts_again(stage: Stage) -> None:
    (running,) = stage.page(305).running
    assert running.number == 3
    stage.started_again()
    assert next(one.number for one in stage.page(306).running) == 3
    assert reported(stage.report(306))[running.begin] == 3


def test_when_an_outage_ends_on_the_page_the_register_knows_it(stage: Stage) -> None:
    (running,) = stage.page(305).running
    stage.goes_on()
    latest = stage.page(307).recent[0]
    assert (latest.number, latest.begin) == (3, running.begin)
    assert stage.store.outages.known(3) == Known(3, "portal", running.begin, latest.end or 0)


def test_an_earlier_moment_is_told_the_numbers_of_now_and_gives_none_away(stage: Stage) -> None:
    records = Records(stage.store.outages, stage.store.history)
    store = stage.store
    stage.at(305)
    bare = Figures(store.evidence, store.derived, store.registry, lambda: stage.rules, lambda: stage.now)
    early = bare.report(NOVEMBER)
    assert set(reported(records.recall(early)).values()) == {None}
    later = reported(stage.report(305))
    assert reported(records.recall(early)) == later


def test_what_people_entered_later_is_not_told_of_an_earlier_moment(stage: Stage) -> None:
    year = Period("2023", NOVEMBER.begin, NOVEMBER.end)
    for entered, percent in ((0, 1), (500, 2)):
        stage.store.history.add(
            Published(0, 2022, Fraction(percent), None, "ND-1", "", "ani", reading(entered * MINUTE_MS).utc)
        )
    assert [one.percent for one in stage.report(305, year).published] == [1]
    stage.store.outages.rule(Ruling(0, SPLIT, (2,), None, "why", "ani", reading(500 * MINUTE_MS).utc))
    assert not any(one.ruled for one in stage.report(305).incidents)
    assert any(one.ruled for one in stage.report(501).incidents)


def test_page_and_terminal_say_the_number(stage: Stage) -> None:
    board = stage.page(305)
    markup = Renderer(Assets(STATIC, TEMPLATES)).draw(board).fragment.plain.decode()
    assert "outage 3" in markup
    assert '/outage/2">2</a></td>' in markup
    console = Console(file=StringIO(), width=200)
    print_status(board, stage.rules.zone, console)
    assert "portal (outage 3)" in console.file.getvalue()  # type: ignore[attr-defined]
