import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.threads import Lane, in_thread


@pytest.mark.asyncio
async def test_a_result_and_an_error_come_back_from_the_thread() -> None:
    assert await in_thread(lambda: 6 * 7) == 42
    with pytest.raises(FileNotFoundError):
        await in_thread(Path("/does/not/exist").read_bytes)


@pytest.mark.asyncio
async def test_what_a_call_that_was_given_up_ends_with_is_nobodys_and_is_not_logged() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    release = threading.Event()

    def fail() -> None:
        release.wait(10)
        raise OSError("too late")

    given_up = in_thread(fail)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(given_up), 0.02)
    release.set()
    await asyncio.wait({given_up})
    del given_up
    gc.collect()
    await asyncio.sleep(0)
    assert told == []


@pytest.mark.asyncio
async def test_a_hung_function_is_given_up_and_not_started_twice() -> None:
    lane, release, calls = Lane(), threading.Event(), []

    def hang() -> str:
        calls.append(1)
        release.wait(10)
        return "free"

    with pytest.raises(asyncio.TimeoutError):
        await lane.run(hang, 40)
    with pytest.raises(CouldNotCheckError, match="still hangs"):
        await lane.run(hang, 40)
    assert len(calls) == 1
    release.set()
    for _ in range(1_000):
        with contextlib.suppress(CouldNotCheckError):
            assert await lane.run(hang, 4_000) == "free"
            return
        await asyncio.sleep(0.005)
    pytest.fail("the lane never became free again")


@pytest.mark.asyncio
async def test_a_thread_serves_one_call_after_another_and_a_hung_one_holds_up_no_other() -> None:
    release = threading.Event()
    hung = [in_thread(lambda: release.wait(10)) for _ in range(8)]
    served = []
    for _ in range(20):
        served.append(await in_thread(threading.current_thread))
        await asyncio.sleep(0.002)
    assert len(set(served)) < len(served)
    release.set()
    assert await asyncio.gather(*hung) == [True] * 8


@pytest.mark.asyncio
async def test_threads_that_are_not_needed_any_more_end() -> None:
    before = set(threading.enumerate())
    begun = threading.Barrier(24)
    await asyncio.gather(*(in_thread(begun.wait) for _ in range(24)))
    for _ in range(1_000):
        if len(set(threading.enumerate()) - before) <= 4:
            return
        await asyncio.sleep(0.005)
    pytest.fail("threads were left")


def test_a_hung_function_does_not_keep_the_process_from_ending() -> None:
    code = """
import asyncio, time
from detak_agent.checks.threads import Lane
async def main():
    try:
        await Lane().run(lambda: time.sleep(60), 50)
    except asyncio.TimeoutError:
        print("given up")
asyncio.run(main())
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert (finished.stdout, finished.stderr) == ("given up\n", "")
