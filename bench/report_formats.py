"""What writing a year's report costs in each format, from the derived figures on: a thousand services, 20 outages each.

    python bench/report_formats.py [--services 1000] [--outages 20] [--language id]

Deriving comes before and is measured by bench/report.py. Each format is written three times and the middle one told, in
seconds of the processor and of a clock. Ends with `report-formats services=… html_seconds=… …`, by the clock.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Group, Member, Service
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.facts import Facts, Node, Stated
from detak_collector.downtime.periods import Period, parse_period
from detak_collector.report.formats import FORMATS, Order
from detak_collector.translation import LANGUAGES

SEED = 1
RUNS = 3
MINUTE_MS = 60_000
ZONE = ZoneInfo("Asia/Jakarta")
YEAR = parse_period("2026", ZONE, 0)
CATEGORIES = ("network", "database", "application", "server", "power")
TIMED = ("html", "pdf", "xlsx")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one format: seconds of the processor and of a clock, and bytes."""

    cpu_s: float
    wall_s: float
    size: int


def main() -> None:
    """Derives the year once, and writes it in every format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--outages", type=int, default=20)
    parser.add_argument("--language", choices=LANGUAGES, default="id")
    asked = parser.parse_args()
    result = a_year(asked.services, asked.outages, YEAR)
    print(f"Python {platform.python_version()}, {asked.services} services with {asked.outages} outages each\n")
    print(f"{'format':>8} {'cpu s':>8} {'clock s':>8} {'MB':>8}")
    costs = {}
    for name in FORMATS:
        costs[name] = written(result, name, asked.language)
        cost = costs[name]
        print(f"{name:>8} {cost.cpu_s:>8.2f} {cost.wall_s:>8.2f} {cost.size / 1e6:>8.1f}", flush=True)
    told = " ".join(f"{name}_seconds={costs[name].wall_s:.1f}" for name in TIMED)
    print(f"\nreport-formats services={asked.services} {told}")
    sys.stdout.flush()


def written(result: Result, name: str, language: str) -> Cost:
    """The middle of several runs."""
    cpu, wall, size = [], [], 0
    for _ in range(RUNS):
        cpu_begun, begun = time.process_time(), time.perf_counter()
        size = len(FORMATS[name].made(result, Order(language)))
        cpu.append(time.process_time() - cpu_begun)
        wall.append(time.perf_counter() - begun)
    return Cost(median(cpu), median(wall), size)


def a_year(services: int, outages: int, period: Period) -> Result:
    """Services of two groups, each down so often, for two to forty minutes, some of it planned."""
    random = Random(SEED)
    catalogue = Catalogue(
        Dated.always("Direktorat Jenderal Bea dan Cukai"),
        "Asia/Jakarta",
        tuple(service(at) for at in range(services)),
        target_percent=Dated.always(Fraction(1, 10)),
    )
    facts = Facts({f"node-{at:04}": node(at, outages, period, random) for at in range(services)})
    exclusions = tuple(
        planned(at, period.begin + random.randrange(period.end - period.begin)) for at in range(services // 5)
    )
    return derive(Case(catalogue, ZONE, facts, exclusions, period.end), period)


def service(at: int) -> Service:
    """One with a group of one check."""
    group = Group(f"s{at:04}/g", "g", Dated.always(CATEGORIES[at % len(CATEGORIES)]), (Member((f"node-{at:04}/web",)),))
    return Service(f"s{at:04}", Dated.always(f"Layanan Kepabeanan {at:04}"), Dated.always("sangat kritis"), (group,))


def node(at: int, outages: int, period: Period, random: Random) -> Node:
    """Its history, up but for the outages."""
    step = (period.end - period.begin) // (outages + 1)
    edge, history = period.begin, []
    for place in range(outages):
        begin = period.begin + place * step + random.randrange(step // 2)
        end = begin + random.randrange(2 * MINUTE_MS, 40 * MINUTE_MS)
        history.append(Stated("web", "up", edge, begin))
        history.append(Stated("web", "down", begin, end, message="connection refused: 10.1.2.3:8443"))
        edge = end
    history.append(Stated("web", "up", edge, period.end))
    return Node(f"node-{at:04}", stated=tuple(history))


def planned(at: int, begin: int) -> Exclusion:
    """Four hours of planned work on one service."""
    return Exclusion(
        f"x{at:04}", "planned", "service", f"s{at:04}", begin, begin + 240 * MINUTE_MS, f"ND-{at}/2026",
        "pemeliharaan terjadwal", "ani", begin - 1, "budi", begin - 1,
    )  # fmt: skip


if __name__ == "__main__":
    main()
