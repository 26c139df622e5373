"""A large estate on one collector: latency at its ordinary pace, memory, a restart, and the return after an outage."""

from __future__ import annotations

import gc
import http.client
import random
import shutil
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import ingest_servers as servers
from detak_agent.metrics.waiting import POINTS_PER_MESSAGE
from ingest_beats import BEAT_MS, Node
from ingest_driver import Fleet, Outcome, quantile_ms

OPENING_WINDOW = 64
RATE = 2_000
"""Beats a second: what 10,000 nodes say at five seconds. Fewer nodes speak so much more often."""

OUTAGE_BEATS = 720
OUTAGE_CHANGES = 6
"""An hour's beats that reached nobody, and what changed in it."""

FIRST_TRY_S = (0.25 * 2 * BEAT_MS / 1_000, 2 * BEAT_MS / 1_000)
"""When agents try again, for whom a collector has long been away: spread evenly between these times."""

BURST = 4_500
"""More at once than may wait for a commit."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured, and for how long. `settle_s` is what a collector has to get acquainted with its nodes."""

    nodes: int
    turns: int
    turn_s: float
    settle_s: float
    paced_s: float
    days: int
    disk_nodes: int

    def with_nodes(self, nodes: int) -> Sizes:
        """The same with an estate of so many."""
        return replace(self, nodes=nodes)


@dataclass(frozen=True, slots=True)
class Held:
    """The 99th percentiles at the ordinary pace in milliseconds, the most memory in MiB, and two times in seconds."""

    p99_ms: float
    watched_p99_ms: float
    rss_mib: float
    ready_s: float
    known_s: float


@dataclass(frozen=True, slots=True)
class Secured:
    """The same at the ordinary pace over TLS: 99th percentile, the most memory, and what a new connection costs."""

    p99_ms: float
    rss_mib: float
    opened_cpu_ms: float


def large_estate(home: Path, sizes: Sizes, core: int) -> Held:
    """An estate at its ordinary pace, with nobody and with somebody looking at the page, and its bad days."""
    place = home / "estate"
    server, fleet, agents, _ = settled(place, sizes, core)
    paced = at_pace("at that pace", server, fleet, agents, sizes)
    seen: dict[str, float] = {}
    with servers.page_open(server.port, seen):
        watched = at_pace("with the page open", server, fleet, agents, sizes)
    print(f"  the page was renewed {seen['renewals']:.0f} times, and stood for {seen['longest_s']:.1f} s at most")
    most_before = server.most_mib
    server, ready_s = restarted(server, place, core)
    fleet.close()
    most, known_s = returned(server, agents)
    server.end()
    shutil.rmtree(place)
    return Held(paced.quantile_ms(0.99), watched.quantile_ms(0.99), max(most_before, most), ready_s, known_s)


def secured_estate(home: Path, sizes: Sizes, core: int) -> Secured:
    """The same estate over TLS, at its ordinary pace."""
    place = home / "secured"
    server, fleet, agents, opened_cpu_ms = settled(place, sizes, core, tls=True)
    paced = at_pace("at that pace", server, fleet, agents, sizes)
    most = server.most_mib
    fleet.close()
    server.end()
    shutil.rmtree(place)
    return Secured(paced.quantile_ms(0.99), most, opened_cpu_ms)


def settled(
    place: Path, sizes: Sizes, core: int, *, tls: bool = False
) -> tuple[servers.Server, Fleet, list[Node], float]:
    """A collector that has got acquainted with all its nodes, and the milliseconds of processor for each at first."""
    keys = servers.enrolled(place, sizes.nodes, tls=tls)
    agents = [Node(at, key) for at, key in enumerate(keys)]
    server = servers.collector(place, core)
    fleet = Fleet(server.port, sizes.nodes, server.context)
    period_s = sizes.nodes / RATE
    print(
        f"{sizes.nodes} nodes of 20 checks, a beat each {period_s:.1f} s: {RATE} beats/s{', over TLS' if tls else ''}"
    )
    before = server.usage()
    opened = fleet.once(lambda at: agents[at].first(), OPENING_WINDOW)
    cpu_ms = 1_000 * (server.usage().cpu_s - before.cpu_s) / sizes.nodes
    tell("all open their runs", opened)
    print(f"  {cpu_ms:.2f} ms of a core each")
    fleet.pace(lambda at: agents[at].next(), period_s, sizes.settle_s)
    return server, fleet, agents, cpu_ms


def at_pace(what: str, server: servers.Server, fleet: Fleet, agents: list[Node], sizes: Sizes) -> Outcome:
    """Each node's beat each period; tells of latency, processor and memory, the page's own process included."""
    gc.collect()
    gc.disable()
    before = server.usage()
    paced = fleet.pace(lambda at: agents[at].next(), sizes.nodes / RATE, sizes.paced_s)
    after = server.usage()
    gc.enable()
    tell(what, paced)
    lag_ms = quantile_ms(paced.lags, 0.99)
    print(
        f"  {(after.cpu_s - before.cpu_s) / paced.seconds:.0%} of a core, {after.rss_mib:.0f} MiB; "
        f"of the p99 the driver's own lag may be {lag_ms:.1f} ms"
    )
    return paced


def restarted(server: servers.Server, place: Path, core: int) -> tuple[servers.Server, float]:
    """Killed and started again; tells how many seconds it takes until it is ready."""
    server.end(signal.SIGKILL)
    begun = time.monotonic()
    again = servers.collector(place, core)
    print(f"  killed and started again: listens after {again.started_s:.1f} s, ", end="")
    while not answers(again.port, "/readyz"):
        time.sleep(0.05)
    ready_s = time.monotonic() - begun
    print(f"ready after {ready_s:.1f} s")
    return again, ready_s


def answers(port: int, path: str) -> bool:
    """Whether a request is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def returned(server: servers.Server, agents: list[Node]) -> tuple[float, float]:
    """All come back after an hour in which nothing reached this collector: the most memory, and in how many seconds."""
    fleet = Fleet(server.port, len(agents))
    choose = random.Random(1)
    plan = [(choose.uniform(*FIRST_TRY_S), at) for at in range(len(agents))]
    back = fleet.follow(
        lambda at: agents[at].after_outage(OUTAGE_BEATS, OUTAGE_CHANGES, POINTS_PER_MESSAGE), plan, FIRST_TRY_S[1]
    )
    tell(f"all return after an hour, over {FIRST_TRY_S[1] - FIRST_TRY_S[0]:.1f} s", back)
    print(f"  the last of them is known again {back.seconds:.1f} s after the collector was")
    burst = fleet.once(lambda at: agents[at].next(), BURST)
    tell(f"{min(BURST, len(agents))} beats under way at once", burst)
    fleet.close()
    return server.most_mib, back.seconds


def tell(what: str, outcome: Outcome) -> None:
    """A line about beats."""
    refused = {status: count for status, count in outcome.statuses.items() if status != 200}
    retry = f", {dict(refused)} with Retry-After {dict(outcome.retry_after)}" if refused else ""
    print(
        f"  {what}: {outcome.per_second:.0f} beats/s, p50 {outcome.quantile_ms(0.5):.1f} ms, "
        f"p99 {outcome.quantile_ms(0.99):.1f} ms, most {outcome.quantile_ms(1.0):.0f} ms{retry}",
        flush=True,
    )
