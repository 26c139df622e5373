"""The stage of one history: a node, a network and a collector, and the hands that hurt them as a plan says."""

import math
from collections.abc import Callable
from pathlib import Path
from random import Random

from detak_collector.downtime.intervals import Intervals
from simulation.agent import SimulatedAgent
from simulation.collector import SimulatedCollector
from simulation.machine import EPOCH_MS, CollectorClock, NodeClock
from simulation.network import Network, Trouble
from simulation.plan import Fault, Plan, too_short
from simulation.target import Target
from simulation.world import World

COLLECTOR_ERROR_MS = 25.0
WALL_STEPS_MS = (300.0, 5_000.0, 86_400_000.0)
STEERING = 0.08


class Stage:
    """Everything of one history. All its randomness comes from the seed, by the part that draws it."""

    def __init__(self, seed: str, plan: Plan, empty_store: Path, directory: Path, drift_ppm: float) -> None:
        def random(part: str) -> Random:
            return Random(f"{seed}/{part}")

        self.plan = plan
        self.world = World()
        agent_state, collector_state = directory / "agent", directory / "collector"
        agent_state.mkdir()
        collector_state.mkdir()
        clock = CollectorClock(self.world, random("collector clock"), COLLECTOR_ERROR_MS)
        self.collector = SimulatedCollector(collector_state, empty_store, self.world, clock, random("collector"))
        self.network = Network(self.world, random("network"), self.collector)
        self.target = Target(self.world, random("target"), plan.down, marked=plan.marked)
        self.agent = SimulatedAgent(
            agent_state,
            plan.pace,
            self.target,
            NodeClock(self.world, random("clock"), drift_ppm),
            self.network,
            random("agent"),
        )
        self.agent.guarded_ms = plan.guarded_ms
        self._random = random("faults")
        self._host_is_up = True
        self._hands: dict[str, Callable[[Fault], None]] = {
            "crash": self._crash,
            "hidden-crash": self._hidden_crash,
            "dying-crash": self._dying_crash,
            "kill-agent": self._kill_agent,
            "stop-agent": self._stop_agent,
            "reload": lambda _: self.agent.reload(),
            "freeze": self._freeze,
            "freeze-in-sample": self._freeze_in_sample,
            "starve": self._starve,
            "slow-disk": self._slow_disk,
            "unable": self._unable,
            "step-wall": self._step_wall,
            "steer": self._steer,
            "warm-up": self._warm_up,
            "kill-collector": self._kill_collector,
            "pause-collector": self._pause_collector,
            "slow-store": self._slow_store,
        }

    def prepare(self) -> None:
        """Start everything, and let happen what is planned when its time comes."""
        self.collector.start()
        self.agent.start()
        for fault in self.plan.faults:
            self.world.at(fault.at, self._happening(fault))

    def clear(self) -> None:
        """End every process."""
        self.agent.kill()
        self.collector.kill()

    def truth(self) -> Intervals:
        """The whole milliseconds in which the target is down, in UTC."""
        return Intervals.of((EPOCH_MS + math.ceil(begin), EPOCH_MS + math.floor(end)) for begin, end in self.plan.down)

    def hidden(self) -> Intervals:
        """The outages and recoveries, in UTC, that two samples may have between them."""
        short = too_short(self.plan.down, self.plan.pace.long_enough_ms)
        return Intervals.of((EPOCH_MS + begin, EPOCH_MS + end) for begin, end in short)

    def _happening(self, fault: Fault) -> Callable[[], None]:
        return lambda: self._happen(fault)

    def _happen(self, fault: Fault) -> None:
        if fault.kind in _TROUBLES:
            for trouble in _TROUBLES[fault.kind]:
                self.network.trouble(trouble, fault.end)
        else:
            self._hands[fault.kind](fault)

    def _crash(self, fault: Fault) -> None:
        self.agent.kill()
        self._host_is_up = False
        self.world.at(fault.end, self._boot)
        self.world.at(fault.end + fault.agent_after, self._start_agent)

    def _hidden_crash(self, fault: Fault) -> None:
        for trouble in _TROUBLES["cut"]:
            self.network.trouble(trouble, fault.end)
        self.world.at(fault.crashed_at, lambda: self._crash(fault))

    def _dying_crash(self, fault: Fault) -> None:
        self.agent.kill()
        self.world.at(fault.crashed_at, lambda: self._crash(fault))

    def _boot(self) -> None:
        self._host_is_up = True
        self.agent.clock.power_on(self.world.now)

    def _start_agent(self) -> None:
        if self._host_is_up:
            self.agent.start()

    def _kill_agent(self, fault: Fault) -> None:
        self.agent.kill()
        self.world.at(fault.end, self._start_agent)

    def _stop_agent(self, fault: Fault) -> None:
        self.agent.stop()
        self._start_once_stopped(self.agent.starts, fault.end)

    def _start_once_stopped(self, starts: int, at: float) -> None:
        def start() -> None:
            if self.agent.starts == starts and self.agent.lives:
                self._start_once_stopped(starts, self.world.now + 500.0)
            else:
                self._start_agent()

        self.world.at(at, start)

    def _freeze(self, fault: Fault) -> None:
        self.agent.freeze(fault.end)

    def _freeze_in_sample(self, fault: Fault) -> None:
        self.target.on_asked = lambda: self.agent.freeze(self.world.now + fault.length)

    def _starve(self, fault: Fault) -> None:
        at = fault.at
        while at < fault.end:
            self.world.at(at, self._starving(self._random.uniform(20.0, 700.0)))
            at += self._random.uniform(200.0, 2_000.0)

    def _starving(self, length: float) -> Callable[[], None]:
        return lambda: self.agent.freeze(self.world.now + length)

    def _slow_disk(self, fault: Fault) -> None:
        self.agent.disk.slow_down(fault.end)

    def _unable(self, fault: Fault) -> None:
        self.target.unable_until = fault.end

    def _step_wall(self, _: Fault) -> None:
        self.agent.clock.step_wall(self._random.uniform(-1.0, 1.0) * self._random.choice(WALL_STEPS_MS))

    def _steer(self, _: Fault) -> None:
        self.agent.steer(1.0 + self._random.uniform(-STEERING, STEERING))

    def _warm_up(self, _: Fault) -> None:
        self.agent.clock.warm_up()

    def _kill_collector(self, fault: Fault) -> None:
        self.collector.kill()
        self.world.at(fault.end, self.collector.start)

    def _pause_collector(self, fault: Fault) -> None:
        self.collector.pause(fault.end)

    def _slow_store(self, fault: Fault) -> None:
        self.collector.disk.slow_down(fault.end)


_TROUBLES: dict[str, tuple[Trouble, ...]] = {
    "cut": ("cut-out", "cut-in"),
    "cut-out": ("cut-out",),
    "cut-in": ("cut-in",),
    "loss": ("loss",),
    "lost-answers": ("lost-answers",),
    "doubling": ("doubling",),
    "delay": ("delay",),
}
