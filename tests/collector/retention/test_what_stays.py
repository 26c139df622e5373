"""Whatever is disposed of, all later time is derived from what stays as it was from everything."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from collector.test_months_give_way import rules_of
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.periods import Period
from detak_collector.ledger.verification import Fault, Verification
from detak_collector.store import disposing
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from detak_collector.stored_months import View
from detak_wire.messages import Part, PreviousRun
from disposed_season import fill
from downtime_cases import DAY, group, service
from evidence_builders import BOOT, RUN, START_UTC, arrival, beat, exchange, opening, reading, span
from late_delivery import NODES, SEASON

RULES = rules_of(*(service(group([f"{node}/{one}"]), name=f"{node}-{one}") for node in NODES for one in ("web", "pg")))
LATE = reading(SEASON + 60 * DAY)
DISPOSAL = "d" * 32


def derived(store: Store, since: int) -> list[dict[str, ServiceMonth]]:
    """Each service over each stretch of nine days from a moment on, the first one beginning right then."""
    view = View(store.evidence, RULES, LATE)
    days = range(since, START_UTC + SEASON, 9 * DAY)
    periods = [Period("", at, at + 9 * DAY) for at in days]
    return [dict(view.services(one, (one.begin, one.end))) for one in periods]


def absent(state: Path) -> None:
    """An agent that saw its service fail, was gone from the fifth day on, and sees it down when it is back."""
    back = 40 * DAY
    spans = [span(1, "alive", 2_000, 5 * DAY // 1_000, closed=True), span(2, "web", 2_000, DAY // 1_000, closed=True)]
    spans.append(span(3, "web", 2_000 + DAY, 4 * DAY // 1_000, state="down", closed=True))
    first = Part(RUN, opening(), spans, exchanges=[exchange(4), exchange(5, 5 * DAY)])
    told = PreviousRun(RUN, BOOT, 5 * DAY + 1_000, 5)
    later = [span(1, "alive", back, 100, closed=True), span(2, "web", back, 100, state="down", closed=True)]
    second = Part("aaaa0002", opening(opened=back, previous=told), later, exchanges=[exchange(3, back)])
    with closing(open_store(state, reading(0))) as store:
        store.registry.issue(NODES[0], b"token", reading(DAY).utc, reading(0))
        store.registry.redeem(b"token", NODES[0], b"key", reading(0))
        for part, at in ((first, 5 * DAY), (second, back + 200_000)):
            store.evidence.commit([arrival(beat(part, sent=at + 2_000, run=part.run, node=NODES[0]))])
            store.ledger.append(reading(at + 3_000).utc)


def dispose(store: Store, since: int) -> int:
    """Of what is before a moment; how many records that were. It is decided only after, so that all can be asked."""
    with store.database.reading() as connection:
        blocks = disposing.stretch(connection, since)
        stay = disposing.staying(connection, blocks, since)
    plan = disposing.planned(store.database, blocks, stay, DISPOSAL, lambda: None)
    with store.database.writing() as connection:
        disposing.decide(connection, DISPOSAL, START_UTC, plan.left)
    return sum(disposing.let_go(store.database, one) for one in disposing.to_go(store.database))


def verified(store: Store) -> Fault | None:
    verification = Verification(store.collector)
    found = (verification.take(one.block, one.lines, one.left) for one in store.ledger.blocks())
    return next((one for one in found if one is not None), None)


SEEDS = range(40 if os.environ.get("DETAK_NIGHTLY") == "1" else 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_time_from_the_moment_on_is_derived_as_before(tmp_path: Path, seed: int) -> None:
    fill(tmp_path, seed)
    since = START_UTC + Random(seed).randrange(20 * DAY, SEASON - 10 * DAY)
    with closing(open_store(tmp_path, LATE)) as store:
        before = derived(store, since)
        assert dispose(store, since) > 0
        assert derived(store, since) == before
        assert verified(store) is None


def test_a_block_that_is_not_as_it_was_chained_is_not_disposed_of(tmp_path: Path) -> None:
    fill(tmp_path)
    with closing(open_store(tmp_path, LATE)) as store:
        with store.database.writing() as connection:
            connection.execute(
                "UPDATE span SET samples = samples + 1 WHERE sequence = (SELECT min(sequence) FROM span)"
            )
        with pytest.raises(StoreError, match="block 1 of the ledger is not intact"):
            dispose(store, START_UTC + SEASON // 2)


def test_the_last_word_before_a_long_absence_stays(tmp_path: Path) -> None:
    absent(tmp_path)
    since = START_UTC + 20 * DAY
    with closing(open_store(tmp_path, LATE)) as store:
        before = derived(store, since)
        assert before[0]["db-01-web"].totals.counted_ms > 0
        assert dispose(store, since) == 2
        assert derived(store, since) == before
