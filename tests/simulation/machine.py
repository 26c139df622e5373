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
        self._ppm = self._draw_ppm()

    def warm_up(self) -> None:
        """The oscillator drifts at another rate from now on, within its bound."""
        self._reckoned, self._since = self._agent(), self._world.now
        self._ppm = self._draw_ppm()

    def step_wall(self, by_ms: float) -> None:
        """Somebody sets the wall clock."""
        self.wall_offset += by_ms

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

    def error_ms(self) -> int | None:
        return None

    def _agent(self) -> float:
        return self._reckoned + (self._world.now - self._since) * (1 + self._ppm / 1_000_000)

    def _draw_ppm(self) -> float:
        extreme = self._random.choice((-1.0, 1.0, self._random.uniform(-1.0, 1.0)))
        return extreme * self._worst_ppm


class CollectorClock:
    """The collector's UTC is right to within `error_ms`: it is slewed, never stepped. Its BOOTTIME is true."""

    def __init__(self, world: World, random: Random, error_ms: float) -> None:
        self._world = world
        self._wave_ms = random.uniform(400_000.0, 3_600_000.0)
        self._phase = random.random()
        self._error_ms = error_ms
        self._booted = random.uniform(60_000.0, 10_000_000.0)

    def utc(self) -> float:
        angle = 2 * math.pi * (self._world.now / self._wave_ms + self._phase)
        return EPOCH_MS + self._world.now + self._error_ms * math.sin(angle)

    def boottime(self) -> float:
        return self._booted + self._world.now
