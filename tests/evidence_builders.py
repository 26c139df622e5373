"""Small valid messages of one node, for tests that feed a collector. Times are agent time of one boot."""

from collections.abc import Iterable

from detak_collector.clocks import Reading
from detak_collector.store.base import Arrival
from detak_wire.messages import (
    CheckSettings,
    ClockClaim,
    Evidence,
    Exchange,
    Gap,
    Growth,
    Part,
    PreviousRun,
    RunOpening,
    Span,
    State,
)

BOOT = "0b007000"
RUN = "aaaa0001"
NODE = "db-01"
CHECKS = ("alive", "web")
START_UTC = 1_700_000_000_000
"""UTC at agent time 0, where a test does not say otherwise."""


def reading(boottime: int, utc: int | None = None, boot: str = "c011ec70") -> Reading:
    """The collector's clock; its UTC is that of agent time `boottime`."""
    return Reading(START_UTC + boottime if utc is None else utc, boottime, boot)


def opening(
    checks: Iterable[str] = ("web",), opened: int = 1_000, previous: PreviousRun | None = None, boot: str = BOOT
) -> RunOpening:
    return RunOpening(
        boot=boot,
        opened_agent=opened,
        init_started_agent=100,
        agent_version="0.1.0",
        tick_ms=1_000,
        beat_ms=5_000,
        checks=[CheckSettings(name, "tcp", 5_000, 3_000) for name in checks],
        clock=ClockClaim(opened, START_UTC + opened, 5),
        previous=previous,
    )


def span(
    number: int,
    check: str = "web",
    first: int = 2_000,
    samples: int = 1,
    *,
    state: State = "up",
    closed: bool = False,
    every: int = 1_000,
    message: str = "",
) -> Span:
    """A span of samples `every` so many milliseconds, each 3 ms long."""
    last = first + every * (samples - 1)
    gap = every if samples > 1 else 0
    return Span(number, check, state, first, first + 3, last, last + 3, samples, gap, closed, message)


def growth(of: Span, sent: int) -> Growth:
    """How far `of` reaches, told in a message sent at `sent`."""
    return Growth(of.number, sent - of.last_begin, sent - of.last_end, of.samples, of.largest_gap)


def exchange(number: int, sent: int = 3_000, collector: str = "c0ffee00") -> Exchange:
    return Exchange(number, collector, sent, START_UTC + sent + 10, START_UTC + sent + 12, sent + 20)


def gap(number: int, first: int, last: int) -> Gap:
    return Gap(number, first, last, "the journal was full")


def beat(*parts: Part, sent: int = 10_000, run: str = RUN, node: str = NODE) -> Evidence:
    return Evidence(protocol=1, node=node, run=run, sent_agent=sent, parts=list(parts))


def first_beat(run: str = RUN, node: str = NODE, sent: int = 3_000, previous: PreviousRun | None = None) -> Evidence:
    """A run's opening and the first version of its two spans."""
    spans = [span(1, "alive"), span(2, "web")]
    return beat(Part(run, opening(previous=previous), spans), sent=sent, run=run, node=node)


def later_beat(tick: int, run: str = RUN, node: str = NODE) -> Evidence:
    """The beat `tick` seconds after the first: both spans have grown."""
    sent = 3_000 + 1_000 * tick
    grown = [growth(span(1, "alive", samples=1 + tick), sent), growth(span(2, "web", samples=1 + tick), sent)]
    return beat(Part(run, growths=grown), sent=sent, run=run, node=node)


def arrival(evidence: Evidence, at: Reading | None = None) -> Arrival:
    """Its arrival, ten milliseconds after it was sent unless `at` says otherwise."""
    return Arrival(evidence.node, evidence, at or reading(evidence.sent_agent + 10))
