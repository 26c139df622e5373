import asyncio
import ctypes
import gc
import re
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.agent_fakes import LoopClock, told_check
from detak_agent.checks.base import CouldNotCheckError, Outcome, Silence, Surroundings
from detak_agent.memory import keep_what_is_there, let_go
from detak_agent.runner import Sampler, Starvation


class Held(bytearray):
    """Something large that was read; whether it still is there can be seen."""


class Ring:
    """Garbage that only a search for it finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def unsearched() -> Iterator[None]:
    """No search for garbage but those that a test asks for."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "error", [CouldNotCheckError("too much"), ConnectionResetError("gone"), ZeroDivisionError("oh")], ids=repr
)
async def test_what_a_failed_sample_had_read_is_freed_with_the_sample(error: Exception) -> None:
    seen: list[weakref.ref[Held]] = []

    def read() -> None:
        held = Held(1_000_000)
        seen.append(weakref.ref(held))
        raise ValueError(len(held))

    async def answer() -> Outcome:
        try:
            await asyncio.wait_for(asyncio.to_thread(read), 5)
        except ValueError as cause:
            raise error from cause
        return Outcome("up")

    sampler = Sampler(told_check(answer, Silence.DOWN), Surroundings(), LoopClock(), Starvation(1_000))
    sample = await sampler.sample()
    assert sample.state in {"down", "unknown"}
    assert seen[0]() is None


def raised(error: Exception) -> Exception:
    """The same, and it knows where."""
    with pytest.raises(type(error)):
        raise error
    return error


def test_letting_go_of_an_error_keeps_its_words_and_ends_though_the_chain_is_a_ring() -> None:
    first, second = raised(ValueError("first")), raised(KeyError("second"))
    first.__cause__, second.__context__ = second, first
    let_go(first)
    assert (str(first), first.__cause__) == ("first", second)
    assert first.__traceback__ is second.__traceback__ is None


def test_garbage_is_not_kept_with_what_was_imported() -> None:
    ring = Ring()
    seen = weakref.ref(ring)
    del ring
    keep_what_is_there()
    assert seen() is None
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


_HEAPS = """
import ctypes, re, sys, threading
from detak_agent.memory import bound_heap
bound_heap()
library = ctypes.CDLL(None)
library.malloc.restype = library.fopen.restype = ctypes.c_void_p
library.malloc.argtypes, library.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
library.malloc_info.argtypes, library.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
together = threading.Barrier(12)
def hold():
    together.wait()
    one = library.malloc(1_000)
    together.wait()
    library.free(one)
threads = [threading.Thread(target=hold) for _ in range(12)]
[one.start() for one in threads]
[one.join() for one in threads]
library.free(library.malloc(16_000_000))
large = library.malloc(16_000_000)
file = library.fopen(sys.argv[1].encode(), b"w")
library.malloc_info(0, file)
library.fclose(file)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library is another than GNU's")
def test_many_threads_share_two_heaps_and_no_large_block_lies_in_one(tmp_path: Path) -> None:
    told = tmp_path / "heaps.xml"
    subprocess.run([sys.executable, "-c", _HEAPS, str(told)], check=True)
    heaps = told.read_text(encoding="ascii")
    assert 1 <= heaps.count("<heap nr=") <= 2
    mapped = re.search(r'<total type="mmap" count="(\d+)" size="(\d+)"/>', heaps)
    assert mapped is not None
    assert int(mapped[2]) >= 16_000_000
