"""What a year's figure costs: a report from evidence alone, from kept months, after a late fact, and the live page.

    python bench/report.py [--services 100,300,1000]

Each report is a process of its own on one core, as somebody at a terminal would start it; its time is that of the
processor, start and printing included, from kept months the middle one of three.
Ends with `report services=… cold_seconds=… seconds=…`.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from detak_collector.clocks import Reading
from detak_collector.config import load
from detak_collector.figures import Figures
from detak_collector.rules import rules_of
from detak_collector.serve import settle_memory
from detak_collector.store.base import Arrival
from detak_collector.store.sqlite import FILE_NAME, SqliteStore, open_store
from detak_wire.messages import Evidence, Part, Span, State
from estate import DAY_MS, DAYS, HOUR_MS, INTERVAL_MS, MEMBERS, OFFSET, OUTAGES, catalogue, fill, place

SEED = 1
END_AGENT = 1_000 * HOUR_MS + DAYS * DAY_MS
NOW = Reading(END_AGENT + OFFSET + 6_000, END_AGENT + 6_000, "boot")
NEW = 1_000_000_001
"""The number of a record that is news: the store holds all up to the one before."""

LOOKS = 20
KEPT_RUNS = 3
"""A report of a few seconds is made so often, and the middle one told: a machine is not equally fast for long."""

WIDTHS = (8, 10, 8, 13, 8, 12, 14)


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured at one size. Seconds are of one core, milliseconds of a clock."""

    services: int
    spans: int
    cold_s: float
    warm_s: float
    late_s: float
    derived_again: int


def main() -> None:
    """Measures each size, and the live page at the last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", default="100,300,1000", help="sizes, the greatest last")
    sizes = [int(size) for size in parser.parse_args().services.split(",")]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, one core of {os.cpu_count()}")
    print(f"each service: {len(MEMBERS)} members, {OUTAGES} outages in the year 2025\n")
    heads = ("services", "spans", "cold s", "a service ms", "kept s", "late fact s", "derived again")
    print(" ".join(f"{head:>{width}}" for head, width in zip(heads, WIDTHS, strict=True)))
    for size in sizes:
        with tempfile.TemporaryDirectory() as directory:
            cost = measure(Path(directory), size)
            print(
                f"{cost.services:>8} {cost.spans:>10,} {cost.cold_s:>8.1f} {1_000 * cost.cold_s / size:>13.1f} "
                f"{cost.warm_s:>8.2f} {cost.late_s:>12.2f} {cost.derived_again:>14}",
                flush=True,
            )
            if size == sizes[-1]:
                live(Path(directory), size)
    print(f"report services={cost.services} cold_seconds={cost.cold_s:.1f} seconds={cost.warm_s:.2f}")


def measure(directory: Path, services: int) -> Cost:
    """The reports at one size: from nothing, from what was kept, and after a fact of May came late."""
    (directory / "services.toml").write_text(catalogue(services))
    (directory / "collector.toml").write_text(f'state_directory = "{directory}"\nservices = "services.toml"\n')
    spans = fill(directory, services, SEED, NOW)
    cold = report(directory)
    warm = median(report(directory) for _ in range(KEPT_RUNS))
    with closing(open_store(directory, NOW)) as store:
        may = END_AGENT - (DAYS - 130) * DAY_MS
        deliver(store, Span(NEW, MEMBERS[-1] + "-00", "down", may, may + 3, may, may + 3, 1, 0, closed=True))
    late = report(directory)
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        again = "SELECT count(*) FROM derived WHERE sequence = (SELECT max(sequence) FROM derived)"
        (derived_again,) = connection.execute(again).fetchone()
    return Cost(services, spans, cold, warm, late, derived_again)


def report(directory: Path) -> float:
    """Processor seconds of one `detak-collector report` of the year."""
    command = [sys.executable, "-m", "detak_collector", "--config", str(directory / "collector.toml")]
    before = os.times()
    subprocess.run([*command, "report", "--period", "2025"], check=False, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def deliver(store: SqliteStore, span: Span) -> None:
    """One record of the node that bears the last member of the first service, as its agent would send it."""
    node = place(0, len(MEMBERS) - 1).node
    run = f"{node:032x}"
    beat = Evidence(1, f"node-{node:04}", run, END_AGENT + 5_000, [Part(run, spans=[span])])
    (receipt,) = store.evidence.commit([Arrival(beat.node, beat, NOW)])
    if isinstance(receipt, Exception):
        raise receipt


def live(directory: Path, services: int) -> None:
    """From an outage's record in the store to the figure on the page."""
    rules = rules_of(load(directory / "collector.toml"))
    with closing(open_store(directory, NOW)) as store:
        figures = Figures(store.evidence, store.derived, store.registry, lambda: rules, lambda: NOW)
        settle_memory()
        first = clocked(figures)
        took, check = [], MEMBERS[-1] + "-00"
        for look in range(LOOKS):
            at = END_AGENT - 600_000 + look * 2 * INTERVAL_MS
            state: State = "down" if look % 2 == 0 else "up"
            before = figures.board_now().figure.counted_ms
            deliver(store, Span(NEW + 1 + look, check, state, at, at + 3, at, at + 3, 1, 0, closed=True))
            took.append(clocked(figures))
            if state == "up" and figures.board_now().figure.counted_ms == before:
                raise SystemExit("the figure did not notice the outage")
    took.sort()
    median, most = took[len(took) // 2], took[-1]
    print(f"\nthe live page over {services} services: first drawing {first:.0f} ms; after each new record of one check")
    print(f"the board with its new figure in {median:.0f} ms (median), {most:.0f} ms at most\n")


def clocked(figures: Figures) -> float:
    begun = time.perf_counter()
    figures.board_now()
    return (time.perf_counter() - begun) * 1_000


if __name__ == "__main__":
    main()
