"""Views of the real collector, asked again later as of their own moments: as much is counted, and no more is known."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import Period
from detak_collector.downtime.triple import Triple
from detak_collector.rules import Rules
from detak_collector.store.sqlite import FILE_NAME
from detak_collector.watch import LAG_MS
from simulation.campaign import prepared
from simulation.history import fast_directory
from simulation.machine import EPOCH_MS
from simulation.plan import Plan, Weather, planned
from simulation.scenes import catalogue, subjects
from simulation.stage import Stage

KINDS = (
    "cut", "cut-out", "cut-in", "loss", "lost-answers", "doubling", "kill-agent", "stop-agent", "reload", "freeze",
    "starve", "full-disk", "unable", "crash", "hidden-crash", "dying-crash", "frozen-guest", "suspend", "restore",
    "steer", "warm-up", "kill-collector",
)  # fmt: skip
"""All faults but those that keep a message under way or unwritten for long, and steps of the collector's UTC."""

LOOKS = 30
BEING_WRITTEN_MS = 500
"""Evidence is recorded as of its arrival, and known a little later, when it is durable."""


@dataclass(frozen=True)
class View:
    """What the figures said at a moment, in UTC, and what is said of that moment later."""

    moment: int
    then: Triple
    again: Triple

    @property
    def lost_ms(self) -> int:
        return max((self.again.possible - self.then.possible).total, (self.then.certain - self.again.certain).total)


@dataclass
class Viewing:
    """One history, its figures looked at again and again."""

    stage: Stage
    rules: Rules
    subject: str
    seen: list[tuple[int, Triple]]

    def look(self) -> None:
        figures = self.stage.collectors[0].figures(self.rules)
        if figures is None:
            return
        now = self.stage.collectors[0].now().utc
        self.seen.append((now, self._down(figures.explained("s", Period("all", EPOCH_MS, now)))))

    def again(self, moment: int) -> Triple:
        figures = self.stage.collectors[0].figures(self.rules)
        assert figures is not None
        return self._down(figures.explained("s", Period("all", EPOCH_MS, moment), moment))

    def _down(self, result: Result) -> Triple:
        (month,) = result.details
        return month.readings[self.subject].down


def _views(seed: str, kinds: tuple[str, ...] = KINDS) -> tuple[Plan, list[View]]:
    random = Random(seed)
    plan = planned(random, Weather(kinds, every_ms=30_000.0, length_ms=300_000.0))
    directory = Path(tempfile.mkdtemp(prefix="detak-simulation-", dir=fast_directory()))
    try:
        with prepared() as empty:
            stage = Stage(seed, plan, empty, directory, drift_ppm=100)
            viewing = Viewing(stage, Rules(catalogue(plan)), subjects(plan)[0].name, [])
            stage.prepare()
            for _ in range(LOOKS):
                stage.world.at(random.uniform(20_000.0, plan.length - 5_000.0), viewing.look)
            stage.world.run(plan.length)
            (path,) = directory.rglob(FILE_NAME)
            views = [
                View(moment, then, viewing.again(moment))
                for moment, then in viewing.seen
                if not _was_being_written(path, moment)
            ]
            stage.clear()
            return plan, views
    finally:
        shutil.rmtree(directory)


def _was_being_written(path: Path, moment: int) -> bool:
    """Whether evidence had just arrived, or the collector was just starting to watch."""
    since = {"since": moment - BEING_WRITTEN_MS, "moment": moment}
    tables = ("run", "span", "exchange", "gap")
    queries = [f"SELECT 1 FROM {one} WHERE recorded_utc BETWEEN :since AND :moment" for one in tables]
    queries += ["SELECT 1 FROM span WHERE heard_utc BETWEEN :since AND :moment"]
    queries += ["SELECT 1 FROM unheard WHERE to_utc BETWEEN :since AND :moment"]
    queries += [f"SELECT 1 FROM watch WHERE from_utc BETWEEN :moment - {LAG_MS} AND :moment"]
    with closing(sqlite3.connect(path)) as connection:
        return any(connection.execute(query, since).fetchone() for query in queries)


@pytest.fixture(scope="module", params=["first", "second", "third", "fourth"])
def history(request: pytest.FixtureRequest) -> tuple[Plan, list[View]]:
    return _views(f"as of {request.param}")


def test_what_was_counted_at_a_moment_is_counted_as_of_it_to_the_millisecond(
    history: tuple[Plan, list[View]],
) -> None:
    _, views = history
    assert len(views) > LOOKS / 3
    assert [one.moment - EPOCH_MS for one in views if one.again.counted != one.then.counted] == []


def test_nothing_is_told_as_of_a_moment_that_was_not_known_at_it(history: tuple[Plan, list[View]]) -> None:
    _, views = history
    better = [one for one in views if one.again.certain - one.then.certain or one.then.possible - one.again.possible]
    assert [one.moment - EPOCH_MS for one in better] == []


def test_what_is_lost_of_open_spans_is_two_beats_and_two_intervals_at_most(history: tuple[Plan, list[View]]) -> None:
    plan, views = history
    # An interval is as long as a sample that times out makes it.
    most = 2 * (plan.pace.beat_ms + plan.pace.interval_ms + plan.pace.timeout_ms)
    assert max(one.lost_ms for one in views) <= most
