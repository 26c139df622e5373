"""One history from seed to verdict: plays a plan with the real code, and holds the figures against the truth."""

import hashlib
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from detak_agent.delivery import DEADLINE_MS
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.facts import Span as Stored
from detak_collector.downtime.periods import Period
from detak_collector.downtime.triple import Triple
from detak_collector.figures import Rules
from detak_wire.messages import Span
from downtime_cases import group, service
from simulation.agent import CHECK, NODE
from simulation.machine import EPOCH_MS
from simulation.plan import HARMLESS, Plan, planned, weather
from simulation.stage import Stage

DECLARED_PPM = 100

EDGE_MS = 200
"""The collector's UTC is off by a little, so the last instants before a look are not held against it."""

NEAR_MS = 20_000.0
"""An outage this near to a fault is not one of those whose width is measured."""

_FOREVER = 2**62

READING = f"{NODE}/{CHECK}"


@dataclass
class Verdict:
    """What came of a history. `violations` are sentences; `widths_ms` are of outages while connected."""

    seed: str
    interval_ms: int
    outages: int = 0
    unseeable: int = 0
    violations: list[str] = field(default_factory=list)
    widths_ms: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    """The same for the same seed, however often and wherever it is played."""


class History:
    """One history while it is played."""

    def __init__(self, seed: str, stage: Stage) -> None:
        self._stage = stage
        self._verdict = Verdict(seed, stage.plan.pace.interval_ms)
        self._rules = Rules(Catalogue("org", "UTC", (service(group([READING])),)), drift_ppm=DECLARED_PPM)
        self._trace = hashlib.sha256()

    def play(self) -> Verdict:
        """Everything up to the end, where all evidence has been delivered, and what the figures say of it."""
        plan, world = self._stage.plan, self._stage.world
        self._stage.prepare()
        for moment in plan.looks:
            world.at(moment, self._look)
        world.run(plan.length)
        down = self._look()
        assert down is not None, "the collector runs at the end of every history"
        self._judge_evidence()
        self._measure(down)
        self._count()
        self._stage.clear()
        return self._verdict

    def _look(self) -> Triple | None:
        """Ask the figures as the page would, and hold them against the truth so far. None: the collector is away."""
        figures = self._stage.collector.figures(self._rules)
        if figures is None:
            return None
        now = self._stage.collector.now().utc
        result = figures.report(Period("all", EPOCH_MS, now))
        down = result.readings[READING].down
        self._trace.update(repr((now, down, result.figure)).encode())
        self._judge(down, now - EDGE_MS)
        return down

    def _judge(self, down: Triple, until: int) -> None:
        truth, hidden, at = self._stage.truth(), self._stage.hidden(), int(self._stage.world.now)
        for begin, end in truth.clip(EPOCH_MS, until) - down.possible - hidden:
            self._violate(f"at {at}: down but not possible {begin - EPOCH_MS}..{end - EPOCH_MS}")
        for begin, end in down.certain.clip(EPOCH_MS, until) - truth - hidden:
            self._violate(f"at {at}: certain but not down {begin - EPOCH_MS}..{end - EPOCH_MS}")
        if not down.is_nested:
            self._violate(f"at {at}: the sets do not nest")

    def _violate(self, what: str) -> None:
        self._verdict.violations.append(what)

    def _judge_evidence(self) -> None:
        """What the agent's disk had is in the store, and nothing else went wrong."""
        agent, collector = self._stage.agent, self._stage.collector
        for failure in self._stage.world.failures:
            self._violate(failure)
        if len(agent.runs) > agent.starts + agent.reloads:
            self._violate(f"{len(agent.runs)} runs, but {agent.starts} starts: one took itself for a restored machine")
        for refusal in collector.refusals:
            self._violate(f"refused: {refusal}")
        for run, number in self._lacking():
            self._violate(f"lost: record {number} of run {run}")

    def _lacking(self) -> list[tuple[str, int]]:
        """Spans that the agent's disk has and the store has not, or less of them."""
        runs = self._stage.collector.facts().nodes[NODE].runs
        held = {(run.run, span.number): span for run in runs for span in run.spans}
        newest, clock = self._stage.agent.runs[-1], self._stage.agent.clock
        # The run that goes on is always a beat ahead of what has arrived, and an attempt may be under way.
        settled = clock.begin() - self._stage.plan.pace.beat_ms - DEADLINE_MS
        return [
            (run, number)
            for run, spans in self._stage.agent.durable.items()
            for number, span in spans.items()
            if not holds(held.get((run, number)), span, settled if run == newest else _FOREVER)
        ]

    def _measure(self, down: Triple) -> None:
        """How far apart certain and possible are, for outages that no fault was near."""
        plan, hidden = self._stage.plan, self._stage.hidden()
        edges = [0.0, *(edge for pair in plan.down for edge in pair), plan.length]
        for place, (begin, end) in enumerate(plan.down):
            if int(begin) + EPOCH_MS + 5 in hidden:
                self._verdict.unseeable += 1
                continue
            self._verdict.outages += 1
            if not self._is_near_a_fault(begin, end):
                first, last = (edges[2 * place] + begin) / 2, (end + edges[2 * place + 3]) / 2
                window = EPOCH_MS + int(first), EPOCH_MS + int(last)
                self._verdict.widths_ms.append(down.possible.clip(*window).total - down.certain.clip(*window).total)

    def _is_near_a_fault(self, begin: float, end: float) -> bool:
        return begin < NEAR_MS or any(
            fault.at - NEAR_MS < end and begin < fault.end + fault.agent_after + NEAR_MS
            for fault in self._stage.plan.faults
            if fault.kind not in HARMLESS
        )

    def _count(self) -> None:
        """What happened, and everything of it as one digest."""
        agent = self._stage.agent
        counts = Counter(f"fault {fault.kind}" for fault in self._stage.plan.faults)
        self._verdict.counts = (
            counts
            + self._stage.network.counts
            + Counter(runs=len(agent.runs), spans=sum(map(len, agent.durable.values())))
        )
        durable = sorted((run, sorted(spans.items())) for run, spans in agent.durable.items())
        self._trace.update(repr((durable, sorted(self._verdict.counts.items()))).encode())
        self._verdict.digest = self._trace.hexdigest()[:16]


def holds(held: Stored | None, span: Span, settled: int) -> bool:
    """Whether of a span is held all that lies before `settled`, in agent time."""
    if span.first_begin > settled:
        return True
    if held is None or held.first_begin != span.first_begin:
        return False
    if span.last_begin > settled:
        return held.last_begin >= settled - held.largest_gap - 1
    return held.closed and held.last_begin == span.last_begin and held.samples == span.samples


def play(seed: str, empty_store: Path, drift_ppm: float = DECLARED_PPM, plan: Plan | None = None) -> Verdict:
    """The history of this seed, in a directory of its own that is gone afterwards."""
    random = Random(seed)
    drawn = plan or planned(random, weather(random))
    directory = Path(tempfile.mkdtemp(prefix="detak-simulation-", dir=fast_directory()))
    try:
        return History(seed, Stage(seed, drawn, empty_store, directory, drift_ppm)).play()
    finally:
        shutil.rmtree(directory)


def fast_directory() -> str | None:
    """Where synchronising costs nothing: the virtual disk decides what survives, not the real one."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None
