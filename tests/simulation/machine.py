"""The clocks: a node's drifting oscillator and wall clock, boot after boot, and the collector's, slewed but right."""

import math
from random import Random

from simulation.world import World

EPOCH_MS = 1_780_000_000_000
"""UTC at the begin of the world."""


class NodeClock:
    """The clocks of the boot that runs, as the agent's seam wants them. True time is the world's."""

    def __init__(self, world: World, random: Random, drift_ppm: float) -> None:
        self._world = world
        self._random = random
        self._worst_ppm = drift_ppm
        self.wall_offset = random.uniform(-5_000.0, 5_000.0)
        self.power_on(-random.uniform(60_000.0, 40 * 86_400_000.0))

    def power_on(self, moment: float) -> None:
        """Another boot begins."""
        self._boot = f"{self._random.getrandbits(128):032x}"
        self._init_ms = self._random.uniform(50.0, 3_000.0)
        self._since, self._reckoned = moment, 0.0
        self._suspended = 0.0
        self._ppm = self._draw_ppm()

    def warm_up(self) -> None:
        """The oscillator drifts at another rate from now on, within its bound."""
        self._reckoned, self._since = self._agent(), max(self._since, self._world.now)
        self._ppm = self._draw_ppm()

    def step_wall(self, by_ms: float) -> None:
        """Somebody sets the wall clock."""
        self.wall_offset += by_ms

    def stand_still(self, until: float) -> None:
        """The guest is frozen, and all its clocks with it."""
        self._reckoned, begin = self._agent(), max(self._since, self._world.now)
        self._since = max(until, begin)
        self.wall_offset -= self._since - begin

    def suspend(self, length_ms: float) -> None:
        """The machine sleeps, which agent time counts as well."""
        self._suspended += length_ms

    def set_back(self, agent: float, resumed: float) -> None:
        """The machine goes on, at a moment to come, from an earlier state of itself."""
        self.wall_offset -= resumed - self._world.now + self._agent() - agent
        self._reckoned, self._since = agent, resumed

    def exact(self) -> float:
        """Agent time, unrounded."""
        return self._agent()

    def begin(self) -> int:
        return math.floor(self._agent())

    def end(self) -> int:
        return math.ceil(self._agent())

    def utc(self) -> int:
        return math.floor(EPOCH_MS + self._world.now + self.wall_offset)

    def boot(self) -> str:
        return self._boot

    def init_started(self) -> int:
        return math.floor(min(self._init_ms, self._agent()))

    def suspended(self) -> int:
        return math.floor(self._suspended)

    def error_ms(self) -> int | None:
        return None

    def _agent(self) -> float:
        return self._reckoned + max(0.0, self._world.now - self._since) * (1 + self._ppm / 1_000_000)

    def _draw_ppm(self) -> float:
        extreme = self._random.choice((-1.0, 1.0, self._random.uniform(-1.0, 1.0)))
        return extreme * self._worst_ppm


class CollectorClock:
    """The collector's UTC is right to within `error_ms`, slewed, unless somebody steps it. Its BOOTTIME is true."""

    def __init__(self, world: World, random: Random, error_ms: float) -> None:
        self._world = world
        self._wave_ms = random.uniform(400_000.0, 3_600_000.0)
        self._phase = random.random()
        self._error_ms = error_ms
        self._booted = random.uniform(60_000.0, 10_000_000.0)
        self.off_ms = 0.0

    def step(self, by_ms: float) -> None:
        """Somebody sets the clock."""
        self.off_ms += by_ms

    def utc(self) -> float:
        angle = 2 * math.pi * (self._world.now / self._wave_ms + self._phase)
        return EPOCH_MS + self._world.now + self._error_ms * math.sin(angle) + self.off_ms

    def boottime(self) -> float:
        return self._booted + self._world.now
