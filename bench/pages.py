"""What the pages cost over 200 services, 1,000 nodes and two years of evidence, in a real collector and a real browser.

    python bench/pages.py [--seed 1]

The collector and the processes in which it derives share one core. Ends with
`pages status_ms=… status_kib=… services=200 nodes=1000`; the exit code is 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from detak_collector.accounts.account import Account, Origin, Session, Stage
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.roles import Role
from detak_collector.clocks import system_clock
from detak_collector.pair.entry import GRANT
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_collector.web.session import digest
from ingest_servers import Server, collector
from pages_browser import LOOKS, THROTTLED, Seen, look
from pages_estate import DAYS, NODES, OUTAGES, SERVICES, Made, catalogue, fill, service_id
from pages_load import Asked, Reader, live, news

COOKIE = "c" * 43
STATE = "state"
ASKED = 400
EACH_S = 0.02
CONNECTIONS = 500
SETTLED_S = 10.0
LOOK_S = 1.0
MONTHS = DAYS // 31
"""At least so many months are over by then for good."""

WARM_S = 900.0
"""So long, at most, it is waited until they are kept."""

BOUNDS = {"status_ms": 100.0, "status_kib": 150.0, "paint_ms": 1_000.0, "live_mib": 40.0}
"""Of issue 6: server time, all that is transferred, the first paint, what 500 live connections cost."""

CONFIGURATION = f"""\
listen = "127.0.0.1:0"
state_directory = "{STATE}"
services = "services.toml"
# The nodes stand still: their evidence ends when the store was made.
down_after_ms = 3600000

[sign_in]
"""


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
    arguments = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = estate(home, arguments.seed)
        core = min(os.sched_getaffinity(0))
        warm(home, core)
        server = collector(home, core)
        stack.callback(server.end)
        return judge(measured(server, made))


def estate(home: Path, seed: int) -> Made:
    """The store, the configuration, and somebody who has signed in."""
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    begun = time.monotonic()
    (home / "services.toml").write_text(catalogue(), encoding="utf-8")
    (home / "collector.toml").write_text(CONFIGURATION, encoding="utf-8")
    (home / STATE).mkdir(mode=0o700)
    now = system_clock()()
    made = fill(home / STATE, seed, now)
    with closing(open_store(home / STATE, now)) as store:
        store.accounts.add(Account("budi", "Budi", "", Origin.LOCAL, now.utc))
        wish = Wish("budi", Role.VIEWER, "root", Source.MACHINE)
        store.entries.append(GRANT, body_of(wish, withdrawn=False), "root", now.utc)
        session = Session(digest(COOKIE), "budi", Stage.WHOLE, now.utc, now.utc, "127.0.0.1", "bench")
        store.sessions.begin(session, None, 0)
    print(f"{SERVICES} services, {NODES} nodes, {DAYS} days, {OUTAGES} outages of each service: {made.spans:,} spans, "
          f"{made.exchanges:,} clock exchanges, made in {time.monotonic() - begun:.0f} s\n", flush=True)  # fmt: skip
    return made


def measured(server: Server, made: Made) -> dict[str, float]:
    """Each number by its name."""
    url = f"http://127.0.0.1:{server.port}/"
    reader, stranger = Reader(server.port, COOKIE), Reader(server.port, "")
    first = reader.ask("/")
    print(f"started again in {server.started_s:.1f} s, the first status page {first.took_ms / 1_000:.1f} s after that")
    on_demand(reader)
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


def on_demand(reader: Reader) -> None:
    """Each page that is derived when it is asked for, twice; nobody has asked for any before."""
    year = time.gmtime().tm_year
    paths = ("/figure", f"/figure/{year - 1}", f"/service/{service_id(7)}", "/node/node-0123")
    for path in paths:
        one, two = reader.ask(path), reader.ask(path)
        print(f"{path}: {one.took_ms / 1_000:.2f} s, then {two.took_ms:.0f} ms; "
              f"{one.sent_bytes / 1_024:.1f} KiB packed", flush=True)  # fmt: skip


def warm(home: Path, core: int) -> None:
    """What happens once in a collector's life, or after an upgrade: all closed months are derived and kept."""
    server = collector(home, core)
    reader, begun = Reader(server.port, COOKIE), time.monotonic()
    first = reader.ask("/")
    reader.close()
    print(f"nothing kept: started in {server.started_s:.1f} s, first status page {first.took_ms / 1_000:.1f} s later")
    while (kept := months_kept(home)) < MONTHS * SERVICES:
        if time.monotonic() > begun + WARM_S:
            raise SystemExit(f"only {kept} of {MONTHS * SERVICES} months were kept after {WARM_S:.0f} s")
        time.sleep(LOOK_S)
    print(f"all {kept} months of services kept after {time.monotonic() - begun:.0f} s, unasked\n", flush=True)
    server.end()


def months_kept(home: Path) -> int:
    """How many months of services the store keeps."""
    with closing(sqlite3.connect(f"file:{home / STATE / FILE_NAME}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM derived").fetchone()
    return int(count)


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


def judge(found: dict[str, float]) -> int:
    """Says which bound was missed, and ends with the one line."""
    missed = [f"{name} {found[name]:.1f} > {bound:g}" for name, bound in BOUNDS.items() if found[name] > bound]
    print(f"\nload {os.getloadavg()[0]:.1f}; bounds: {'all met' if not missed else 'missed: ' + ', '.join(missed)}")
    print(
        f"pages status_ms={found['status_ms']:.1f} status_kib={found['status_kib']:.1f} "
        f"paint_ms={found['paint_ms']:.0f} live_mib={found['live_mib']:.1f} services={SERVICES} nodes={NODES}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
