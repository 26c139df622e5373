import asyncio
import errno
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from agent.agent_fakes import Answering, HandClock, LoopClock, told_check
from detak_agent.checks.base import CouldNotCheckError, Outcome, Probe, Silence, Surroundings
from detak_agent.runner import Check, Sampler, Starvation
from detak_agent.spans import Sample
from detak_wire import limits


def sampler(check: Check, clock: HandClock | None = None, starvation: Starvation | None = None) -> Sampler:
    return Sampler(check, Surroundings(), clock or LoopClock(), starvation or Starvation(1_000))


async def once(answer: Answering, silence: Silence = Silence.DOWN, tries: int = 1) -> Sample:
    return await sampler(told_check(answer, silence, tries=tries)).sample()


def raising(error: BaseException) -> Answering:
    async def answer() -> Outcome:
        raise error

    return answer


async def hang() -> Outcome:
    await asyncio.sleep(60)
    return Outcome("up")


@pytest.mark.asyncio
async def test_no_answer_in_time_is_down_where_silence_says_so() -> None:
    found = await once(hang)
    assert found.state == "down"
    assert "no answer within 100 ms" in found.message


@pytest.mark.asyncio
async def test_a_check_that_hangs_itself_is_unknown() -> None:
    assert (await once(hang, Silence.UNKNOWN)).state == "unknown"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (CouldNotCheckError("may not read /proc/1"), "unknown", "may not read /proc/1"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "down", "Connection refused"),
        (TimeoutError(), "down", "no answer within"),
        (OSError(errno.EMFILE, "Too many open files"), "unknown", "Too many open files"),
        (ZeroDivisionError("oh"), "unknown", "the check failed: ZeroDivisionError: oh"),
        (asyncio.CancelledError(), "unknown", "the check gave up by itself"),
    ],
)
async def test_what_a_check_raises_becomes_a_state(error: BaseException, state: str, message: str) -> None:
    found = await once(raising(error))
    assert found.state == state
    assert message in found.message


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_read_says_nothing_of_a_local_thing() -> None:
    found = await once(raising(FileNotFoundError(errno.ENOENT, "No such file")), Silence.UNKNOWN)
    assert found.state == "unknown"


@pytest.mark.asyncio
async def test_a_kind_that_cannot_be_built_is_unknown_and_tried_again() -> None:
    check = told_check(hang)
    built: list[int] = []

    def build(_settings: object, _surroundings: object) -> Probe:
        built.append(1)
        raise ModuleNotFoundError("No module named 'psycopg'")

    broken = Check(check.settings, replace(check.kind, build=build))
    one = sampler(broken)
    assert (await one.sample()).state == "unknown"
    assert "psycopg" in (await one.sample()).message
    assert len(built) == 2


@pytest.mark.asyncio
async def test_a_sample_that_still_hangs_is_not_started_twice() -> None:
    release = asyncio.Event()
    started: list[int] = []

    async def stubborn() -> Outcome:
        started.append(1)
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await release.wait()
        return Outcome("up")

    one = sampler(told_check(stubborn))
    assert (await one.sample()).state == "down"
    second = await one.sample()
    assert second.state == "unknown"
    assert "still hangs" in second.message
    assert len(started) == 1
    release.set()
    await asyncio.sleep(0.01)
    assert (await one.sample()).state == "up"


@pytest.mark.asyncio
async def test_a_thread_that_hangs_delays_nobody() -> None:
    release = threading.Event()

    async def in_a_thread() -> Outcome:
        await asyncio.get_running_loop().run_in_executor(None, release.wait)
        return Outcome("up")

    try:
        found = await once(in_a_thread, Silence.UNKNOWN)
    finally:
        release.set()
    assert found.state == "unknown"


@pytest.mark.asyncio
async def test_lost_packets_are_tried_again_inside_one_sample() -> None:
    answers = [Outcome("down", "lost"), Outcome("down", "lost"), Outcome("up", "there")]

    async def flaky() -> Outcome:
        return answers.pop(0)

    assert (await once(flaky, tries=3)).state == "up"
    assert answers == []


@pytest.mark.asyncio
async def test_a_silent_try_leaves_time_for_the_next_one() -> None:
    calls: list[int] = []

    async def silent_once() -> Outcome:
        calls.append(1)
        if len(calls) == 1:
            return await hang()
        return Outcome("up")

    assert (await once(silent_once, tries=2)).state == "up"


@pytest.mark.asyncio
async def test_a_time_out_that_fires_late_is_not_a_down() -> None:
    clock = HandClock()

    async def stopped() -> Outcome:
        clock.now += 100 + 251
        return Outcome("down", "timed out")

    found = await sampler(told_check(stopped), clock).sample()
    assert found.state == "unknown"
    assert "agent was starved" in found.message


@pytest.mark.parametrize(("held_up_s", "state"), [(0.0, "down"), (0.3, "unknown")])
@pytest.mark.asyncio
async def test_silence_is_not_a_down_where_the_agent_did_not_run_for_much_of_the_time(
    held_up_s: float, state: str
) -> None:
    check = told_check(hang, timeout_ms=400)
    asyncio.get_running_loop().call_later(0.02, time.sleep, held_up_s)
    found = await sampler(check).sample()
    # It ends in time: neither a late time-out nor a late tick tells of it.
    assert found.end - found.begin < 400 + 250
    assert found.state == state


@pytest.mark.asyncio
async def test_a_good_sample_that_was_stretched_says_too_little_of_when() -> None:
    clock = HandClock()

    async def stopped() -> Outcome:
        clock.now += 100 + 251
        return Outcome("up")

    found = await sampler(told_check(stopped), clock).sample()
    assert (found.state, found.message) == ("unknown", "agent was starved; it had seen: up")


@pytest.mark.asyncio
async def test_a_time_out_that_fires_in_time_is_a_down() -> None:
    clock = HandClock()

    async def timed_out() -> Outcome:
        clock.now += 100 + 250
        return Outcome("down", "timed out")

    assert (await sampler(told_check(timed_out), clock).sample()).state == "down"


@pytest.mark.asyncio
@pytest.mark.parametrize("is_ticked_first", [True, False])
async def test_a_failure_across_a_starved_tick_is_not_a_down(is_ticked_first: bool) -> None:
    clock = HandClock()
    starvation = Starvation(1_000)
    starvation.ticked(clock.now, clock.now + 1_000)

    async def stopped() -> Outcome:
        clock.now += 6_000
        if is_ticked_first:
            starvation.ticked(clock.now, clock.now + 1_000)
        return Outcome("down", "refused")

    check = told_check(stopped, timeout_ms=10_000)
    assert (await sampler(check, clock, starvation).sample()).state == "unknown"


@pytest.mark.asyncio
async def test_an_old_starvation_does_not_excuse_a_later_failure() -> None:
    clock = HandClock()
    starvation = Starvation(1_000)
    starvation.ticked(clock.now, clock.now + 1_000)
    clock.now += 6_000
    starvation.ticked(clock.now, clock.now + 1_000)
    clock.now += 500

    async def refused() -> Outcome:
        return Outcome("down", "refused")

    assert (await sampler(told_check(refused), clock, starvation).sample()).state == "down"


@pytest.mark.asyncio
async def test_messages_and_marks_fit_the_wire() -> None:
    async def talkative() -> Outcome:
        return Outcome("up", "x" * 9_999 + "\udcff", {f"mark-{number}" * 20: "y" * 9_999 for number in range(20)})

    found = await once(talkative)
    assert len(found.message) == limits.MESSAGE_CHARACTERS
    assert len(found.marks) == limits.MARKS
    assert all(len(name) <= limits.NAME_CHARACTERS for name in found.marks)
    found.message.encode()
