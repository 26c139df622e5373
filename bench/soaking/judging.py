"""Whether memory and disk were flat, and the words for it. Pure: it is given the samples.

A quarter is one of the run's length. The first one is left out: there everything gets acquainted, and what is
restarted at random is restarted. The last one is held against the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from lab.verdicts import Limit

KIB = 1_024
MIB = 1_024 * KIB

ALLOWED_PERCENT = 5
ALLOWED_COLLECTOR_MIB = 16.0
"""Beside that share: the page's process holds the running month, which grows with its facts."""

ALLOWED_AGENT_MIB = 2.0
"""Beside that share: some pages of the allocator, and of SQLite's cache of a journal that grows."""

ALLOWED_GROWTH_PERCENT = 130
JOURNAL_SLACK_KIB = 256.0
STORE_SLACK_KIB = 1_024.0
"""Files grow by page and by block: over a short quarter that decides more than what is in them."""

ALLOWED_LOG_MIB = 64.0
"""Of SQLite's write-ahead log beside a store, at any time."""

LEAST_IN_A_QUARTER = 4
QUARTERS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Sample:
    """What there was `at_s` seconds after the begin: MiB of memory by process, bytes of disk by what holds them.

    What could not be weighed just then, as it was being restarted, is not in it.
    """

    at_s: float
    memory_mib: Mapping[str, float]
    stores: Mapping[str, int]
    journals: Mapping[str, int]
    logs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Ending:
    """What was found at the end, each in lines for people; none is what is hoped for.

    `unclean` has what verify says of a side, `refused` the messages of well-behaved nodes that a collector did not
    take, `tracebacks` the places of such in logs, `flaws` what else must not be.
    """

    lost: Sequence[str] = ()
    differing: Sequence[str] = ()
    unclean: Mapping[str, str] = field(default_factory=dict)
    refused: Sequence[str] = ()
    flaws: Sequence[str] = ()
    tracebacks: Sequence[str] = ()
    promised: int = 0
    """How many acknowledged records were looked for in each store."""

    outages: int = 0
    """How many the report tells of that was compared."""

    @property
    def lines(self) -> list[str]:
        """All of them."""
        unclean = [f"{side}: {said}" for side, said in self.unclean.items()]
        return [
            f"{word}: {line}"
            for word, lines in (
                ("lost", self.lost), ("differs", self.differing), ("altered", unclean), ("refused", self.refused),
                ("flaw", self.flaws), ("traceback", self.tracebacks),
            )
            for line in lines
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is judged. Of `lasting` memory is judged: after the first quarter no fault restarts these."""

    hours: float
    nodes: int
    samples: Sequence[Sample]
    lasting: Sequence[str]
    collectors: Sequence[str]
    faults: Mapping[str, int]
    ending: Ending

    def quarter(self, number: int) -> list[Sample]:
        """The samples of one of the four quarters, counted from 1."""
        length_s = self.hours * 900
        return [one for one in self.samples if (number - 1) * length_s <= one.at_s <= number * length_s]

    def weighings(self, number: int) -> int:
        """How many samples of a quarter have all that is judged."""
        return sum(
            all(name in one.memory_mib for name in self.lasting) and all(side in one.stores for side in self.collectors)
            for one in self.quarter(number)
        )

    def memory_mib(self, name: str, number: int) -> float:
        """The median of a process in a quarter; 0 where it was never weighed."""
        return median([one.memory_mib[name] for one in self.quarter(number) if name in one.memory_mib] or [0.0])

    def memory_growth_mib(self, name: str) -> float:
        """Of a process, from the second quarter to the last."""
        return self.memory_mib(name, 4) - self.memory_mib(name, 2)

    def store_kib_per_node_hour(self, side: str, number: int) -> float:
        """How fast a store grows in a quarter, for each node."""
        kib, hours = _growth((one.at_s, one.stores.get(side)) for one in self.quarter(number))
        return kib / hours / self.nodes if hours else 0.0

    def journal_kib(self, node: str, number: int) -> float:
        """How much a journal grows in a quarter."""
        return _growth((one.at_s, one.journals.get(node)) for one in self.quarter(number))[0]


def _growth(weighed: Iterable[tuple[float, int | None]]) -> tuple[float, float]:
    """KiB from the first to the last weighing, and the hours between them."""
    known = [(at_s, size) for at_s, size in weighed if size is not None]
    if len(known) < 2:
        return 0.0, 0.0
    (first_s, first), (last_s, last) = known[0], known[-1]
    return (last - first) / KIB, (last_s - first_s) / 3_600


def limits(run: Run) -> Iterator[Limit]:
    """The requirements, with what was measured."""
    few = min(run.weighings(number) for number in (2, 4))
    yield Limit("weighings that a quarter lacks to be judged", max(0, LEAST_IN_A_QUARTER - few), 0)
    for name in run.lasting:
        before = run.memory_mib(name, 2)
        some = ALLOWED_COLLECTOR_MIB if name in run.collectors else ALLOWED_AGENT_MIB
        yield Limit(
            f"memory of {name}, {before:.0f} MiB in the second quarter, grew by the last",
            run.memory_growth_mib(name), before * ALLOWED_PERCENT / 100 + some, " MiB",
        )  # fmt: skip
    for side in run.collectors:
        yield _store(run, side)
        most = max((one.logs.get(side, 0) for one in run.samples), default=0)
        yield Limit(f"write-ahead log of {side}, at most", most / MIB, ALLOWED_LOG_MIB, " MiB")
    yield from _journals(run)
    yield Limit("acknowledged records that a store lacks", len(run.ending.lost), 0)
    yield Limit("differences between the two collectors' figures", len(run.ending.differing), 0)
    yield Limit("stores that verify finds altered", len(run.ending.unclean), 0)
    yield Limit("messages of well-behaved nodes that were refused", len(run.ending.refused), 0)
    yield Limit("strangers that were taken in, processes that ended by themselves", len(run.ending.flaws), 0)
    yield Limit("tracebacks in the logs of collectors and agents", len(run.ending.tracebacks), 0)


def _store(run: Run, side: str) -> Limit:
    before, after = (run.store_kib_per_node_hour(side, number) for number in (2, 4))
    slack = STORE_SLACK_KIB / (run.nodes * run.hours / 4)
    what = f"store of {side}, {before:.0f} KiB a node-hour in the second quarter, in the last"
    return Limit(what, after, max(0.0, before) * ALLOWED_GROWTH_PERCENT / 100 + slack, " KiB")


def _journals(run: Run) -> Iterator[Limit]:
    nodes = sorted({node for one in run.samples for node in one.journals})
    if nodes:
        before, after = (max(run.journal_kib(node, number) for node in nodes) for number in (2, 4))
        allowed = max(0.0, before) * ALLOWED_GROWTH_PERCENT / 100 + JOURNAL_SLACK_KIB
        yield Limit(
            f"journal that grew most, {before:.0f} KiB in the second quarter, in the last", after, allowed, " KiB"
        )


def table(run: Run) -> Iterator[str]:
    """The medians of the quarters, in Markdown."""
    yield "| | 1st quarter | 2nd | 3rd | 4th |"
    yield "|---|---|---|---|---|"
    for name in run.lasting:
        yield _row(f"{name}, MiB", (run.memory_mib(name, number) for number in QUARTERS))
    for side in run.collectors:
        kib = (run.store_kib_per_node_hour(side, number) for number in QUARTERS)
        yield _row(f"store of {side}, KiB a node-hour", kib)


def _row(what: str, numbers: Iterable[float]) -> str:
    return f"| {what} | {' | '.join(f'{number:.1f}' for number in numbers)} |"


def last_line(run: Run) -> str:
    """The whole soak in one; of memory and disk what grew most."""
    ending = run.ending
    grew = max((run.memory_growth_mib(name) for name in run.lasting), default=0.0)
    kib = max((run.store_kib_per_node_hour(side, 4) for side in run.collectors), default=0.0)
    verify = f"altered:{','.join(sorted(ending.unclean))}" if ending.unclean else "clean"
    return (
        f"soak hours={run.hours:g} nodes={run.nodes} faults={sum(run.faults.values())} lost={len(ending.lost)} "
        f"memory_growth_mib={grew:.1f} disk_kib_per_node_hour={kib:.1f} verify={verify} "
        f"figures={'different' if ending.differing else 'equal'}"
    )
