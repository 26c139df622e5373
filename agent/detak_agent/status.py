"""What the journal says of the agent, read beside a running one; and the text of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from detak_agent.clocks import Clock
from detak_agent.journal_file import connect_read_only, used_bytes
from detak_agent.records import CollectorStanding, Standing, TickRow
from detak_wire.codec import decode

_QUIET_TICKS = 5

_COLLECTORS = """
SELECT collector.url,
       coalesce((SELECT mark FROM stored WHERE stored.collector = collector.id AND stored.run = ?), 0),
       (SELECT count(*) FROM owed JOIN record USING (sequence) WHERE owed.collector = collector.id AND number > 0)
FROM collector ORDER BY collector.url
"""


def read_standing(state_directory: Path) -> Standing | None:
    """How things stand; None where no run has ticked yet. Raises CouldNotError."""
    connection = connect_read_only(state_directory)
    try:
        connection.execute("BEGIN")
        row = connection.execute(
            "SELECT id, run, boot, tick_ms, stopped, ended FROM run ORDER BY id DESC LIMIT 1"
        ).fetchone()
        kept = None if row is None else connection.execute("SELECT body FROM tick WHERE run = ?", (row[0],)).fetchone()
        if kept is None:
            return None
        tick = decode(kept[0], TickRow)
        return Standing(
            run=row[1],
            boot=row[2],
            tick_ms=row[3],
            last_tick=tick.tick,
            last_number=tick.last_number,
            stopped=row[4],
            bytes=used_bytes(connection),
            quarantined=connection.execute("SELECT count(*) FROM quarantine").fetchone()[0],
            collectors=_collectors(connection, row[0], tick),
        )
    finally:
        connection.close()


def is_running(standing: Standing, clock: Clock) -> bool:
    """Whether its last tick is fresh."""
    age_ms = clock.begin() - standing.last_tick
    return standing.stopped is None and standing.boot == clock.boot() and 0 <= age_ms <= _QUIET_TICKS * standing.tick_ms


def status_lines(standing: Standing, clock: Clock) -> list[str]:
    """The standing as text."""
    running = is_running(standing, clock)
    state = "running" if running else f"not running{f' (ended: {standing.stopped})' if standing.stopped else ''}"
    same_boot = standing.boot == clock.boot()
    age = _ago(clock.begin() - standing.last_tick) if same_boot else "in an earlier boot"
    lines = [
        f"agent      {state}",
        f"run        {standing.run}, {standing.last_number} records",
        f"last tick  {age}",
        f"journal    {standing.bytes / 1024:,.0f} KiB, {standing.quarantined} records set aside",
    ]
    for one in standing.collectors:
        contact = "never" if one.last_contact_utc is None else _ago(clock.utc() - one.last_contact_utc)
        lines.append(
            f"collector  {one.url}: last contact {contact}, has all to {one.acknowledged}, backlog {one.backlog}"
        )
    return lines


def _collectors(connection: sqlite3.Connection, run: int, tick: TickRow) -> tuple[CollectorStanding, ...]:
    rows = connection.execute(_COLLECTORS, (run,)).fetchall()
    return tuple(CollectorStanding(url, mark, backlog, tick.contacts.get(url)) for url, mark, backlog in rows)


def _ago(milliseconds: int) -> str:
    seconds = max(0, milliseconds) / 1_000
    if seconds < 120:
        return f"{seconds:.1f} s ago"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3_600:.0f} h ago"
