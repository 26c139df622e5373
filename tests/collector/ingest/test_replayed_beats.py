"""A beat that somebody recorded and sends again."""

import asyncio
from pathlib import Path

import pytest

from detak_collector.operating.counters import repeats
from detak_wire.messages import Part
from evidence_builders import NODE, RUN, beat, first_beat, growth, later_beat, opening, span
from running_collector import running_collector


@pytest.mark.asyncio
async def test_a_replayed_beat_changes_no_fact_and_moves_no_deadline(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as collector:
        messages = [first_beat(), later_beat(1), later_beat(2)]
        answers = [await collector.deliver(one) for one in messages]
        now = collector.ingest.clock()
        facts = collector.evidence.node_facts(NODE, 0, 2**50, now)
        heard = collector.ingest.deadlines.heard_of(0)
        last = dict(collector.ingest.deadlines._heard)
        await asyncio.sleep(0.05)
        counted = repeats.counts.get("message", 0)
        for one in messages:
            again = await collector.deliver(one)
            assert again.stored[RUN] == answers[-1].stored[RUN]
        assert collector.evidence.node_facts(NODE, 0, 2**50, now) == facts
        assert collector.ingest.deadlines._heard == last
        assert collector.ingest.deadlines.heard_of(0) == heard
        assert repeats.counts["message"] == counted + len(messages)


@pytest.mark.asyncio
async def test_a_recorded_beat_that_was_changed_is_kept_beside_the_first_and_replaces_nothing(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as collector:
        await collector.deliver(first_beat())
        await collector.deliver(beat(Part(RUN, opening(), [span(2, samples=5, closed=True)]), sent=9_000))
        forged = span(2, samples=5, closed=True, state="down")
        await collector.deliver(beat(Part(RUN, opening(), [forged]), sent=9_000))
        await collector.deliver(beat(Part(RUN, growths=[growth(span(2, samples=6), 9_000)]), sent=9_000))
        (run,) = collector.evidence.node_facts(NODE, 0, 2**50, collector.ingest.clock()).runs
        assert {one.state for one in run.spans if one.check == "web"} == {"up"}
