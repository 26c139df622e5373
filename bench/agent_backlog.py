"""How long a node that was cut off for 30 days takes to deliver them, from its connection to the last acknowledgement.

    python bench/agent_backlog.py

A month of ten checks is written by the agent's own spans and journal in virtual time; a real agent then delivers it to
a real collector. Ends with `backlog records=… journal_kib=… messages=… delivered_s=…`, of one change of state an hour.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from agent import AGENT, LOCAL, collector, enrolled, started
from agent_wire import Meter
from detak_agent.journal import Journal
from detak_agent.journal_file import FILE_NAME, connect_read_only
from detak_agent.run import Run
from detak_agent.spans import Sample
from detak_wire.messages import CheckSettings, ClockClaim, RunOpening, State

CHECKS = tuple(f"check-{at}" for at in range(10))
RUN, BOOT = "0123456789abcdef", "fedcba9876543210"
DAYS = 30
HOUR_MS = 3_600_000
INTERVAL_MS = 60_000
"""Rarer samples than an agent's make the same records, and are written in seconds."""

MONTH_BEGAN_UTC = 1_767_200_400_000
WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one month took."""

    records: int
    journal_bytes: int
    messages: int
    sent_bytes: int
    seconds: float


def write_month(state: Path, url: str, changing: int) -> int:
    """A month in which `changing` of the checks change their state every hour; how many records it makes."""
    journal = Journal.open(state)
    journal.outbox.configure([url])
    checks = [CheckSettings(name, "tcp", INTERVAL_MS, 4_000, target="127.0.0.1:80") for name in CHECKS]
    clock = ClockClaim(0, MONTH_BEGAN_UTC, 12)
    run = Run(RUN, RunOpening(BOOT, 0, 0, "0.1.0", INTERVAL_MS, INTERVAL_MS, checks, clock))
    journal.begin_run(RUN, run.opening, MONTH_BEGAN_UTC)
    for now in range(0, DAYS * 24 * HOUR_MS, INTERVAL_MS):
        hour = now // HOUR_MS
        for at, name in enumerate(CHECKS):
            state_now: State = "down" if hour % 2 and (hour // 2 + at) % len(CHECKS) < changing else "up"
            run.add(Sample(name, now, now + 9, state_now, "connection refused by 127.0.0.1:80" * (state_now == "down")))
        run.tick(now)
        if now % HOUR_MS == 0:
            commit = run.take()
            journal.commit(commit, MONTH_BEGAN_UTC + now)
            run.committed(commit)
    journal.commit(run.end("stop", DAYS * 24 * HOUR_MS), MONTH_BEGAN_UTC + DAYS * 24 * HOUR_MS)
    journal.close()
    return run.last_number + 1


def left(journal: sqlite3.Connection) -> int:
    """How much of the month the collector has not acknowledged."""
    query = "SELECT count(*) FROM owed JOIN record USING (sequence) JOIN run ON run.id = record.run WHERE run.run = ?"
    return int(journal.execute(query, (RUN,)).fetchone()[0])


def deliver(folder: Path, port: int, name: str, changing: int) -> Delivery:
    """Write the month, start an agent on it, and wait until the collector has all of it."""
    with Meter.before(port) as meter:
        config = enrolled(folder, name, [check.format(port=port) for check in LOCAL], meter.port)
        asked = len(meter.requests())
        meter.connected_at = None
        state = config.with_name("state")
        records = write_month(state, f"http://127.0.0.1:{meter.port}", changing)
        size = sum(file.stat().st_size for file in state.glob(f"{FILE_NAME}*"))
        journal = connect_read_only(state)
        assert left(journal) == records
        with started([*AGENT, "run", "--config", str(config)], config.with_name("log")):
            until = time.monotonic() + WITHIN_S
            while left(journal) and time.monotonic() < until:
                time.sleep(0.005)
            done = time.monotonic()
            sizes = meter.requests()[asked:]
        if left(journal) or meter.connected_at is None:
            raise SystemExit(
                f"{left(journal)} records were left after {WITHIN_S} s:\n{config.with_name('log').read_text()}"
            )
        journal.close()
        return Delivery(records, size, len(sizes), sum(sizes), done - meter.connected_at)


def main() -> None:
    """Prints the table and the line."""
    months = {"one change an hour": 1, "one change an hour of each check": len(CHECKS)}
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        with collector(folder) as port:
            took = {name: deliver(folder, port, f"node-{changing}", changing) for name, changing in months.items()}
    title = "30 days of ten checks, cut off"
    print(f"{title:36} {'records':>8} {'journal KiB':>12} {'messages':>9} {'sent KiB':>9} {'s':>6}")
    for name, one in took.items():
        size, sent = one.journal_bytes / 1024, one.sent_bytes / 1024
        print(f"{name:36} {one.records:>8,} {size:>12,.0f} {one.messages:>9} {sent:>9,.0f} {one.seconds:>6.2f}")
    first = next(iter(took.values()))
    print(
        f"backlog records={first.records} journal_kib={first.journal_bytes // 1024} messages={first.messages} "
        f"delivered_s={first.seconds:.2f}"
    )


if __name__ == "__main__":
    main()
