"""Virtual time: one world, and an event loop for each simulated process, which can be frozen and killed.

Nothing here waits, and nothing asks a real clock: the world jumps from one moment to the next. Times are milliseconds
since the world began, as floats.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextvars import Context
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

FOREVER = float("inf")
_MOST_STEPS_TO_BURY = 100_000


class World:
    """What time it is, who lives in it, and what will happen to them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.failures: list[str] = []
        self.loops: list[VirtualLoop] = []
        self._count = 0
        self._events: list[tuple[float, int, Callable[[], object]]] = []

    def next_place(self) -> int:
        """What comes first of two things at one moment: a count, so that a run can be repeated."""
        self._count += 1
        return self._count

    def at(self, moment: float, event: Callable[[], object]) -> None:
        """Let something happen that no process does."""
        heapq.heappush(self._events, (max(moment, self.now), self.next_place(), event))

    def run(self, until: float) -> None:
        """Everything up to a moment, in order."""
        while True:
            moment, _, step = self._next()
            if moment > until:
                break
            self.now = max(self.now, moment)
            step()
        self.now = until

    def _next(self) -> tuple[float, int, Callable[[], object]]:
        soonest: tuple[float, int, Callable[[], object]] = (FOREVER, 0, _nothing)
        if self._events:
            moment, place, _ = self._events[0]
            soonest = (moment, place, self._happen)
        for loop in self.loops:
            moment, place = loop.next_step()
            if (moment, place) < soonest[:2]:
                soonest = (moment, place, loop.step)
        return soonest

    def _happen(self) -> None:
        heapq.heappop(self._events)[2]()


def _nothing() -> None:
    """What happens at the end of time."""


class Disk:
    """How long a disk takes for one thing, in milliseconds; now and then it is slow."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._slow_until = 0.0
        self._full_until = 0.0

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be written."""
        return self._world.now < self._full_until

    def fill(self, until: float) -> None:
        """Something else has taken all the room."""
        self._full_until = max(self._full_until, until)

    def slow_down(self, until: float) -> None:
        """Something else is writing."""
        self._slow_until = max(self._slow_until, until)

    def delay(self) -> float:
        """For what is asked of it now."""
        if self._world.now < self._slow_until:
            return self._random.uniform(100.0, 3_000.0)
        return self._random.uniform(0.5, 8.0)


def process(world: World, disk: Disk) -> "VirtualLoop":
    """A new process. Its loop has what tasks, futures and timers ask of one, and nothing else."""
    return VirtualLoop(world, disk)  # type: ignore[abstract]


class VirtualLoop(asyncio.AbstractEventLoop):
    """One process. Steering bends its timers, freezing stops it, killing it unwinds its tasks."""

    def __init__(self, world: World, disk: Disk) -> None:
        self.world = world
        self.alive = True
        self.frozen_until = 0.0
        self.before_disk: Callable[[], None] | None = None
        """Asked before the disk does anything for this process; it raises where it cannot."""
        self._disk = disk
        self._disk_free = 0.0
        self._heap: list[tuple[float, int, asyncio.Handle]] = []
        self._tasks: dict[int, asyncio.Task[Any]] = {}
        self._grave = 0.0
        self._rate = 1.0
        self._since = world.now
        self._reckoned = world.now
        world.loops.append(self)

    def steer(self, rate: float) -> None:
        """From now on timers run at this rate."""
        self._reckoned, self._since, self._rate = self._monotonic(), max(self._since, self._now()), rate

    def freeze(self, until: float) -> None:
        """Run nothing before that moment; what falls due meanwhile runs then, in its order."""
        self.frozen_until = max(self.frozen_until, until)

    def stand_still(self, until: float) -> None:
        """The whole machine does nothing before that moment, and its timers do not run either."""
        self._reckoned, begin = self._monotonic(), max(self._since, self._now())
        self._since = max(until, begin)
        self._heap = [
            (due + self._since - begin if isinstance(handle, asyncio.TimerHandle) else due, place, handle)
            for due, place, handle in self._heap
        ]
        heapq.heapify(self._heap)
        self.freeze(until)

    def next_step(self) -> tuple[float, int]:
        """When this process does something next."""
        while self._heap and self._heap[0][2].cancelled():
            heapq.heappop(self._heap)
        if not self._heap:
            return (FOREVER, 0)
        due, place, _ = self._heap[0]
        return (max(due, self.frozen_until), place)

    def step(self) -> None:
        """Do it."""
        handle = heapq.heappop(self._heap)[2]
        if handle.cancelled():
            return
        asyncio._set_running_loop(self)
        try:
            handle._run()
        finally:
            asyncio._set_running_loop(None)

    def kill(self) -> None:
        """The process is gone at this instant. Its tasks are unwound apart, where they can reach nothing any more."""
        self.alive = False
        self.world.loops.remove(self)
        self._grave = self.world.now
        for _ in range(_MOST_STEPS_TO_BURY):
            for task in list(self._tasks.values()):
                task.cancel()
            while self._heap and self._tasks:
                self._grave = max(self._grave, self._heap[0][0])
                self.step()
            if not self._tasks:
                return
        raise AssertionError(f"tasks that will not end: {list(self._tasks.values())}")

    def durably(self, call: Callable[[], object]) -> None:
        """Have the disk do something, after all that it was asked before; the process goes on meanwhile."""
        begun = max(self._now(), self._disk_free)
        self._disk_free = begun + self._disk.delay()
        self._push((begun + self._disk_free) / 2, asyncio.Handle(self._if_alive, (call,), self))

    def at(self, moment: float, call: Callable[..., object], *arguments: object) -> None:
        """Have this process do something at a moment of the world's time."""
        self._push(moment, asyncio.Handle(call, arguments, self))

    def _if_alive(self, call: Callable[[], object]) -> None:
        if self.alive:
            call()

    def _push(self, due: float, handle: asyncio.Handle) -> None:
        heapq.heappush(self._heap, (due, self.world.next_place(), handle))

    def _now(self) -> float:
        return max(self.world.now, self._grave)

    def _monotonic(self) -> float:
        return self._reckoned + max(0.0, self._now() - self._since) * self._rate

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._monotonic() / 1_000

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, work: Coroutine[Any, Any, T] | Generator[Any, None, T], **_: object
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.Task(work, loop=self)
        self._tasks[id(task)] = task
        task.add_done_callback(self._forget)
        return task

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *arguments: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, arguments, self, context)
        self._push(self._now(), handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *arguments: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *arguments, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *arguments: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, arguments, self, context)
        self._push(self._since + (when * 1_000 - self._reckoned) / self._rate, handle)
        return handle

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, function: Callable[..., T], *arguments: Any
    ) -> asyncio.Future[T]:
        """What a thread would do: on the disk, in order, and its result when the disk has it."""
        result: asyncio.Future[T] = self.create_future()

        def work() -> None:
            try:
                if self.before_disk is not None:
                    self.before_disk()
                value = function(*arguments)
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                self.at(done, _settle, result, None, error)
            else:
                self.at(done, _settle, result, value, None)

        self.durably(work)
        done = self._disk_free
        return result

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.alive:
            self.world.failures.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: `next_step` passes over it."""

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(id(task), None)


def _settle(result: "asyncio.Future[Any]", value: object, error: Exception | None) -> None:
    if result.done():
        return
    if error is None:
        result.set_result(value)
    else:
        result.set_exception(error)
