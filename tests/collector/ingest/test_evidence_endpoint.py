import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from detak_collector.channel.enrol import issue_token
from detak_collector.clocks import system_clock
from detak_collector.ingest.intake import Capacity, without_backlog
from detak_collector.operating.counters import commits, latency, records, refusals
from detak_collector.store.base import StoreBrokenError, StoreUnavailableError
from detak_collector.store.sqlite import FILE_NAME
from detak_wire import limits
from detak_wire.codec import compress, decode, encode
from detak_wire.messages import Answer, Enrolled, Enrolment, Part, Problem
from evidence_builders import CHECKS, NODE, RUN, beat, first_beat, later_beat, opening, span
from running_collector import Running, eventually, running_collector

OTHER = "app-01"
pytestmark = pytest.mark.asyncio


def nothing_stored(running: Running) -> bool:
    return running.rows("run") == running.rows("span") == running.rows("open_spans") == running.rows("reach") == 0


async def test_a_beat_is_answered_with_what_is_stored_and_two_timestamps(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        answer = await running.deliver(first_beat())
        assert answer.collector == running.store.collector
        assert answer.arrived_utc <= answer.answered_utc
        assert answer.stored[RUN].open == {1: 2_000, 2: 2_000}
        assert answer.backlog_allowance > 0
        assert running.rows("run") == 1


async def test_a_gzipped_beat_is_the_same_beat(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        status, _, _ = await running.post(compress(encode(first_beat())), Content_Encoding="gzip")
        assert status == 200
        assert running.rows("run") == 1


@pytest.mark.parametrize("key", ["", "wrong", "ü", "0" * 64, "x" * 4_000])
async def test_an_unknown_key_is_refused(tmp_path: Path, key: str) -> None:
    async with running_collector(tmp_path) as running:
        status, problem = await running.refusal(encode(first_beat()), key)
        assert (status, problem.error) == (401, "unauthorized")
        assert nothing_stored(running)


async def test_the_key_must_be_a_bearer_token(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        headers = {"Authorization": f"Basic {running.keys[NODE]}"}
        async with running.session.post(f"{running.url}/api/v1/evidence", data=b"{}", headers=headers) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_key_speaks_for_its_own_node_only(tmp_path: Path) -> None:
    async with running_collector(tmp_path, [NODE, OTHER]) as running:
        status, problem = await running.refusal(encode(first_beat(node=OTHER)), running.keys[NODE])
        assert (status, problem.error, problem.path) == (403, "forbidden", "$.node")
        assert "belongs to node 'db-01', not to 'app-01'" in problem.detail
        assert nothing_stored(running)


@pytest.mark.parametrize(
    ("body", "path", "detail"),
    [
        (b"", "$", "truncated"),
        (b"{", "$", "truncated"),
        (b"\xff\xfe", "$", "malformed"),
        (b'{"protocol": 1}', "$", "node"),
        (b'{"protocol": 1, "surprise": 2}', "$", "surprise"),
        (b'{"protocol": "1"}', "$.protocol", "int"),
        (b'{"protocol": 1, "node": "\xff"}', "$", "JSON"),
        (b'{"protocol": 1, "node": "DB 01"}', "$.node", "regex"),
        (b'{"protocol": 1, "parts": ' + b"[" * 100_000, "$", ""),
    ],
)
async def test_a_malformed_message_is_refused_with_its_place(
    tmp_path: Path, body: bytes, path: str, detail: str
) -> None:
    async with running_collector(tmp_path) as running:
        status, problem = await running.refusal(body)
        assert (status, problem.error) == (400, "invalid")
        assert problem.path.startswith(path)
        assert detail in problem.detail
        assert nothing_stored(running)


async def test_an_invalid_record_is_named_with_its_run_number_and_place(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        bad = replace(span(7), last_end=1)
        status, problem = await running.refusal(encode(beat(Part(RUN, opening(), [span(1), bad]))))
        assert (status, problem.error, problem.run, problem.number) == (400, "invalid", RUN, 7)
        assert problem.path == "$.parts[0].spans[1]"
        status, problem = await running.refusal(encode(beat(Part(RUN, opening(), [span(9, "stranger")]))))
        assert (status, problem.run, problem.number) == (400, RUN, 9)
        assert nothing_stored(running)


@pytest.mark.parametrize("protocol", [2, 999])
async def test_another_protocol_is_refused_naming_the_one_spoken(tmp_path: Path, protocol: int) -> None:
    async with running_collector(tmp_path) as running:
        for extra in ({}, {"something": "new"}):
            message = json.loads(encode(first_beat())) | {"protocol": protocol} | extra
            status, problem = await running.refusal(json.dumps(message).encode())
            assert (status, problem.error, problem.path) == (400, "protocol", "$.protocol")
            assert "spoken is 1" in problem.detail
        assert nothing_stored(running)


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_oversized_body_is_refused_whether_or_not_it_says_its_size(tmp_path: Path, chunked: bool) -> None:
    async with running_collector(tmp_path) as running:
        headers = {"Authorization": f"Bearer {running.keys[NODE]}"}

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b" " * 16_384

        body = pieces() if chunked else b" " * (limits.BODY_BYTES + 1)
        async with running.session.post(f"{running.url}/api/v1/evidence", data=body, headers=headers) as answer:
            assert answer.status == 413
            assert decode(await answer.read(), Problem).error == "too_large"
        assert nothing_stored(running)


async def test_a_gzip_bomb_is_refused_at_the_limit(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        bomb = gzip.compress(b" " * (limits.INFLATED_BYTES + 1))
        status, problem = await running.refusal(bomb, Content_Encoding="gzip")
        assert (status, problem.error) == (400, "invalid")
        assert str(limits.INFLATED_BYTES) in problem.detail
        assert nothing_stored(running)


async def test_an_encoding_that_is_not_spoken_is_refused_by_name(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        status, problem = await running.refusal(b"{}", Content_Encoding="zstd")
        assert (status, problem.error) == (415, "encoding")
        assert "'zstd'" in problem.detail


async def test_refusals_are_counted_by_their_word(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        before = Counter(refusals.counts)
        await running.refusal(b"{")
        await running.refusal(b"{")
        await running.refusal(b"{", "wrong")
        assert Counter(refusals.counts) - before == {"invalid": 2, "unauthorized": 1}


async def test_what_was_stored_is_counted_with_its_latency(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        stored, commits_before, beats = Counter(records.counts), Counter(commits.counts), sum(latency.buckets)
        await running.deliver(first_beat())
        await running.deliver(later_beat(1))
        assert Counter(records.counts) - stored == {"spans": 2, "growths": 2}
        assert Counter(commits.counts) - commits_before == {"stored": 2}
        assert sum(latency.buckets) - beats == 2


async def test_what_arrives_during_a_commit_goes_into_the_next_one(tmp_path: Path) -> None:
    nodes = [f"node-{number}" for number in range(8)]
    async with running_collector(tmp_path, nodes) as running:
        running.evidence.go.clear()
        first = asyncio.create_task(running.deliver(first_beat(node=nodes[0])))
        await eventually(lambda: running.evidence.batches == [1])
        others = [asyncio.create_task(running.deliver(first_beat(node=node))) for node in nodes[1:]]
        await eventually(lambda: running.ingest.waiting == 7)
        assert not first.done()
        running.evidence.go.set()
        await asyncio.gather(first, *others)
        assert running.evidence.batches == [1, 7]


async def test_a_full_queue_refuses_with_a_time_to_come_back_and_says_that_nobody_watches(tmp_path: Path) -> None:
    async with running_collector(tmp_path, capacity=Capacity(messages=2)) as running:
        running.evidence.go.clear()
        first = asyncio.create_task(running.deliver(first_beat()))
        await eventually(lambda: running.evidence.batches == [1])
        waiting = [asyncio.create_task(running.deliver(later_beat(tick))) for tick in (1, 2)]
        await eventually(lambda: running.ingest.waiting == 2)
        status, body, headers = await running.post(encode(later_beat(3)))
        assert (status, decode(body, Problem).error, headers["Retry-After"]) == (429, "overloaded", "5")
        assert running.refused_liveness == [True]
        running.evidence.go.set()
        await asyncio.gather(first, *waiting)


async def test_what_has_to_wait_for_its_turn_is_not_decoded_before_it(tmp_path: Path) -> None:
    async with running_collector(tmp_path, capacity=Capacity(decoded=2)) as running:
        running.evidence.go.clear()
        first = asyncio.create_task(running.deliver(first_beat()))
        await eventually(lambda: running.evidence.batches == [1])
        second = asyncio.create_task(running.deliver(later_beat(1)))
        await eventually(lambda: running.ingest.waiting == 1)
        unreadable = asyncio.create_task(running.post(b"{"))
        await eventually(lambda: running.ingest.waiting == 2)
        assert running.ingest.waiting_octets == len(encode(later_beat(1))) + len(b"{")
        running.evidence.go.set()
        await asyncio.gather(first, second)
        assert (await unreadable)[0] == 400
        assert (running.ingest.waiting, running.ingest.waiting_octets) == (0, 0)


async def test_what_waits_for_its_turn_takes_room_as_what_waits_for_a_commit_does(tmp_path: Path) -> None:
    async with running_collector(tmp_path, capacity=Capacity(messages=2, decoded=1)) as running:
        running.evidence.go.clear()
        first = asyncio.create_task(running.deliver(first_beat()))
        await eventually(lambda: running.evidence.batches == [1])
        waiting = [asyncio.create_task(running.deliver(later_beat(tick))) for tick in (1, 2)]
        await eventually(lambda: running.ingest.waiting == 2)
        assert (await asyncio.wait_for(running.post(encode(later_beat(3))), 10))[0] == 429
        running.evidence.go.set()
        await asyncio.gather(first, *waiting)


async def test_who_goes_before_it_is_his_turn_takes_no_turn_from_others(tmp_path: Path) -> None:
    async with running_collector(tmp_path, capacity=Capacity(decoded=1)) as running:

        async def comes_in_vain() -> None:
            async with running.ingest.turn(1):
                pass

        async with running.ingest.turn(1):
            waiting = asyncio.create_task(comes_in_vain())
            await eventually(lambda: running.ingest.waiting == 1)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert (running.ingest.waiting, running.ingest.waiting_octets) == (0, 0)
        await running.deliver(first_beat())


async def test_under_pressure_backlog_is_left_with_the_agent_and_liveness_is_stored(tmp_path: Path) -> None:
    async with running_collector(tmp_path, capacity=Capacity(messages=1)) as running:
        backlog = Part("bbbb0002", opening(), [span(1, closed=True)])
        message = first_beat()
        answer = await running.deliver(replace(message, parts=[*message.parts, backlog]))
        assert answer.stored[RUN].open == {1: 2_000, 2: 2_000}
        assert not answer.stored["bbbb0002"].opened
        assert running.rows("run") == 1


async def test_what_is_left_of_a_message_without_backlog_is_its_own_run() -> None:
    closed = [span(number, closed=True) for number in range(1, 500)]
    full = beat(Part(RUN, opening(), [*closed, span(500)]), Part("bbbb0002", opening(), closed))
    light = without_backlog(full)
    assert light.parts[0].spans == [*closed[-200:], span(500)]
    assert light.parts[1] == Part("bbbb0002")


async def test_a_full_disk_is_a_503_and_the_next_beat_is_taken_again(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        running.evidence.failure = StoreUnavailableError("database or disk is full")
        status, body, headers = await running.post(encode(first_beat()))
        assert (status, decode(body, Problem).error, headers["Retry-After"]) == (503, "unavailable", "5")
        running.evidence.failure = None
        assert (await running.deliver(first_beat())).stored[RUN].opened


async def test_while_the_disk_is_full_nobody_is_listened_to_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_collector(tmp_path) as running:
        running.evidence.failure = StoreUnavailableError("database or disk is full")
        for _ in range(3):
            assert (await running.post(encode(first_beat())))[0] == 503
        assert running.refused_liveness == [True, True, True]
        running.evidence.failure = None
        await running.deliver(first_beat())
        await running.deliver(first_beat())
    told = [record.getMessage() for record in caplog.records if "evidence" in record.getMessage()]
    assert told == ["evidence is refused: database or disk is full", "evidence is stored again"]


async def test_a_broken_store_ends_ingest_and_acknowledges_nothing(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        running.evidence.failure = StoreBrokenError("disk I/O error")
        running.evidence.go.clear()
        first = asyncio.create_task(running.post(encode(first_beat())))
        await eventually(lambda: running.evidence.batches == [1])
        waiting = asyncio.create_task(running.post(encode(later_beat(1))))
        await eventually(lambda: running.ingest.waiting == 1)
        running.evidence.go.set()
        after = running.post(encode(later_beat(2)))
        assert [(await first)[0], (await waiting)[0], (await after)[0]] == [503, 503, 503]
        with pytest.raises(StoreBrokenError, match="disk I/O error"):
            await running.ingesting


async def test_one_message_that_cannot_be_stored_keeps_no_other_from_it(tmp_path: Path) -> None:
    async with running_collector(tmp_path, [NODE, OTHER]) as running:
        running.evidence.go.clear()
        running.evidence.poisoned = OTHER
        first = asyncio.create_task(running.deliver(first_beat()))
        await eventually(lambda: running.evidence.batches == [1])
        good = asyncio.create_task(running.post(encode(later_beat(1))))
        bad = asyncio.create_task(running.post(encode(first_beat(node=OTHER)), running.keys[OTHER]))
        await eventually(lambda: running.ingest.waiting == 2)
        running.evidence.go.set()
        await first
        assert ((await good)[0], (await bad)[0]) == (200, 503)
        assert running.evidence.batches == [1, 2, 1, 1]


async def test_the_pulse_beats_for_news_and_not_for_quiet_beats(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        await running.deliver(first_beat())
        seen = running.pulse.version
        assert seen == 1
        await running.deliver(later_beat(1))
        assert running.pulse.version == seen
        waiting = asyncio.create_task(running.pulse.wait(seen))
        await running.deliver(
            beat(Part(RUN, spans=[span(2, samples=4, closed=True), span(3, first=6_000, state="down")]))
        )
        assert await asyncio.wait_for(waiting, 5) == seen + 1


async def test_a_token_becomes_a_key_that_works_at_once(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        token = issue_token(running.store.registry, OTHER, 60_000, system_clock()())
        body = encode(Enrolment(1, OTHER, token))
        status, answer, _ = await running.post(body, path="/api/v1/enrol")
        assert status == 200
        enrolled = decode(answer, Enrolled)
        assert (enrolled.node, enrolled.collector) == (OTHER, running.store.collector)
        status, answer, _ = await running.post(encode(first_beat(node=OTHER)), enrolled.key)
        assert decode(answer, Answer).stored[RUN].open == dict.fromkeys(range(1, len(CHECKS) + 1), 2_000)
        status, answer, _ = await running.post(body, path="/api/v1/enrol")
        assert (status, decode(answer, Problem).error) == (403, "token")
        assert "used already" in decode(answer, Problem).detail


async def test_no_key_or_token_is_in_the_store(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        await running.deliver(first_beat())
        key = running.keys[NODE]
    content = (tmp_path / FILE_NAME).read_bytes()
    assert NODE.encode() in content
    assert key.encode() not in content
