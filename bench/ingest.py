"""What a collector holds on one core: beats by HTTP from thousands of nodes, every acknowledged one on the disk.

    python bench/ingest.py [--quick] [--nodes 10000] [--only rate|estate|tls|disk]

The collector is a process of its own on one core, the driver another on the other. Beside it, in turns so that the
machine's drift does not decide: the same server with no store, and prometheus-pushgateway with as many groups.
Each requirement is printed as met or missed; the exit code is 1 where one is missed. Ends with `ingest beats_per_s=…
storeless_per_s=… p99_ms_at_2000=… rss_mib=… p99_ms_at_2000_page_open=… tls_p99_ms_at_2000=… tls_rss_mib=…`.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sqlite3
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import ingest_disk
import ingest_servers as servers
from ingest_beats import Node
from ingest_driver import Fleet, Outcome
from ingest_estate import Sizes, large_estate, secured_estate
from ingest_pushed import pushes
from ingest_verdict import ESTATE_NODES, Requirement, of_disk, of_estate, of_saturation, of_tls, told

WHOLE = Sizes(nodes=10_000, turns=3, turn_s=8.0, settle_s=90.0, paced_s=120.0, days=30, disk_nodes=60)
QUICK = Sizes(nodes=2_000, turns=1, turn_s=3.0, settle_s=6.0, paced_s=6.0, days=30, disk_nodes=10)
SATURATING_NODES = 5_000
WINDOW = 256
"""Requests under way at saturation."""

SLOW_WINDOW = 8
"""Of a server that would need minutes to answer so many."""

OPENING_WINDOW = 64
QUIET_SHARE = 0.15
QUIET_TRIES = 30

Word = Callable[[int], bytes]
"""A request of the node of that number."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One server's turn at saturation. `cpu` is its share of its core."""

    outcome: Outcome
    cpu: float
    rss_mib: float

    @property
    def per_cpu_second(self) -> float:
        """What it takes in a second of processor: others on its core do not change it much."""
        return self.outcome.per_second / self.cpu


def main() -> None:
    """Measures, and prints what it finds as it goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the same in little, in about a minute")
    parser.add_argument("--nodes", type=int, help="how many nodes the large estate has")
    parser.add_argument("--only", choices=PARTS, help="one part alone: minutes less")
    asked = parser.parse_args()
    sizes = QUICK if asked.quick else WHOLE
    sizes = sizes.with_nodes(asked.nodes or sizes.nodes)
    server_core, driver_core = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, {driver_core})
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}, "
        f"{os.cpu_count()} cores: {server_core} for the server, {driver_core} for the driver\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        parts = [PARTS[asked.only]] if asked.only else PARTS.values()
        shown = [part(Path(folder), sizes, server_core) for part in parts]
    all_met = told(one for part in shown for one in part.requirements)
    print(f"ingest {' '.join(one.words for one in shown if one.words)}")
    sys.exit(0 if all_met else 1)


@dataclass(frozen=True, slots=True)
class Shown:
    """What one part found: its words for the last line, and what was required."""

    words: str
    requirements: Sequence[Requirement]


def saturated(home: Path, sizes: Sizes, core: int) -> Shown:
    """Beside the server with no store, and pushgateway."""
    ours, storeless = saturation(home, sizes, core)
    return Shown(f"beats_per_s={ours:.0f} storeless_per_s={storeless:.0f}", list(of_saturation(ours, storeless)))


def estate(home: Path, sizes: Sizes, core: int) -> Shown:
    """The large estate and its bad days."""
    held = large_estate(home, sizes, core)
    words = (
        f"p99_ms_at_2000={held.p99_ms:.1f} rss_mib={held.rss_mib:.0f} "
        f"p99_ms_at_2000_page_open={held.watched_p99_ms:.1f}"
    )
    required = of_estate(held.p99_ms, held.watched_p99_ms, held.rss_mib, held.ready_s, held.known_s)
    return Shown(words, list(required) if sizes.nodes >= ESTATE_NODES else [])


def secured(home: Path, sizes: Sizes, core: int) -> Shown:
    """The large estate over TLS."""
    found = secured_estate(home, sizes, core)
    words = f"tls_p99_ms_at_2000={found.p99_ms:.1f} tls_rss_mib={found.rss_mib:.0f}"
    required = of_tls(found.p99_ms, found.rss_mib)
    return Shown(words, list(required) if sizes.nodes >= ESTATE_NODES else [])


def disk(home: Path, sizes: Sizes, core: int) -> Shown:  # noqa: ARG001 - one part is asked as another
    """What quiet nodes take on the disk."""
    return Shown("", list(of_disk(ingest_disk.show(home, sizes))))


PARTS = {"rate": saturated, "estate": estate, "tls": secured, "disk": disk}
"""In the order in which they are measured."""


def saturation(home: Path, sizes: Sizes, core: int) -> tuple[float, float]:
    """Turn by turn as fast as each can; the medians of the collector and of the one with no store."""
    nodes = min(SATURATING_NODES, sizes.nodes)
    model = home / "model"
    keys = servers.enrolled(model, nodes)
    print(f"at saturation, {nodes} nodes on as many connections, {WINDOW} requests under way")
    print(f"{'':<34}{'req/s':>8}{'per cpu s':>11}{'p50 ms':>8}{'p99 ms':>8}{'cpu':>6}{'MiB':>6}  driver's cpu")
    found: dict[str, list[Turn]] = {}
    for turn in range(sizes.turns):
        for name, command in (("collector", servers.COLLECTOR), ("no store", servers.STORELESS)):
            place = servers.copied(model, home / f"{name} {turn}")
            server = servers.collector(place, core, command)
            agents = [Node(at, key) for at, key in enumerate(keys)]
            words = said(agents, Node.first), said(agents, Node.next)
            one = taken(server, Fleet(server.port, nodes), words, WINDOW, sizes)
            found.setdefault(name, []).append(shown(name, one))
        for name, window, options in (
            ("pushgateway as it comes", SLOW_WINDOW, ()),
            ("pushgateway without its checks", WINDOW, ("--push.disable-consistency-check",)),
        ):
            pushed = servers.pushgateway(home, core, *options)
            if pushed is None:
                print(f"{name:<34} is not installed")
                continue
            first = pushes(nodes)
            found.setdefault(name, []).append(
                shown(name, taken(pushed, Fleet(pushed.port, nodes), (first, first), window, sizes))
            )
    ours, other = (median(one.outcome.per_second for one in found[name]) for name in ("collector", "no store"))
    mine, theirs = (median(one.per_cpu_second for one in found[name]) for name in ("collector", "no store"))
    print(
        f"collector / no store: {ours / other:.0%} of its rate, {mine / theirs:.0%} of its rate per processor second\n"
    )
    return ours, other


def said(agents: Sequence[Node], word: Callable[[Node], bytes]) -> Word:
    """What an agent, by its number, says when it is asked for that word."""
    return lambda at: word(agents[at])


def taken(server: servers.Server, fleet: Fleet, words: tuple[Word, Word], window: int, sizes: Sizes) -> Turn:
    """One server's turn, once it has met all nodes, as far as it can in that time, and come to rest."""
    first, following = words
    try:
        if window < OPENING_WINDOW:
            fleet.saturate(first, window, sizes.turn_s)
        else:
            fleet.once(first, OPENING_WINDOW)
        rested(server)
        gc.collect()
        gc.disable()
        before = server.usage()
        outcome = fleet.saturate(following, window, sizes.turn_s)
        after = server.usage()
        gc.enable()
    finally:
        fleet.close()
        server.end()
    return Turn(outcome, (after.cpu_s - before.cpu_s) / outcome.seconds, after.rss_mib)


def rested(server: servers.Server) -> None:
    """Waits until what the server does about its first acquaintance with the nodes is done."""
    for _ in range(QUIET_TRIES):
        before = server.usage().cpu_s
        time.sleep(1.0)
        if server.usage().cpu_s - before < QUIET_SHARE:
            return


def shown(name: str, one: Turn) -> Turn:
    """The turn, told in a line."""
    outcome = one.outcome
    refused = {status: count for status, count in outcome.statuses.items() if not 200 <= status < 300}
    print(
        f"{name:<34}{outcome.per_second:>8.0f}{one.per_cpu_second:>11.0f}{outcome.quantile_ms(0.5):>8.1f}"
        f"{outcome.quantile_ms(0.99):>8.1f}{one.cpu:>6.0%}{one.rss_mib:>6.0f}"
        f"  {outcome.driver_cpu_s / outcome.seconds:.0%}{f'  refused {refused}' if refused else ''}",
        flush=True,
    )
    return one


if __name__ == "__main__":
    main()
