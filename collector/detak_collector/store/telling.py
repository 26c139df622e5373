"""What a collector tells the other one of two: everything that agents do not bring, after the marks it asks with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from detak_collector.clocks import Reading
from detak_collector.pair import messages
from detak_collector.pair.messages import Answered, Ask, Marks, StaleRun, line_of
from detak_collector.store.database import Connection
from detak_collector.store.entries import entries_after
from detak_collector.store.holdings import last_change, run_lines
from detak_collector.store.instance import epoch_of
from detak_collector.store.runs import LIVE
from detak_collector.store.versions import version_lines

SILENT_MS = 4_000
"""Who was not heard for so long is told of by name: no deadline is shorter by much, and few are unheard at all."""

_WATCH = """
    SELECT boot, from_utc, to_utc, ended FROM watch WHERE to_utc >= ? ORDER BY to_utc, id LIMIT ?
"""
_UNHEARD = """
    SELECT unheard.id, node.name, coalesce(from_utc, 0), to_utc FROM unheard JOIN node ON node.id = unheard.node
    WHERE unheard.id > ? ORDER BY unheard.id LIMIT ?
"""
_KEPT_WATCH = """
    SELECT id, collector, boot, from_utc, to_utc, ended FROM peer_watch WHERE id > ? AND collector = ?
    ORDER BY id LIMIT ?
"""
_KEPT_UNHEARD = """
    SELECT id, collector, node, from_utc, to_utc FROM peer_unheard WHERE id > ? AND collector = ? ORDER BY id LIMIT ?
"""
_OUTAGES = """
    SELECT changed, number, service, begin_utc, end_utc, running, merged_into, first_derived_utc FROM outage
    WHERE changed > ? ORDER BY changed LIMIT ?
"""
_HEARD = """
    SELECT node.name, max(heard_utc) FROM open_spans JOIN reach ON reach.run = open_spans.run
        JOIN run ON run.sequence = open_spans.run JOIN node ON node.id = run.node
    WHERE current = 1 AND heard_utc IS NOT NULL GROUP BY node.name
"""
_REACH = """
    SELECT alive_reach FROM reach JOIN run ON run.sequence = reach.run JOIN node ON node.id = run.node
    WHERE node.name = ? AND run.run = ?
"""
_LAST = """
    SELECT (SELECT coalesce(max(number), 0) FROM entry), (SELECT coalesce(max(id), 0) FROM unheard),
        (SELECT coalesce(max(changed), 0) FROM outage), (SELECT coalesce(max(changed), 0) FROM open_spans),
        (SELECT coalesce(max(sequence), 0) FROM conflict)
"""
_STALE = f"""
    SELECT node.name, run.run, alive_reach FROM open_spans JOIN reach ON reach.run = open_spans.run
        JOIN run ON run.sequence = open_spans.run JOIN node ON node.id = run.node
    WHERE ({LIVE}) AND coalesce(heard_utc, 0) < ? ORDER BY coalesce(heard_utc, 0) DESC LIMIT ?
"""  # noqa: S608 - of constants


def answer(connection: Connection, ask: Ask, now: Reading, *, leads: bool, services: str) -> Answered:
    """The answer to a request, in a view of the caller's."""
    (collector,) = connection.execute("SELECT identity FROM collector").fetchone()
    epoch = epoch_of(connection)
    same = ask.marks.epoch == epoch and not _is_set_back(connection, ask.marks)
    marks = ask.marks if same else Marks(epoch, ask.marks.own_epoch)
    telling = _Telling(connection, collector, ask.collector, marks)
    heard: dict[str, int] = dict(connection.execute(_HEARD))
    last = last_change(connection)
    runs, runs_mark = run_lines(connection, marks.runs, min(ask.runs_until, last) if same else 0, messages.STREAM)
    entries, outages, contradicted = telling.entries(), telling.outages(), telling.contradicted()
    watch = [*telling.watch(), *telling.kept_watch()]
    unheard = [*telling.unheard(), *telling.kept_unheard()]
    asked = dict.fromkeys(one.node for one in ask.stale)
    return Answered(
        protocol=messages.PAIR_PROTOCOL,
        collector=collector,
        epoch=epoch,
        now_utc=now.utc,
        leads=leads,
        services=services,
        marks=structs.replace(telling.marks, runs=runs_mark),
        last_change=last,
        more=telling.more or len(runs) == messages.STREAM,
        entries=entries,
        watch=watch,
        unheard=unheard,
        outages=outages,
        runs=runs,
        silent={node: at for node, at in heard.items() if now.utc - at > SILENT_MS},
        hears={node: heard[node] for node in asked if node in heard and now.utc - heard[node] <= SILENT_MS},
        ahead=[(one.node, one.run) for one in ask.stale if _is_ahead(connection, one)],
        contradicted=contradicted,
    )


def _is_set_back(connection: Connection, marks: Marks) -> bool:
    """Whether more was told than is here: a database's own restore leaves the epoch as it was."""
    last: tuple[int, ...] = connection.execute(_LAST).fetchone()
    asked = (marks.entries, marks.unheard, marks.outages, marks.runs, marks.contradicted)
    return any(mark > here for mark, here in zip(asked, last, strict=True))


def stale_runs(connection: Connection, now: Reading) -> list[StaleRun]:
    """The runs that may still grow and were not heard lately, the latest first."""
    rows = connection.execute(_STALE, (now.utc - SILENT_MS, messages.STALE))
    return [StaleRun(*row) for row in rows]


def _is_ahead(connection: Connection, stale: StaleRun) -> bool:
    found = connection.execute(_REACH, (stale.node, stale.run)).fetchone()
    return found is not None and found[0] > stale.reach


class _Telling:
    """Each stream after its mark; `marks` is how far it got, `more` whether any did not get to its end."""

    def __init__(self, connection: Connection, collector: str, asker: str, marks: Marks) -> None:
        self._connection = connection
        self._collector = collector
        self._asker = asker
        self.marks = marks
        self.more = False

    def entries(self) -> list[messages.EntryLine]:
        found, mark = entries_after(self._connection, self.marks.entries, messages.STREAM)
        self._got("entries", mark, len(found))
        return [line_of(one) for one in found]

    def watch(self) -> list[messages.WatchLine]:
        # The stretch that grows is told each time.
        rows = self._rows(_WATCH, self.marks.watch, messages.STREAM)
        self._got("watch", rows[-1][2] if rows else self.marks.watch, len(rows))
        return [messages.WatchLine(self._collector, *row) for row in rows]

    def kept_watch(self) -> list[messages.WatchLine]:
        """What the asker told once, and may have lost since."""
        rows = self._rows(_KEPT_WATCH, self.marks.kept_watch, self._asker, messages.STREAM)
        self._got("kept_watch", rows[-1][0] if rows else self.marks.kept_watch, len(rows))
        return [messages.WatchLine(*row[1:]) for row in rows]

    def unheard(self) -> list[messages.UnheardLine]:
        rows = self._rows(_UNHEARD, self.marks.unheard, messages.STREAM)
        self._got("unheard", rows[-1][0] if rows else self.marks.unheard, len(rows))
        return [messages.UnheardLine(self._collector, *row[1:]) for row in rows]

    def kept_unheard(self) -> list[messages.UnheardLine]:
        rows = self._rows(_KEPT_UNHEARD, self.marks.kept_unheard, self._asker, messages.STREAM)
        self._got("kept_unheard", rows[-1][0] if rows else self.marks.kept_unheard, len(rows))
        return [messages.UnheardLine(*row[1:]) for row in rows]

    def outages(self) -> list[messages.OutageLine]:
        rows = self._rows(_OUTAGES, self.marks.outages, messages.STREAM)
        self._got("outages", rows[-1][0] if rows else self.marks.outages, len(rows))
        return [
            messages.OutageLine(number, service, begin, end, bool(running), merged, derived)
            for _, number, service, begin, end, running, merged, derived in rows
        ]

    def contradicted(self) -> list[messages.VersionLine]:
        found, mark = version_lines(self._connection, self.marks.contradicted, messages.STREAM)
        self._got("contradicted", mark, len(found))
        return found

    def _rows(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def _got(self, stream: str, mark: int, rows: int) -> None:
        self.marks = structs.replace(self.marks, **{stream: mark})
        self.more = self.more or rows == messages.STREAM
