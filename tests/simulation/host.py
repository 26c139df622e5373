"""One node's machine: it crashes and boots, stands still, is set back to a snapshot, and its agent with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from simulation.agent import SimulatedAgent
from simulation.faults import Fault
from simulation.machine import NodeClock
from simulation.target import CHECK, STEERED, Target
from simulation.world import FOREVER, World

WALL_STEPS_MS = (300.0, 5_000.0, 86_400_000.0)
_SNAPSHOT_TRIES_MS = 1.0


@dataclass
class Boot:
    """One boot of the machine, and from when to when, in the world's time."""

    name: str
    begin: float
    end: float = FOREVER
    is_set_back: bool = False
    """Whether its agent time has run backwards."""


@dataclass(frozen=True)
class Standstill:
    """The guest was frozen, or what it did meanwhile undone: agent time was `agent` at `begin` and again at `end`."""

    boot: Boot
    begin: float
    end: float
    agent: float
    is_undone: bool = False


class Host:
    """The machine under an agent, and the hands that hurt it."""

    def __init__(
        self, world: World, random: Random, agent: SimulatedAgent, clock: NodeClock, targets: Mapping[str, Target]
    ) -> None:
        self.agent = agent
        self.clock = clock
        self.targets = targets
        self.boots = [Boot(clock.boot(), 0.0)]
        self.standstills: list[Standstill] = []
        self.restores = 0
        self.suspends = 0
        self._world = world
        self._random = random
        self._is_up = True
        self._still_until = 0.0
        self._is_told = False
        self._snapshot: tuple[float, float] | None = None
        """World time and agent time of the last snapshot."""
        agent.start_again = self.start_agent
        self.hands: dict[str, Callable[[Fault], None]] = {
            "crash": self.crash,
            "hidden-crash": lambda fault: self._at(fault.gone_at, lambda: self.crash(fault)),
            "dying-crash": self._dying_crash,
            "frozen-guest": self._freeze_guest,
            "suspend": self._suspend,
            "restore": self._prepare_restore,
            "restore-disk": self._prepare_restore,
            "kill-agent": self._kill_agent,
            "stop-agent": self._stop_agent,
            "reload": lambda _: self.agent.reload(),
            "freeze": lambda fault: self.agent.freeze(fault.end),
            "freeze-in-sample": self._freeze_in_sample,
            "starve": self._starve,
            "slow-disk": lambda fault: self.agent.disk.slow_down(fault.end),
            "full-disk": lambda fault: self.agent.disk.fill(fault.end),
            "unable": self._unable,
            "step-wall": self._step_wall,
            "steer": self._steer,
            "warm-up": lambda _: self.clock.warm_up(),
        }

    @property
    def boot(self) -> Boot:
        """The one that runs, or ran last."""
        return self.boots[-1]

    def start_agent(self) -> None:
        """What systemd does, when the machine runs."""
        if self._is_still:
            self._at(self._still_until, self.start_agent)
        elif self._is_up:
            self.agent.start()

    def crash(self, fault: Fault) -> None:
        """The power goes, and comes back."""
        self._go()
        self._at(fault.end, self._boot)
        self._at(fault.end + fault.agent_after, self.start_agent)

    @property
    def _is_still(self) -> bool:
        return self._world.now < self._still_until

    def _at(self, moment: float, event: Callable[[], object]) -> None:
        self._world.at(moment, event)

    def _go(self) -> None:
        self.agent.kill()
        self._is_up = False

    def _boot(self) -> None:
        self._is_up = True
        self.boot.end = self._world.now
        self.clock.power_on(self._world.now)
        self.boots.append(Boot(self.clock.boot(), self._world.now))

    def _dying_crash(self, fault: Fault) -> None:
        self.agent.kill()
        self._at(fault.gone_at, lambda: self.crash(fault))

    def _freeze_guest(self, fault: Fault) -> None:
        if not self._is_up:
            return
        self.standstills.append(Standstill(self.boot, fault.at, fault.end, self.clock.exact()))
        self.clock.stand_still(fault.end)
        self._stand_still(fault.end)

    def _suspend(self, fault: Fault) -> None:
        if self._is_up:
            self.suspends += 1
            self.clock.suspend(fault.length)
            self._stand_still(fault.end)

    def _stand_still(self, until: float) -> None:
        self._still_until = until
        self.agent.stand_still(until)

    def _prepare_restore(self, fault: Fault) -> None:
        """Take a snapshot as soon as the disk is quiet, and go back to it later on."""
        self._snapshot = None
        self._try_snapshot(fault)
        self._at(fault.gone_at, lambda: self._set_back(fault))

    def _try_snapshot(self, fault: Fault) -> None:
        if self._snapshot is not None or self._world.now >= fault.gone_at:
            return
        if self.agent.snapshot():
            self._snapshot = self._world.now, self.clock.exact()
        else:
            self._at(self._world.now + _SNAPSHOT_TRIES_MS, lambda: self._try_snapshot(fault))

    def _set_back(self, fault: Fault) -> None:
        """The machine is gone, and goes on from the snapshot: with its memory, or with its disk alone."""
        self._go()
        if self._snapshot is not None:
            self.agent.restore_disk()
            self.restores += 1
        if fault.kind == "restore-disk" or self._snapshot is None:
            self._at(fault.end, self._boot)
            self._at(fault.end + fault.agent_after, self.start_agent)
        else:
            # Half of the hypervisors tell their guest.
            self._is_told = int(fault.lead) % 2 == 0
            self.clock.set_back(self._snapshot[1], fault.end)
            self.boot.is_set_back = True
            began, agent = self._snapshot
            self.standstills.append(Standstill(self.boot, began, fault.end, agent, is_undone=True))
            self._at(fault.end, self._resume)

    def _resume(self) -> None:
        assert self._snapshot is not None
        self._is_up = True
        for target in self.targets.values():
            target.set_back(self._snapshot[0], self._world.now)
        self.agent.restore_memory(is_told=self._is_told)

    def _kill_agent(self, fault: Fault) -> None:
        if not self._is_still:
            self.agent.kill()
            self._at(fault.end, self.start_agent)

    def _stop_agent(self, fault: Fault) -> None:
        self.agent.stop()
        self._start_once_stopped(self.agent.starts, fault.end)

    def _start_once_stopped(self, starts: int, at: float) -> None:
        def start() -> None:
            if self.agent.starts == starts and self.agent.lives:
                self._start_once_stopped(starts, self._world.now + 500.0)
            else:
                self.start_agent()

        self._at(at, start)

    def _freeze_in_sample(self, fault: Fault) -> None:
        def freeze() -> None:
            if self._world.now < fault.end:
                self.agent.freeze(self._world.now + fault.length)

        self.targets[CHECK].on_asked = freeze

    def _starve(self, fault: Fault) -> None:
        at = fault.at
        while at < fault.end:
            length = self._random.uniform(20.0, 700.0)
            self._at(at, lambda length=length: self.agent.freeze(self._world.now + length))  # type: ignore[misc]
            at += self._random.uniform(200.0, 2_000.0)

    def _unable(self, fault: Fault) -> None:
        for target in self.targets.values():
            target.unable_until = fault.end

    def _step_wall(self, _: Fault) -> None:
        self.clock.step_wall(self._random.uniform(-1.0, 1.0) * self._random.choice(WALL_STEPS_MS))

    def _steer(self, _: Fault) -> None:
        self.agent.steer(1.0 + self._random.uniform(-STEERED, STEERED))
