"""What the agent's check looks at: a thing whose true state the simulation knows."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from random import Random

from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence
from detak_wire.messages import State
from simulation.world import World

Stretch = tuple[float, float]

_POLL_S = 0.1
_HANGS = 0.2
_ANSWERS_AT_ONCE = 0.3
_DEGRADED = 0.02


class Target:
    """Down in the stretches of `down`; each time it comes up it is another incarnation, which its mark tells."""

    def __init__(self, world: World, random: Random, down: Sequence[Stretch], *, marked: bool) -> None:
        self.unable_until = 0.0
        self.on_asked: Callable[[], None] | None = None
        self._world = world
        self._random = random
        self._begins = [begin for begin, _ in down]
        self._ends = [end for _, end in down]
        self._marked = marked

    @property
    def kind(self) -> Kind:
        """The check kind that looks at it. An unchanged mark of a `process` says that it ran throughout."""
        return Kind(
            name="process" if self._marked else "target",
            summary="a simulated target",
            settings=CheckSettings,
            build=lambda _settings, _surroundings: self,
            target=lambda _: "target",
            remote=lambda _: False,
            silence=Silence.DOWN,
        )

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
        return Outcome(state, marks={"started": str(self._incarnation())} if self._marked else {})

    def _is_down(self) -> bool:
        return self._incarnation() < bisect_right(self._begins, self._world.now)

    def _incarnation(self) -> int:
        return bisect_right(self._ends, self._world.now)
