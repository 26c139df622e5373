"""One history from seed to verdict: plays a plan with the real code, and holds the figures against the truth."""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from detak_agent.delivery import DEADLINE_MS
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.facts import Exchange, Facts
from detak_collector.downtime.facts import Span as Stored
from detak_collector.downtime.periods import Period
from detak_collector.downtime.triple import Triple
from detak_collector.rules import Rules
from detak_wire.messages import Span
from simulation.agent import SimulatedAgent
from simulation.agreement import HEALED_MS, disagreement
from simulation.collector import SimulatedCollector
from simulation.faults import HARMLESS, Fault
from simulation.judge import Judge
from simulation.machine import EPOCH_MS
from simulation.plan import QUIET_END_MS, Plan, planned, weather
from simulation.scenes import TOGETHER, Subject, catalogue, subjects
from simulation.stage import Stage

DECLARED_PPM = 100

EDGE_MS = 200
"""The collector's UTC is off by a little, so the last instants before a look are not held against it."""

NEAR_MS = 20_000.0
"""An outage this near to a fault is not one of those whose width is measured."""

SETTLED_MS = 30_000
"""Up to so long before the end all evidence has been delivered, to every collector."""

_FOREVER = 2**62


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
        self._judge = Judge(stage)
        self._subjects = subjects(stage.plan)
        self._verdict = Verdict(seed, stage.plan.pace.interval_ms)
        self._rules = Rules(catalogue(stage.plan), drift_ppm=DECLARED_PPM)
        self._trace = hashlib.sha256()
        self._compared = self._agreed = 0

    def play(self) -> Verdict:
        """Everything up to the end, where all evidence has been delivered, and what the figures say of it."""
        plan, world = self._stage.plan, self._stage.world
        self._stage.prepare()
        for moment in plan.looks:
            world.at(moment, self._look)
        world.run(plan.length - QUIET_END_MS + HEALED_MS)
        self._agree()
        world.run(plan.length)
        said = self._look()
        self._judge_evidence()
        self._compare()
        self._agree()
        self._measure(said[0][self._subjects[0].name])
        self._count()
        self._stage.clear()
        return self._verdict

    def _look(self) -> list[dict[str, Triple]]:
        """Ask every collector's figures as the page would, and hold them against the truth so far."""
        return [self._ask(place, collector) for place, collector in enumerate(self._stage.collectors)]

    def _ask(self, place: int, collector: SimulatedCollector) -> dict[str, Triple]:
        """What it says of each subject; nothing while it is away, or while its clock is wrong."""
        figures = collector.figures(self._rules)
        if figures is None or self._judge.is_stepped(place):
            return {}
        now = collector.now().utc
        result = figures.explained("s", Period("all", EPOCH_MS, now))
        said, facts = _said(result, self._subjects), collector.facts()
        self._trace.update(repr((now, said, result.figure)).encode())
        for subject in self._subjects:
            self._verdict.violations += self._judge.violations(subject, said[subject.name], facts, now - EDGE_MS)
        return said

    def _judge_evidence(self) -> None:
        """What the agents' disks had is in every store, and nothing else went wrong."""
        wrong = self._verdict.violations
        wrong += self._stage.world.failures
        for host in self._stage.hosts:
            agent, most = host.agent, host.agent.starts + host.agent.reloads + host.restores + host.suspends
            if len(agent.runs) > most:
                wrong.append(f"{len(agent.runs)} runs, but {most} reasons: one took itself for a restored machine")
        for collector in self._stage.collectors:
            facts = collector.facts()
            wrong += [f"{collector.identity} refused: {refusal}" for refusal in collector.refusals]
            wrong += self._judge.unseen_standstills(facts)
            for host in self._stage.hosts:
                wrong += [f"{collector.identity} {one}" for one in self._lacking(host.agent, facts)]

    def _lacking(self, agent: SimulatedAgent, facts: Facts) -> Iterator[str]:
        """Spans that the agent's disk has and the store has not, or less of them."""
        held = {(run.run, span.number): span for run in facts.nodes[agent.node].runs for span in run.spans}
        newest = agent.runs[-1]
        # The run that goes on is always a beat ahead of what has arrived, and an attempt may be under way.
        settled = agent.clock.begin() - self._stage.plan.pace.beat_ms - DEADLINE_MS
        for run, spans in agent.durable.items():
            for number, span in spans.items():
                known = held.get((run, number))
                if run not in agent.set_back and not holds(known, span, settled if run == newest else _FOREVER):
                    yield f"lost: record {number} of run {run}"

    def _compare(self) -> None:
        """Once all is delivered, every collector says the same of the time that is over.

        An exchange that one of them has yet to get would tell the time before it a little better. A silence that no
        evidence explained later is presumed down by those alone who watched it.
        """
        first, *others = (collector.facts() for collector in self._stage.collectors)
        if self._judge.may_differ(first):
            return
        until = EPOCH_MS + int(self._stage.plan.length) - SETTLED_MS
        for collector, facts in zip(self._stage.collectors[1:], others, strict=True):
            both_know = _exchanges(first) & _exchanges(facts)
            both_watched = first.watched & facts.watched
            its, mine = (
                {
                    name: replace(down.clip(EPOCH_MS, until), counted=down.counted.clip(EPOCH_MS, until) & both_watched)
                    for name, down in self._derived(_with_exchanges(known, both_know)).items()
                }
                for known in (facts, first)
            )
            self._compared += 1
            wrong = [name for name in mine if mine[name] != its[name]]
            self._verdict.violations += [f"{collector.identity} says something else of {name}" for name in wrong]

    def _agree(self) -> None:
        """All is healed: both of a pair give the same report, to the byte."""
        stage = self._stage
        if stage.pair and not stage.excursions:
            healed, now = stage.plan.length - QUIET_END_MS + 1_000.0, stage.world.now
            self._verdict.violations += disagreement(stage.collectors, self._rules, healed, now)
            self._agreed += 1

    def _derived(self, facts: Facts) -> dict[str, Triple]:
        """What the engine makes of these facts at the history's end."""
        now = EPOCH_MS + int(self._stage.plan.length)
        case = Case(self._rules.catalogue, self._rules.zone, facts, self._rules.exclusions, now)
        return _said(derive(case, Period("all", EPOCH_MS, now)), self._subjects)

    def _measure(self, down: Triple) -> None:
        """How far apart certain and possible are, for outages that no fault was near."""
        plan, subject = self._stage.plan, self._subjects[0]
        hidden = self._judge.too_short(subject)
        edges = [0.0, *(edge for pair in subject.down for edge in pair), plan.length]
        for place, (begin, end) in enumerate(subject.down):
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
            fault.at - _near(fault) < end and begin < _over(fault) + _near(fault)
            for fault in self._stage.plan.faults
            if fault.kind not in HARMLESS
        )

    def _count(self) -> None:
        """What happened, and everything of it as one digest."""
        counts = Counter(f"fault {fault.kind}" for fault in self._stage.plan.faults)
        for network in self._stage.networks:
            counts += network.counts
        for host in self._stage.hosts:
            agent = host.agent
            spans = sum(map(len, agent.durable.values()))
            counts += Counter(runs=len(agent.runs), spans=spans, gave_up=agent.gave_up, restored=host.restores)
            durable = sorted((run, sorted(spans.items())) for run, spans in agent.durable.items())
            self._trace.update(repr(durable).encode())
        counts += Counter({"collectors compared": self._compared, "reports compared": self._agreed})
        for collector in self._stage.pair:
            counts += Counter(promoted=collector.promotions, set_back=collector.set_backs)
        self._verdict.counts = counts
        self._trace.update(repr(sorted(counts.items())).encode())
        self._verdict.digest = self._trace.hexdigest()[:16]


def _exchanges(facts: Facts) -> frozenset[Exchange]:
    return frozenset(one for node in facts.nodes.values() for run in node.runs for one in run.exchanges)


def _with_exchanges(facts: Facts, kept: frozenset[Exchange]) -> Facts:
    """The facts without all other exchanges."""
    nodes = {
        name: replace(
            node,
            runs=tuple(replace(run, exchanges=tuple(one for one in run.exchanges if one in kept)) for run in node.runs),
        )
        for name, node in facts.nodes.items()
    }
    return replace(facts, nodes=nodes)


def _over(fault: Fault) -> float:
    return fault.end + max(fault.agent_after, fault.target_after)


def _near(fault: Fault) -> float:
    """What was seen while a collector's UTC was off may have been so much earlier or later."""
    return NEAR_MS + abs(fault.by_ms)


def _said(result: Result, asked: tuple[Subject, ...]) -> dict[str, Triple]:
    """What a result says of each subject; a history lies within one month."""
    (month,) = result.details
    layers = month.accounts["s"].layers
    readings = {name: reading.down for name, reading in month.readings.items()}
    return {one.name: layers[TOGETHER].gross if one.name == TOGETHER else readings[one.name] for one in asked}


def holds(held: Stored | None, span: Span, settled: int) -> bool:
    """Whether of a span is held all that lies before `settled`, in agent time."""
    if span.first_begin > settled:
        return True
    if held is None or held.first_begin != span.first_begin:
        return False
    if span.last_begin > settled:
        return held.last_begin >= settled - held.largest_gap - 1
    return held.closed and held.last_begin == span.last_begin and held.samples == span.samples


def play(
    seed: str,
    empty_store: Path,
    drift_ppm: float = DECLARED_PPM,
    plan: Plan | None = None,
    only: Sequence[str] = (),
) -> Verdict:
    """The history of this seed, in a directory of its own that is gone afterwards; of `only` these kinds of faults."""
    random = Random(seed)
    drawn = plan or planned(random, weather(random, only))
    directory = Path(tempfile.mkdtemp(prefix="detak-simulation-", dir=fast_directory()))
    try:
        return History(seed, Stage(seed, drawn, empty_store, directory, drift_ppm)).play()
    finally:
        shutil.rmtree(directory)


def fast_directory() -> str | None:
    """Where synchronising costs nothing: the virtual disk decides what survives, not the real one."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None
