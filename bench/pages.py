"""What the pages cost over 200 services, 1,000 nodes and two years of evidence, in a real collector and a real browser.

    python bench/pages.py [--seed 1] [--store FOLDER]

FOLDER keeps the store, which takes long to make, for another time. The collector and the processes in which it derives
share one core. Ends with `pages status_ms=… status_kib=… services=200 nodes=1000`; the exit code is 1 where a bound is
missed.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from ingest_servers import Server, collector, copied
from pages_browser import LOOKS, THROTTLED, Seen, look
from pages_estate import Made
from pages_load import Asked, Reader, live, news
from pages_on_demand import busy, on_demand
from pages_store import COOKIE, SERVE, found_or_made

ASKED = 400
EACH_S = 0.02
CONNECTIONS = 500
SETTLED_S = 10.0
BOUNDS = {
    "status_ms": 100.0, "status_kib": 150.0, "paint_ms": 1_000.0, "live_mib": 40.0,
    "figure_ms": 4_000.0, "service_year_ms": 1_500.0, "outages_ms": 500.0,
}  # fmt: skip
"""Of issue 6: server time, all that is transferred, the first paint, what 500 live connections cost. Of pages that are
derived when somebody asks: the first figure of the running year, which starts the process that derives; the year of a
service that was down ten thousand times; the list of outages by layer and state."""


@dataclass(frozen=True, slots=True)
class Status:
    """Server times in milliseconds, sorted, and the page's bytes as it is sent."""

    took_ms: list[float]
    sent_bytes: int

    @property
    def median_ms(self) -> float:
        """The middle one."""
        return self.took_ms[len(self.took_ms) // 2]

    @property
    def p99_ms(self) -> float:
        """The 99th percentile."""
        return quantiles(self.took_ms, n=100)[98]


def main() -> int:
    """Measures all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", type=Path, help="where one was made, or is to be made and kept")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "store"
        # What is measured writes, too: what is kept stays as it was made.
        made = found_or_made(arguments.store or home, arguments.seed)
        if arguments.store is not None:
            copied(arguments.store, home)
        core = min(os.sched_getaffinity(0))
        server = collector(home, core, SERVE)
        stack.callback(server.end)
        found = measured(server, made)
        server.end()
        return judge({**found, **busy(arguments.seed, core)}, made)


def measured(server: Server, made: Made) -> dict[str, float]:
    """Each number by its name."""
    url = f"http://127.0.0.1:{server.port}/"
    reader, stranger = Reader(server.port, COOKIE), Reader(server.port, "")
    first = reader.ask("/")
    print(f"started again in {server.started_s:.1f} s, the first status page {first.took_ms / 1_000:.1f} s after that")
    demanded = on_demand(reader)
    with news(server.port, made.end_agent):
        everybody = status("everybody", stranger)
        signed_in = status("signed in", reader)
    public, whole = look(url, ""), look(url, COOKIE)
    painted("everybody", public)
    painted("signed in", whole)
    live_mib = weighed(server, made)
    reader.close()
    stranger.close()
    return {
        **demanded,
        "status_ms": max(everybody.p99_ms, signed_in.p99_ms),
        "status_kib": max(public.kib, whole.kib),
        "paint_ms": max(public.paint_ms, whole.paint_ms),
        "live_mib": live_mib,
    }


def status(who: str, reader: Reader) -> Status:
    """The status page again and again, while a check fails and recovers."""
    asked: list[Asked] = []
    for _ in range(ASKED):
        asked.append(reader.ask("/"))
        time.sleep(EACH_S)
    one = Status(sorted(each.took_ms for each in asked), asked[-1].sent_bytes)
    print(f"status page, {who}: {one.median_ms:.1f} ms (median), {one.p99_ms:.1f} ms (p99), "
          f"{one.took_ms[-1]:.0f} ms at most; {one.sent_bytes / 1_024:.1f} KiB packed", flush=True)  # fmt: skip
    return one


def painted(who: str, seen: Seen) -> None:
    """A line about what the browser saw."""
    parts = ", ".join(f"{re.sub(r'[.][0-9a-f]{16}', '', path) or 'page'} {size / 1_024:.1f}"
                      for path, size in seen.bytes.items())  # fmt: skip
    print(f"browser, {who}: first paint after {seen.paint_ms:.0f} ms (processor throttled {THROTTLED} times, middle of "
          f"{LOOKS}); {seen.kib:.1f} KiB in all: {parts}", flush=True)  # fmt: skip


def weighed(server: Server, made: Made) -> float:
    """What so many live connections cost the serving process, in MiB, news being told to all of them."""
    before = rss_mib(server.process.pid)
    with live(server.port, CONNECTIONS), news(server.port, made.end_agent):
        time.sleep(SETTLED_S)
        cost = rss_mib(server.process.pid) - before
    print(f"{CONNECTIONS} live connections: {cost:.1f} MiB more than {before:.0f} MiB", flush=True)
    return cost


def rss_mib(pid: int) -> float:
    """The memory of one process."""
    told = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+)", told)[0]) / 1_024


def judge(found: dict[str, float], made: Made) -> int:
    """Says which bound was missed, and ends with the one line."""
    missed = [f"{name} {found[name]:.1f} > {bound:g}" for name, bound in BOUNDS.items() if found[name] > bound]
    print(f"\nload {os.getloadavg()[0]:.1f}; bounds: {'all met' if not missed else 'missed: ' + ', '.join(missed)}")
    print(
        f"pages status_ms={found['status_ms']:.1f} status_kib={found['status_kib']:.1f} "
        f"paint_ms={found['paint_ms']:.0f} live_mib={found['live_mib']:.1f} figure_ms={found['figure_ms']:.0f} "
        f"service_year_ms={found['service_year_ms']:.0f} outages_ms={found['outages_ms']:.0f} "
        f"services={made.size.services} nodes={made.size.nodes}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
