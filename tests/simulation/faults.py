"""What can go wrong, where and for how long: the kinds of faults, and how one of a kind is drawn."""

from dataclasses import dataclass
from random import Random

Stretch = tuple[float, float]

NETWORK = ("cut", "cut-out", "cut-in", "loss", "lost-answers", "doubling", "delay")
AGENT = ("kill-agent", "stop-agent", "reload", "freeze", "freeze-in-sample", "starve", "slow-disk", "full-disk")
CHECK = ("unable",)
CRASHES = ("crash", "hidden-crash", "dying-crash")
STANDSTILLS = ("frozen-guest", "suspend")
RESTORES = ("restore", "restore-disk")
HOST = (*CRASHES, *STANDSTILLS, *RESTORES)
CLOCKS = ("step-wall", "steer", "warm-up")
COLLECTOR = ("kill-collector", "pause-collector", "slow-store", "full-store", "step-utc")
OBSERVER = ("isolate",)
PAIR = ("restore-collector", "promote")
AWAY = "kill-collector-for-an-hour"
EVERY_FAULT = (*NETWORK, *AGENT, *CHECK, *HOST, *CLOCKS, *COLLECTOR)
"""Of a node that checks itself; `OBSERVER` is for those that look at others, `PAIR` and `AWAY` for two collectors."""

HARMLESS = (*CLOCKS, "doubling")
"""What must not even widen a figure."""

GUARD_MS = 10_000
"""The watchdog of a guarded agent."""

EVERYWHERE = -1

_AWAY_MS = 3_600_000.0

_DYING_MS = 15_000.0
"""An agent that is guarded is started again in less, if its host lives."""

_LONGEST_MS = {"kill-agent": 120_000.0, "stop-agent": 120_000.0, "cut": 300_000.0, "freeze": 90_000.0}
_BOUNDED_BY_GUARD = ("kill-agent", "freeze", "freeze-in-sample", "starve", "slow-disk", "full-disk")
_LEADS_MS = {
    "hidden-crash": (2_000.0, 40_000.0),
    "dying-crash": (2_000.0, _DYING_MS),
    "restore": (5_000.0, 90_000.0),
    "restore-disk": (5_000.0, 90_000.0),
    "restore-collector": (5_000.0, 300_000.0),
}
_UTC_STEPS_MS = (700.0, 5_000.0, 60_000.0, 3_600_000.0)


@dataclass(frozen=True)
class Fault:
    """Something goes wrong at `at`, for so long. A crash is followed by a boot, and the target comes up after it.

    `where` counts nodes, paths or collectors, whichever of them it is that suffers. `by_ms` is how far a clock steps.
    """

    kind: str
    at: float
    length: float
    lead: float = 0.0
    agent_after: float = 0.0
    target_after: float = 0.0
    where: int = 0
    by_ms: float = 0.0

    @property
    def end(self) -> float:
        return self.at + self.length

    @property
    def gone_at(self) -> float:
        """When the host went: of a hidden crash the network dies first, of a dying one the agent.

        A machine or a collector's store is set back, at this moment, to what it was at `at`.
        """
        return self.at + self.lead

    @property
    def host_down(self) -> Stretch:
        """When nothing on the host can serve."""
        return self.gone_at, self.end + self.target_after

    @property
    def is_new_start(self) -> bool:
        """Whether what serves on the host is started anew after it."""
        return self.kind in {*CRASHES, "restore-disk"}


def draw(random: Random, kind: str, at: float, *, is_guarded: bool) -> Fault:
    """One fault of a kind."""
    if kind in STANDSTILLS:
        return Fault(kind, at, random.choice((random.uniform(100.0, 8_000.0), random.uniform(5_000.0, 120_000.0))))
    if kind in HOST:
        return _host_fault(random, kind, at)
    if kind == AWAY:
        return Fault(kind, at, _AWAY_MS)
    if kind in _LEADS_MS:
        lead = random.uniform(*_LEADS_MS[kind])
        return Fault(kind, at, lead + random.uniform(1_000.0, 60_000.0), lead=lead)
    longest = _LONGEST_MS.get(kind, 60_000.0)
    if is_guarded and kind in _BOUNDED_BY_GUARD:
        longest = min(longest, GUARD_MS * 0.8)
    length = random.choice((random.uniform(200.0, 8_000.0), random.uniform(1_000.0, longest)))
    by_ms = random.choice((-1.0, 1.0)) * random.choice(_UTC_STEPS_MS) * random.uniform(1.0, 1.5)
    return Fault(kind, at, length, by_ms=by_ms if kind == "step-utc" else 0.0)


def _host_fault(random: Random, kind: str, at: float) -> Fault:
    usual = random.uniform(4_000.0, 20_000.0)
    lead = random.uniform(*_LEADS_MS.get(kind, (0.0, 0.0)))
    off = random.choice((random.uniform(3_000.0, 30_000.0), random.uniform(30_000.0, 200_000.0)))
    boots = kind != "restore"
    return Fault(
        kind,
        at,
        lead + off,
        lead=lead,
        agent_after=random.choice((usual, usual, 170_000.0)) if boots else 0.0,
        target_after=random.uniform(3_200.0, 25_000.0) if boots else 0.0,
    )
