import asyncio
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
    for thread in threading.enumerate():
        if thread.name == "detak-check":
            thread.join()
    await asyncio.sleep(0)
    assert await lane.run(hang, 4_000) == "free"


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
