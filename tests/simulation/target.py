"""What an agent's check looks at: a thing whose true state the simulation knows."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from random import Random

from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence
from detak_wire.messages import State
from simulation.faults import Stretch
from simulation.machine import NodeClock
from simulation.world import World

CHECK = "c"
"""What every node's check of its main target is called."""

_POLL_S = 0.1
_HANGS = 0.2
_ANSWERS_AT_ONCE = 0.3
_DEGRADED = 0.02
STEERED = 0.08
"""How much faster or slower than true a kernel's steered clocks may run."""


class Target:
    """Down in the stretches of `down`; `restarts`, if it marks them, are when it was started anew."""

    def __init__(
        self,
        world: World,
        random: Random,
        down: Sequence[Stretch],
        *,
        restarts: Sequence[float] | None = None,
        is_remote: bool = False,
    ) -> None:
        self.unable_until = 0.0
        self.on_asked: Callable[[], None] | None = None
        self._world = world
        self._random = random
        self._begins = [begin for begin, _ in down]
        self._ends = [end for _, end in down]
        self._restarts = restarts
        self._is_remote = is_remote
        self._set_back: tuple[float, float] = (0.0, 0.0)
        self._clock: NodeClock | None = None
        self._bent = 1 + random.uniform(-STEERED, STEERED)
        self._starts: dict[float, str] = {}

    def kind(self, check: str) -> Kind:
        """The check kind that looks at it. An unchanged mark of `systemd` says that it ran throughout."""
        return Kind(
            name=f"target-{check}" if self._restarts is None else "systemd",
            summary="a simulated target",
            settings=CheckSettings,
            build=lambda _settings, _surroundings: self,
            target=lambda _: "target",
            remote=lambda _: self._is_remote,
            silence=Silence.DOWN,
        )

    def runs_on(self, clock: NodeClock) -> None:
        """It is on the machine of this clock."""
        self._clock = clock

    def set_back(self, to: float, resumed: float) -> None:
        """From that moment on it is, as a process, what it was at an earlier one."""
        if self._restarts is not None:
            self._set_back = (resumed, self._started(self._restarts, to))

    async def sample(self, deadline_ms: int) -> Outcome:
        """One look: refused, unanswered or answered, as the target is at one instant of it."""
        if self.on_asked is not None:
            self.on_asked()
            self.on_asked = None
        longest = self._random.choice((0.0003, 0.005, 0.08, self._random.uniform(0.0, deadline_ms / 2_500)))
        await asyncio.sleep(longest * self._random.random())
        if self._world.now < self.unable_until:
            raise CouldNotCheckError("a missing right")
        if self._is_down():
            if self._random.random() >= _HANGS:
                raise ConnectionRefusedError(111, "Connection refused")
            await self._hang()
        answer = self._answer()
        if self._random.random() < _ANSWERS_AT_ONCE:
            return answer
        await asyncio.sleep(longest * self._random.random())
        return answer

    async def _hang(self) -> None:
        """No answer until it is up again; whoever asks gives up before that, or gets one."""
        while self._is_down():  # noqa: ASYNC110 - a target tells nobody when it is back
            await asyncio.sleep(_POLL_S)

    def _answer(self) -> Outcome:
        state: State = "degraded" if self._random.random() < _DEGRADED else "up"
        if self._restarts is None:
            return Outcome(state)
        started = self._started(self._restarts, self._world.now)
        if started not in self._starts:
            self._starts[started] = self._start_mark(started)
        return Outcome(state, marks={"process_start": self._starts[started]})

    def _start_mark(self, started: float) -> str:
        """As the kernel tells it: in hundredths of a second of BOOTTIME, which is steered as agent time is not."""
        assert self._clock is not None
        since_boot = self._clock.exact() - (self._world.now - started)
        return f"{len(self._starts) + 2}:{max(0, int(since_boot * self._bent / 10))}"

    def _is_down(self) -> bool:
        return bisect_right(self._ends, self._world.now) < bisect_right(self._begins, self._world.now)

    def _started(self, restarts: Sequence[float], moment: float) -> float:
        """When the process that answers then was started, as it says itself."""
        place = bisect_right(restarts, moment)
        started = restarts[place - 1] if place else 0.0
        resumed, was_started = self._set_back
        return was_started if resumed and started <= resumed <= moment else started
