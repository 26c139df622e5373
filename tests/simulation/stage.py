"""The stage of one history: its nodes, networks and collectors, and the hands that hurt them as a plan says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from pathlib import Path
from random import Random
from typing import TypeVar

from detak_collector.rules import Rules
from simulation.agent import SimulatedAgent
from simulation.collector import NODES, SimulatedCollector
from simulation.faults import AWAY, EVERYWHERE, NETWORK, Fault
from simulation.host import Boot, Host
from simulation.machine import CollectorClock, NodeClock
from simulation.network import Network, Trouble
from simulation.pair import PairedCollector
from simulation.plan import Plan
from simulation.scenes import catalogue, targets
from simulation.target import Target
from simulation.world import World

COLLECTOR_ERROR_MS = 25.0
_IDENTITIES = ("c011ec70", "c011ec71")

C = TypeVar("C", bound=SimulatedCollector)


@dataclass(frozen=True)
class Excursion:
    """A collector's UTC was off by so much for a while; each node's boot and agent time at its begin and its end."""

    fault: Fault
    begun: tuple[tuple[Boot, float], ...]
    ended: tuple[tuple[Boot, float], ...] = ()


class Stage:
    """Everything of one history. All its randomness comes from the seed, by the part that draws it."""

    def __init__(self, seed: str, plan: Plan, empty_store: Path, directory: Path, drift_ppm: float) -> None:
        self.plan = plan
        self.world = World()
        self._seed = seed
        self._directory = directory
        self.pair: list[PairedCollector] = []
        self.collectors: Sequence[SimulatedCollector]
        if plan.scene == "two collectors":
            self.pair = [self._collector(identity, empty_store, PairedCollector) for identity in _IDENTITIES]
            self.collectors = self.pair
        else:
            self.collectors = [self._collector(_IDENTITIES[0], empty_store, SimulatedCollector)]
        self.networks: list[Network] = []
        self.excursions: list[Excursion] = []
        looks = targets(plan, self.world, self._random("target"))
        self.hosts = [self._host(name, seen, drift_ppm) for name, seen in zip(NODES, looks, strict=False)]
        self._tie()
        self._hands: dict[str, Callable[[SimulatedCollector, Fault], None]] = {
            "kill-collector": self._kill_collector,
            AWAY: self._kill_collector,
            "restore-collector": self._restore_collector,
            "promote": self._promote,
            "pause-collector": lambda collector, fault: collector.pause(fault.end),
            "slow-store": lambda collector, fault: collector.disk.slow_down(fault.end),
            "full-store": lambda collector, fault: collector.disk.fill(fault.end),
            "step-utc": self._step_utc,
        }

    def prepare(self) -> None:
        """Start everything, and let happen what is planned when its time comes."""
        for collector in self.collectors:
            collector.start()
        for host in self.hosts:
            host.agent.start()
        for fault in self.plan.faults:
            self.world.at(fault.at, self._happening(fault))

    def clear(self) -> None:
        """End every process."""
        for host in self.hosts:
            host.agent.kill()
        for collector in self.collectors:
            collector.kill()

    def _random(self, part: str) -> Random:
        return Random(f"{self._seed}/{part}")

    def _tie(self) -> None:
        """Make a pair of two collectors; the second one's file says that it follows."""
        for place, (one, other) in enumerate(permutations(self.pair, 2)):
            way = Network(self.world, self._random(f"network between collectors {place}"), other)
            one.pair(other, way, Rules(catalogue(self.plan)))
            one.follows = place == 1
            self.networks.append(way)

    def _collector(self, identity: str, empty_store: Path, kind: type[C]) -> C:
        clock = CollectorClock(self.world, self._random(f"clock of {identity}"), COLLECTOR_ERROR_MS)
        directory, random = self._directory / identity, self._random(identity)
        return kind(identity, directory, empty_store, self.world, clock, random)

    def _host(self, name: str, seen: Mapping[str, Target], drift_ppm: float) -> Host:
        links = {
            f"http://127.0.0.{place}:1": Network(self.world, self._random(f"network {name} {place}"), collector)
            for place, collector in enumerate(self.collectors, start=1)
        }
        self.networks += links.values()
        clock = NodeClock(self.world, self._random(f"clock of {name}"), drift_ppm)
        for target in seen.values():
            target.runs_on(clock)
        directory, random = self._directory / name, self._random(f"agent {name}")
        agent = SimulatedAgent(name, directory, self.plan.pace, seen, clock, links, self.world, random)
        agent.guarded_ms = self.plan.guarded_ms
        return Host(self.world, self._random(f"faults of {name}"), agent, clock, seen)

    def _happening(self, fault: Fault) -> Callable[[], None]:
        return lambda: self._happen(fault)

    def _happen(self, fault: Fault) -> None:
        if fault.kind in NETWORK:
            self._trouble(fault, self._of(self.networks, fault.where))
        elif fault.kind in self._hands:
            self._hands[fault.kind](self.collectors[fault.where], fault)
        elif fault.kind in self.hosts[0].hands:
            if fault.kind == "hidden-crash":
                self._trouble(fault, self.networks_of(fault.where))
            self.hosts[fault.where].hands[fault.kind](fault)

    @staticmethod
    def _of(networks: Sequence[Network], where: int) -> Sequence[Network]:
        return networks if where == EVERYWHERE else [networks[where]]

    def networks_of(self, host: int) -> Sequence[Network]:
        """The ways from one node to all collectors."""
        number = len(self.collectors)
        return self.networks[host * number : (host + 1) * number]

    @staticmethod
    def _trouble(fault: Fault, networks: Sequence[Network]) -> None:
        for network in networks:
            for trouble in _TROUBLES[fault.kind]:
                network.trouble(trouble, fault.end)

    def _kill_collector(self, collector: SimulatedCollector, fault: Fault) -> None:
        collector.kill()
        self.world.at(fault.end, collector.start)

    def _restore_collector(self, _: SimulatedCollector, fault: Fault) -> None:
        """Its store is lost, and is what it was when a backup was made."""
        collector = self.pair[fault.where]
        backup = collector.back_up()
        self.world.at(fault.gone_at, collector.kill)
        self.world.at(fault.end, partial(collector.set_back, backup))

    def _promote(self, _: SimulatedCollector, fault: Fault) -> None:
        """This one leads; a while later the other's file says that it follows."""
        collector, other = self.pair[fault.where], self.pair[1 - fault.where]
        if collector.promote():
            self.world.at(fault.end, other.follow)

    def _step_utc(self, collector: SimulatedCollector, fault: Fault) -> None:
        collector.clock.step(fault.by_ms)
        self.excursions.append(Excursion(fault, self._instants()))
        self.world.at(fault.end, lambda: self._step_back(collector, fault))

    def _step_back(self, collector: SimulatedCollector, fault: Fault) -> None:
        collector.clock.step(-fault.by_ms)
        self.excursions = [
            replace(one, ended=self._instants()) if one.fault is fault else one for one in self.excursions
        ]

    def _instants(self) -> tuple[tuple[Boot, float], ...]:
        return tuple((host.boot, host.clock.exact()) for host in self.hosts)


_TROUBLES: dict[str, tuple[Trouble, ...]] = {
    "cut": ("cut-out", "cut-in"),
    "hidden-crash": ("cut-out", "cut-in"),
    "cut-out": ("cut-out",),
    "cut-in": ("cut-in",),
    "loss": ("loss",),
    "lost-answers": ("lost-answers",),
    "doubling": ("doubling",),
    "delay": ("delay",),
}
