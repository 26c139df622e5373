"""A node's runs as they were known at an earlier moment: without what came later, and every span as far as it reached.

How far an open span reached is kept only over silences. Anywhere else its node was heard within the last beats, and
the span is told as far as it surely reached: never further than was known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from detak_collector.ingest.held import HeldSpan, reaching
from detak_collector.ingest.numbers import without_numbers
from detak_collector.store.database import Connection, Database
from detak_collector.store.outlines import RunOutline, runs_of
from detak_collector.store.records import SPAN_COLUMNS, SPAN_TEXTS, span_of
from detak_collector.store.runs import BEATS_MISSED
from detak_collector.store.unheard import Silence, latest_silence

_LATER_NUMBERS = " UNION ALL ".join(
    f"SELECT number FROM {table} WHERE run = :run AND recorded_utc > :moment"  # noqa: S608 - of constants
    for table in ("span", "exchange", "gap")
)
_CLOSED_SINCE = (
    f"SELECT {SPAN_COLUMNS} FROM span {SPAN_TEXTS} "  # noqa: S608 - of constants
    "WHERE run = :run AND recorded_utc > :moment AND coalesce(heard_utc, 0) <= :moment"
)
_RECORDED = """
    SELECT count(*) FROM span
    WHERE run = ? AND recorded_utc > ? AND recorded_utc <= ? AND first_begin < ? AND last_end > ?
"""
_OFFSET = """
    SELECT max(ahead) FROM (
        SELECT * FROM (SELECT arrived_utc - sent_agent AS ahead FROM exchange
            WHERE run = :run AND arrived_utc <= :moment ORDER BY arrived_utc DESC LIMIT 1) AS earlier
        UNION ALL SELECT * FROM (SELECT arrived_utc - sent_agent FROM exchange
            WHERE run = :run AND arrived_utc > :moment ORDER BY arrived_utc LIMIT 1) AS later) AS nearest
"""
_HEARD = """
    SELECT reach.run, heard_utc FROM reach JOIN run ON run.sequence = reach.run JOIN node ON node.id = run.node
    WHERE node.name = ? AND heard_utc IS NOT NULL
"""


def known_runs(connection: Connection, node: str, moment: int) -> tuple[list[RunOutline], int | None]:
    """The node's runs as they were known at that moment, in the order of time, and when it had been heard last.

    When it was heard is exact in a silence; outside of one it is told as the moment itself.
    """
    outlines = [run for run in runs_of(connection, node) if run.recorded_utc <= moment]
    superseded = {run.opening.previous.run for run in outlines if run.opening.previous}
    silence = latest_silence(connection, node, moment)
    heard: dict[int, int] = dict(connection.execute(_HEARD, (node,)))
    runs = [
        replace(
            _past(connection, run, moment, heard.get(run.sequence), silence).outline(connection),
            current=run.run not in superseded,
        )
        for run in outlines
    ]
    if silence is not None and moment < silence.end:
        return runs, silence.begin
    latest = max((heard[run.sequence] for run in runs if run.current and run.sequence in heard), default=None)
    return runs, None if latest is None else min(latest, moment)


def _past(
    connection: Connection, run: RunOutline, moment: int, heard_utc: int | None, silence: Silence | None
) -> _Past:
    (offset,) = connection.execute(_OFFSET, {"run": run.sequence, "moment": moment}).fetchone()
    return _Past(run, moment, run.greatest_offset if offset is None else offset, heard_utc, silence)


@dataclass(frozen=True, slots=True)
class _Past:
    """One run at a moment. `offset` is what UTC was ahead of agent time at most, by the exchanges on either side of it.

    `heard_utc` is when the run was heard last by now, `silence` the node's last one that had begun by the moment.
    """

    run: RunOutline
    moment: int
    offset: int
    heard_utc: int | None
    silence: Silence | None

    def outline(self, connection: Connection) -> RunOutline:
        """The run as it was known."""
        run, at = self.run, {"run": self.run.sequence, "moment": self.moment}
        later = [number for (number,) in connection.execute(_LATER_NUMBERS, at)]
        closed_since = (span_of(row) for row in connection.execute(_CLOSED_SINCE, at))
        stopped = self._had_stopped()
        return replace(
            run,
            reach_agent=min(run.reach_agent, self.moment - self.offset),
            stopped=run.stopped if stopped else None,
            stopped_agent=run.stopped_agent if stopped else None,
            held=without_numbers(run.held, later),
            open=tuple(self._known((*run.open, *closed_since))),
            known_at=self.moment,
        )

    def _had_stopped(self) -> bool:
        if self.run.stopped_utc is not None:
            return self.run.stopped_utc <= self.moment
        return self.run.stopped_agent is not None and self.run.stopped_agent + self.offset <= self.moment

    def _known(self, spans: Sequence[HeldSpan]) -> Iterator[HeldSpan]:
        """The spans of which a version had arrived, as they were then: open. Where it was not noted, as sampled."""
        for span in spans:
            since = span.first_end + self.offset if span.heard_utc is None else span.heard_utc
            if since <= self.moment:
                yield self._version(span)

    def _version(self, span: HeldSpan) -> HeldSpan:
        if not span.closed and self.heard_utc is not None and self.heard_utc <= self.moment:
            return span
        silence = self.silence
        before = silence.reached.get(self.run.sequence, {}).get(span.number) if silence else None
        if silence and before and (self.moment < silence.end or span.last_end + self.offset <= silence.end):
            # Nothing of it came between the silence and its end, or nothing had come yet.
            return reaching(structs.replace(span, closed=False), before)
        last_begin, last_end = before[1:3] if before else (span.first_begin, span.first_end)
        missed = BEATS_MISSED * self.run.opening.beat_ms + span.largest_gap
        surely = max(last_begin, self.moment - self.offset - missed)
        if span.last_begin <= surely:
            return structs.replace(span, closed=False)
        return structs.replace(span, last_begin=surely, last_end=max(last_end, surely), closed=False)


def known_since(database: Database) -> int | None:
    """As EvidenceStore.known_since says."""
    with database.reading() as connection:
        first: int | None = connection.execute("SELECT min(recorded_utc) FROM run").fetchone()[0]
        return first


def recorded(database: Database, begin_utc: int, end_utc: int, since: int, until: int) -> dict[str, int]:
    """As EvidenceStore.recorded says."""
    counts: dict[str, int] = {}
    with database.reading() as connection:
        for (node,) in connection.execute("SELECT name FROM node ORDER BY name").fetchall():
            found = sum(
                connection.execute(
                    _RECORDED, (run.sequence, since, until, end_utc - run.least_offset, begin_utc - run.greatest_offset)
                ).fetchone()[0]
                for run in runs_of(connection, node)
            )
            if found:
                counts[node] = found
    return counts
