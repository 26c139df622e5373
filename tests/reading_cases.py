"""Short words for evidence of one node, on a clock that is known to within its 100 ms allowance."""

from __future__ import annotations

from detak_collector.downtime.facts import Claim, Exchange, Facts, Node, Run, Settings, Span
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.sampled import Window, read_sampled

BOOTED = 1_780_000_000_000
EARLY, LATE = 50, 150
"""After an exchange: the collector's error either way, and a freeze too short to notice on one side."""
BEFORE = 150
"""Before the first exchange of a boot."""
SECOND = 1_000


def at(seconds: float) -> int:
    """Seconds of the first boot's agent time, as UTC."""
    return BOOTED + round(seconds * SECOND)


def span(check: str, number: int, state: str, first: float, last: float, **more: object) -> Span:
    begin, end = round(first * SECOND), round(last * SECOND)
    return Span(check, number, state, begin, begin, end, end, **more)  # type: ignore[arg-type]


def run(name: str, *spans: Span, boot: str = "b1", booted: int = BOOTED, opened: float = 0, **more: object) -> Run:
    exchange = Exchange(*(int(opened * SECOND) + offset for offset in (0, booted, booted, 0)))
    settings: dict[str, object] = {
        "init_started": 0, "tick_ms": SECOND, "claim": Claim(0, booted, None), "exchanges": (exchange,),
        "checks": (
            Settings("c", "os", 5_000, 1_000), Settings("p", "process", 5_000, 1_000),
            Settings("r", "tcp", 5_000, 1_000, remote=True),
        ),
        "complete_to": len(spans),
    }  # fmt: skip
    return Run(name, boot, int(opened * SECOND), spans=spans, **(settings | more))  # type: ignore[arg-type]


def read(
    check: str, *runs: Run, now: float, heard: float | None = None, watched: Intervals | None = None, **more: object
) -> Reading:
    node = Node("n", runs=runs, heard_utc=at(now if heard is None else heard))
    facts = Facts({"n": node}, watched=Intervals.span(at(-100), at(now)) if watched is None else watched, drift_ppm=0)
    return read_sampled(check, history_of(node, facts), facts, Window(at(0), at(now), at(now)), **more)  # type: ignore[arg-type]


def shown(reading: Reading) -> list[str]:
    return [passage.shown_as for passage in reading.passages]
