import asyncio
import gc
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from types import ModuleType

import pytest

from agent.agent_fakes import LoopClock
from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.loading import LoadedProbe, Turns
from detak_agent.runner import Check, Sampler, Starvation


class Ready:
    """A client that is up."""

    async def sample(self, _deadline_ms: int) -> Outcome:
        return Outcome("up")


def slowly(seconds: float, moments: list[tuple[float, float]] | None = None) -> Callable[[], Ready]:
    def load() -> Ready:
        begin = time.monotonic()
        time.sleep(seconds)
        if moments is not None:
            moments.append((begin, time.monotonic()))
        return Ready()

    return load


def sampler_of(load: Callable[[], Ready], timeout_ms: int = 4_000, extra: str = "") -> Sampler:
    kind = Kind(
        name="loaded",
        summary="needs a library",
        settings=CheckSettings,
        build=lambda _settings, _surroundings: LoadedProbe(load, extra),
        target=lambda _settings: "a thing",
        remote=lambda _settings: False,
        silence=Silence.DOWN,
    )
    settings = CheckSettings(name="one", kind="loaded", timeout_ms=timeout_ms)
    return Sampler(Check(settings, kind), Surroundings(), LoopClock(), Starvation(60_000))


def loading(load: Callable[[], Ready]) -> Callable[[], "asyncio.Future[None]"]:
    return lambda: asyncio.ensure_future(LoadedProbe(load).load(4_000))


@asynccontextmanager
async def held_up() -> AsyncIterator[Callable[[], Ready]]:
    """A way to load that hangs for as long as the block lasts."""
    release = threading.Event()

    def load() -> Ready:
        release.wait(10)
        return Ready()

    try:
        yield load
    finally:
        release.set()


@pytest.mark.asyncio
async def test_kinds_load_one_after_another_and_leave_the_loop_as_much_time_in_between() -> None:
    turns, moments = Turns(), list[tuple[float, float]]()
    await asyncio.gather(*(turns.take(kind, loading(slowly(0.05, moments))) for kind in "abc"))
    assert len(moments) == 3
    for (began, ended), (then, _) in pairwise(moments):
        assert then - ended >= (ended - began) / 2


@pytest.mark.asyncio
async def test_a_kind_that_hangs_while_it_loads_keeps_no_other_from_loading() -> None:
    turns = Turns(longest_s=0.05)
    async with held_up() as load:
        hung = asyncio.ensure_future(turns.take("hung", loading(load)))
        await asyncio.sleep(0)
        await asyncio.wait_for(turns.take("other", loading(slowly(0))), 5)
        assert not hung.done()
    await hung


@pytest.mark.asyncio
async def test_further_checks_of_a_kind_that_is_loaded_wait_for_none_of_their_own() -> None:
    turns = Turns(longest_s=60)
    await turns.take("loaded", loading(slowly(0)))
    async with held_up() as load:
        hung = [asyncio.ensure_future(turns.take("loaded", loading(load))) for _ in range(8)]
        await asyncio.wait_for(turns.take("loaded", loading(slowly(0))), 5)
        await asyncio.wait_for(turns.take("other", loading(slowly(0))), 5)
        assert not any(one.done() for one in hung)
    await asyncio.gather(*hung)


@pytest.mark.asyncio
async def test_a_turn_that_is_given_up_is_free_for_the_next() -> None:
    turns = Turns(longest_s=60)
    async with held_up() as load:
        given_up = asyncio.ensure_future(turns.take("hung", loading(load)))
        await asyncio.sleep(0.02)
        given_up.cancel()
        with suppress(asyncio.CancelledError):
            await given_up
        await asyncio.wait_for(turns.take("other", loading(slowly(0))), 5)


@pytest.mark.asyncio
async def test_who_is_told_to_stop_as_the_loading_ends_stops() -> None:
    loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(Turns(longest_s=0).take("any", lambda: asyncio.wait_for(loaded, 60)))
    await asyncio.sleep(0.02)
    loaded.set_result(None)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.asyncio
async def test_what_was_imported_is_not_searched_for_garbage_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Ready:
        monkeypatch.setitem(sys.modules, "imported_by_a_kind", ModuleType("imported_by_a_kind"))
        return Ready()

    gc.unfreeze()
    await Turns().take("any", loading(load))
    assert gc.get_freeze_count() > 1_000
    gc.unfreeze()


@pytest.mark.asyncio
async def test_what_an_earlier_run_has_left_is_still_searched_for_garbage() -> None:
    gc.unfreeze()
    await Turns().take("any", loading(slowly(0)))
    assert gc.get_freeze_count() == 0


@pytest.mark.asyncio
async def test_the_first_sample_begins_when_its_library_is_there_and_measures_at_once() -> None:
    moments: list[tuple[float, float]] = []
    sampler = sampler_of(slowly(0.15, moments), timeout_ms=200)
    await sampler.prepare(Turns())
    found = await sampler.sample()
    assert found.state == "up"
    assert found.begin >= int(moments[0][1] * 1_000)


@pytest.mark.asyncio
async def test_a_sample_that_had_to_load_first_says_so_rather_than_measure_in_haste() -> None:
    sampler = sampler_of(slowly(0.15), timeout_ms=200)
    early, then = await sampler.sample(), await sampler.sample()
    assert (early.state, then.state) == ("unknown", "up")
    assert "loading the check's client took too long" in early.message


@pytest.mark.asyncio
async def test_a_library_that_is_not_there_is_named_with_what_brings_it() -> None:
    def load() -> Ready:
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    sampler = sampler_of(load, extra="postgresql")
    await sampler.prepare(Turns())
    found = await sampler.sample()
    assert found.state == "unknown"
    assert found.message == "the library psycopg that this kind needs is not installed: install detak-agent[postgresql]"


@pytest.mark.asyncio
async def test_a_client_that_loads_for_longer_than_a_sample_is_waited_for_and_not_loaded_twice() -> None:
    calls: list[int] = []
    async with held_up() as hang:

        def load() -> Ready:
            calls.append(1)
            return hang()

        sampler = sampler_of(load, timeout_ms=100)
        await sampler.prepare(Turns())
        found = await sampler.sample()
        assert found.state == "unknown"
        assert "still being loaded" in found.message
    await sampler.prepare(Turns())
    assert (await sampler.sample()).state == "up"
    assert len(calls) == 1


@pytest.mark.asyncio
async def test_an_error_in_loading_is_met_again_by_the_next_sample() -> None:
    def load() -> Ready:
        raise CouldNotCheckError("ca_file /x holds no certificate in PEM form")

    probe = LoadedProbe(load)
    for _ in range(2):
        with pytest.raises(CouldNotCheckError, match="holds no certificate"):
            await probe.load(1_000)
