"""Couriers against a real collector on loopback, with a real journal and real commits."""

import asyncio
from pathlib import Path
from statistics import median

import pytest

from agent.agent_fakes import open_journal, sample
from agent.collector_stand_in import StandIn, collector, problem
from agent.delivery_rig import BEAT_MS, Rig, holds, rig
from agent.http_stand_in import Response
from detak_agent.composing import Stopping
from detak_agent.config import CollectorSettings
from detak_agent.delivery import RenewalError
from detak_agent.keys import key_path, write_key
from detak_wire.messages import Exchange, Gap, Problem, Span, Stored


@pytest.mark.asyncio
async def test_what_is_durable_arrives_and_is_acknowledged(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        for state in ("up", "up", "down", "down", "up"):
            await agent.see(state)
        await one.until(lambda: holds(one, agent.run))
        held = one.newest()
        assert [(span.state, span.samples) for span in held.spans("db")] == [("up", 2), ("down", 2), ("up", 1)]
        assert held.spans("alive")[0].samples == 5
        await one.until(lambda: one.requests[-1].backlog == 0 and not one.requests[-1].parts[0].exchanges)


@pytest.mark.asyncio
async def test_the_first_exchange_of_a_run_and_the_next_after_each_edge_become_facts(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        await agent.see()
        await one.until(lambda: exchanges(one) != [])
        for _ in range(3):
            await agent.see()
        await agent.see("down")
        before = len(one.requests)
        await one.until(lambda: len(one.requests) > before + 2)
        await agent.see("down")
        await one.until(lambda: len(exchanges(one)) == 2)
        first, after = exchanges(one)
        assert first.collector == after.collector == "c011ec70"
        assert first.answered_utc - first.received_agent <= first.arrived_utc - first.sent_agent


def exchanges(one: StandIn) -> list[Exchange]:
    records = one.newest().closed.values() if one.runs else []
    return [record for record in records if isinstance(record, Exchange)]


@pytest.mark.asyncio
async def test_a_lost_answer_makes_duplicates_and_no_contradiction(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.loses_answers = 3
        for state in ("up", "down", "up", "down"):
            await agent.see(state)
        await one.until(lambda: holds(one, agent.run) and one.loses_answers == 0)
        assert one.newest().contradictions == []


@pytest.mark.asyncio
async def test_a_silent_collector_does_not_hold_up_another(tmp_path: Path) -> None:
    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.append(writer)

    silent: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    mute = StandIn()
    mute.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with collector() as one, rig(tmp_path, mute, one) as agent:
            for state in ("up", "down", "up"):
                await agent.see(state)
            await one.until(lambda: holds(one, agent.run))
    finally:
        for writer in silent:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


@pytest.mark.asyncio
async def test_a_collector_restored_from_a_backup_gets_everything_again(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        await agent.see()
        await one.until(lambda: holds(one, agent.run))
        saved = one.backup()
        for state in ("down", "up", "down", "up"):
            await agent.see(state)
        await one.until(lambda: holds(one, agent.run) and one.requests[-1].backlog == 0)
        await one.until(lambda: not agent.journal.outbox.owed(one.url, 9).parts)
        one.runs = saved
        await agent.see()
        await one.until(lambda: holds(one, agent.run))
        assert [span.state for span in one.newest().spans("db")] == ["up", "down", "up", "down", "up"]


@pytest.mark.asyncio
async def test_a_collector_that_lost_everything_gets_earlier_runs_too(tmp_path: Path) -> None:
    async with collector() as one:
        async with rig(tmp_path, one) as agent:
            await agent.see("down")
            await agent.see("up")
            await one.until(lambda: holds(one, agent.run))
        earlier = agent.run
        one.runs = {}
        journal = open_journal(tmp_path, one.url)
        journal.close_previous(0)
        journal.close()
        again = Rig(tmp_path, one, run="00000000000000d2")
        again.start()
        try:
            await again.see()
            await one.until(lambda: holds(one, again.run) and holds(one, earlier, 2))
        finally:
            await again.end()


@pytest.mark.asyncio
async def test_an_invalid_record_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with collector() as one:
        agent = Rig(tmp_path, one)
        try:
            for state in ("up", "down", "up"):
                await agent.see(state)
            one.invalid.add((agent.run.identity, 1))
            agent.start()
            await one.until(lambda: gap_numbers(one) == {1} and holds(one, agent.run))
        finally:
            await agent.end()
        assert [span.state for span in one.newest().spans("db")] == ["down", "up"]


def gap_numbers(one: StandIn) -> set[int]:
    gaps = [record for record in one.newest().closed.values() if isinstance(record, Gap)] if one.runs else []
    return {number for gap in gaps for number in range(gap.first_number, gap.last_number + 1)}


@pytest.mark.asyncio
async def test_an_invalid_open_span_is_given_up_for_a_new_one(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.invalid.add((agent.run.identity, 1))
        await agent.see()
        await one.until(lambda: gap_numbers(one) == {1})
        await agent.see()
        await one.until(lambda: one.newest().spans("db") != [])


@pytest.mark.asyncio
async def test_an_answer_that_knows_more_than_the_agent_asks_for_a_new_run(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        await agent.see()
        await one.until(lambda: holds(one, agent.run))
        one.newest().closed[999] = Span(999, "db", "up", 1, 1, 1, 1, 1, closed=True)
        await agent.see()
        with pytest.raises(RenewalError, match="knows more of run"):
            await asyncio.wait_for(agent.tasks[0], 10)


@pytest.mark.asyncio
async def test_a_busy_collector_is_left_alone_as_long_as_it_says(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.refusals.append(problem(429, Problem("overload", "too many beats", retry_after_s=1)))
        began = agent.clock.begin()
        await agent.see()
        await one.until(lambda: holds(one, agent.run))
        assert agent.clock.begin() - began >= 1_000


@pytest.mark.asyncio
async def test_a_refused_key_is_said_once_and_works_again_once_it_is_renewed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.key = "another"
        await agent.see()
        await one.until(lambda: len(one.sizes) >= 2)
        assert sum("refuses this node's key" in record.message for record in caplog.records) == 1
        write_key(key_path(CollectorSettings(url=one.url), tmp_path), "another")
        await one.until(lambda: holds(one, agent.run))


@pytest.mark.asyncio
async def test_a_node_that_is_not_enrolled_says_how_to_enrol(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        key_path(CollectorSettings(url=one.url), tmp_path).unlink()
        await agent.see()
        await asyncio.sleep(0.1)
        assert f"run detak-agent enroll --collector {one.url} --token TOKEN" in caplog.text
        assert one.sizes == []


@pytest.mark.asyncio
async def test_backlog_comes_at_the_pace_that_is_allowed_newest_first(tmp_path: Path) -> None:
    async with collector() as one:
        agent = Rig(tmp_path, one)
        for number in range(700):
            agent.run.add(sample(agent.clock.begin() + number * 1_000, "down" if number % 2 else "up"))
        await agent.commit()
        one.allowance = 50
        agent.start()
        try:
            agent.couriers[0].wake()
            await one.until(lambda: holds(one, agent.run), 30)
        finally:
            await agent.end()
        sizes = [sum(len(part.spans) for part in request.parts) for request in one.requests]
        assert all(size <= 50 + 100 + 2 for size in sizes[1:])
        first = {span.number for part in one.requests[0].parts for span in part.spans}
        assert min(first) > 300


@pytest.mark.asyncio
async def test_a_quiet_beat_is_small_and_carries_growths_only(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        for _ in range(4):
            await agent.see()
            await agent.see("up", "web")
        await one.until(lambda: holds(one, agent.run) and bool(exchanges(one)))
        before = len(one.requests)
        await one.until(lambda: len(one.requests) > before + 2)
        await agent.see()
        before = len(one.requests)
        await one.until(lambda: len(one.requests) > before)
        quiet = one.requests[-1]
        assert len(quiet.parts) == 1
        assert quiet.parts[0].spans == []
        assert one.sizes[-1] < 300


@pytest.mark.asyncio
async def test_both_collectors_are_sent_their_beats_at_the_same_moment(tmp_path: Path) -> None:
    async with collector() as one, collector() as two, rig(tmp_path, one, two) as agent:
        await agent.see()
        await one.until(lambda: len(one.requests) > 15)
        sent = [request.sent_agent for request in two.requests]
        apart = [min(abs(at - request.sent_agent) for at in sent) for request in one.requests[:15]]
        assert median(apart) <= BEAT_MS // 20


@pytest.mark.asyncio
async def test_the_last_beat_says_that_the_run_stops(tmp_path: Path) -> None:
    async with collector() as one:
        agent = Rig(tmp_path, one)
        try:
            await agent.see()
            taken = agent.run.end("stop", agent.clock.begin())
            await agent.thread.call(agent.journal.commit, taken, 0)
            agent.run.committed(taken)
            await agent.couriers[0].farewell(Stopping("stop", 5))
        finally:
            await agent.end()
        assert one.newest().stopped == "stop"
        assert one.newest().open == {}
        assert one.newest().stored() == Stored(opened=True, mark=2)


@pytest.mark.asyncio
async def test_a_run_that_a_collector_knows_more_of_still_ends_in_good_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with collector() as one:
        agent = Rig(tmp_path, one)
        try:
            await agent.see()
            await agent.couriers[0].farewell(Stopping("reload", 5))
            one.newest().closed[999] = Span(999, "db", "up", 1, 1, 1, 1, 1, closed=True)
            await agent.couriers[0].farewell(Stopping("stop", 5))
        finally:
            await agent.end()
        assert "the last beat was not delivered" in caplog.text


@pytest.mark.asyncio
async def test_an_answer_that_is_none_is_no_acknowledgement(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.refusals.append(Response(b"<html>a proxy's page</html>"))
        await agent.see()
        await one.until(lambda: holds(one, agent.run))
        assert "this is not a collector's answer" in caplog.text
