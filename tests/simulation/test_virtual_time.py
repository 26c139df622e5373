"""The simulation's own ground: virtual loops keep time, stand still, and end as processes do."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from simulation.world import Disk, VirtualLoop, World, process


def _process(world: World, work: Callable[[], Awaitable[None]]) -> VirtualLoop:
    loop = process(world, Disk(world, Random(1)))

    async def run() -> None:
        await work()

    loop.at(0.0, lambda: loop.create_task(run()))
    return loop


def _ticking(world: World) -> tuple[VirtualLoop, list[float]]:
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            ticks.append(world.now)

    return _process(world, tick), ticks


def test_time_jumps_from_one_timer_to_the_next() -> None:
    world = World()
    _, ticks = _ticking(world)
    world.run(3_500.0)
    assert ticks == [1_000.0, 2_000.0, 3_000.0]
    assert world.now == 3_500.0


def test_a_frozen_process_does_nothing_until_it_goes_on() -> None:
    world = World()
    loop, ticks = _ticking(world)
    world.at(1_500.0, lambda: loop.freeze(9_000.0))
    world.run(10_500.0)
    assert ticks == [1_000.0, 9_000.0, 10_000.0]


def test_a_machine_that_stands_still_takes_its_timers_with_it() -> None:
    world = World()
    loop, ticks = _ticking(world)
    world.at(1_500.0, lambda: loop.stand_still(9_000.0))
    world.run(10_600.0)
    assert ticks == [1_000.0, 9_500.0, 10_500.0]


def test_steering_bends_the_timers() -> None:
    world = World()
    loop, ticks = _ticking(world)
    loop.steer(0.5)
    world.run(4_500.0)
    assert ticks == [2_000.0, 4_000.0]


def test_a_killed_process_does_nothing_more_and_what_its_disk_had_not_done_is_not_done() -> None:
    world, done = World(), []
    loop, ticks = _ticking(world)
    world.at(1_500.0, lambda: loop.durably(lambda: done.append("written")))
    world.at(1_500.0, loop.kill)
    world.run(5_000.0)
    assert (ticks, done) == ([1_000.0], [])


def test_the_disk_does_one_thing_after_another() -> None:
    world = World()
    done: list[int] = []

    async def write() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, done.append, number) for number in range(20)))

    _process(world, write)
    world.run(1_000.0)
    assert done == list(range(20))


def test_a_task_that_fails_is_a_failure_of_the_world() -> None:
    world = World()

    async def fail() -> None:
        asyncio.get_running_loop().call_soon(_stumble)

    _process(world, fail)
    world.run(10.0)
    assert len(world.failures) == 1
    assert "stumbled" in world.failures[0]


def _stumble() -> None:
    raise ValueError("stumbled")
