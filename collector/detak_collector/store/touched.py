"""Which time newly recorded facts bear upon: each speaks for the time from its predecessor to its successor."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from detak_collector.downtime.facts import ALIVE
from detak_collector.store.database import Connection
from detak_collector.store.outlines import FOREVER, RunOutline, runs_of
from detak_collector.store.runs import unpacked

ALL_CHECKS = ""


@dataclass(frozen=True, slots=True)
class Touch:
    """Time [begin, end), in UTC, of one check of a node or of all of them."""

    node: str
    check: str
    begin: int
    end: int


_SPANS = """
    SELECT node.name, span.run, text.text, span.first_begin,
        (SELECT last_begin FROM span AS earlier WHERE earlier.run = span.run AND earlier."check" = span."check"
            AND earlier.first_begin < span.first_begin ORDER BY first_begin DESC LIMIT 1),
        (SELECT first_begin FROM span AS later WHERE later.run = span.run AND later."check" = span."check"
            AND later.first_begin > span.first_begin ORDER BY first_begin LIMIT 1)
    FROM span JOIN text ON text.id = span."check" JOIN run ON run.sequence = span.run JOIN node ON node.id = run.node
    WHERE span.sequence > ? AND span.sequence <= ? ORDER BY run.node
"""
_EXCHANGES = """
    SELECT node.name, exchange.run,
        (SELECT sent_agent FROM exchange AS earlier WHERE earlier.run = exchange.run
            AND earlier.number < exchange.number ORDER BY number DESC LIMIT 1),
        (SELECT sent_agent FROM exchange AS later WHERE later.run = exchange.run
            AND later.number > exchange.number ORDER BY number LIMIT 1)
    FROM exchange JOIN run ON run.sequence = exchange.run JOIN node ON node.id = run.node WHERE exchange.sequence > ?
    AND exchange.sequence <= ? ORDER BY run.node
"""
_OTHERS = """
    SELECT node.name, other.run FROM (
        SELECT run, sequence FROM gap UNION ALL SELECT run, sequence FROM conflict
    ) AS other JOIN run ON run.sequence = other.run JOIN node ON node.id = run.node WHERE other.sequence > ?
    AND other.sequence <= ? ORDER BY run.node
"""
_FILLED = """
    SELECT node.name, span.run,
        (SELECT first_begin FROM span AS earlier WHERE earlier.run = span.run AND earlier.number < span.number
            ORDER BY number DESC LIMIT 1),
        (SELECT first_end FROM span AS later WHERE later.run = span.run AND later.number > span.number
            ORDER BY number LIMIT 1),
        span.recorded_utc
    FROM span JOIN run ON run.sequence = span.run JOIN node ON node.id = run.node WHERE span.sequence > ?
    AND span.sequence <= ? ORDER BY run.node
"""
"""A number that was missing may have been of any check: where it is filled, all of them are read anew."""

_LATE_MS = 36 * 3_600_000
"""A span may close a day after it began; what was derived of time so near is not kept yet."""

_LAST = (
    'SELECT last_begin FROM span WHERE run = ? AND "check" = (SELECT id FROM text WHERE text = ?) '
    "ORDER BY first_begin DESC LIMIT 1"
)
_LAST_EXCHANGE = "SELECT max(sent_agent) FROM exchange WHERE run = ?"
_RUNS = (
    "SELECT node.name, run.sequence FROM run JOIN node ON node.id = run.node "
    "WHERE run.sequence > ? AND run.sequence <= ? ORDER BY run.node"
)
_BEGUN = "SELECT node.name FROM run JOIN node ON node.id = run.node WHERE run.sequence > ?"
_CHECKS = (
    'SELECT DISTINCT node.name, text.text FROM span JOIN text ON text.id = span."check" '
    "JOIN run ON run.sequence = span.run JOIN node ON node.id = run.node WHERE span.sequence > ?1 UNION "
    "SELECT node.name, '' FROM conflict JOIN run ON run.sequence = conflict.run "
    "JOIN node ON node.id = run.node WHERE conflict.sequence > ?1 UNION "
    "SELECT node.name, '' FROM gap JOIN run ON run.sequence = gap.run "
    "JOIN node ON node.id = run.node WHERE gap.sequence > ?1"
)

_SAID = """
    SELECT node.name, open, reach.reach FROM open_spans JOIN reach ON reach.run = open_spans.run
        JOIN run ON run.sequence = open_spans.run JOIN node ON node.id = run.node
    WHERE changed > ? AND current = 1
"""

TABLES = ("run", "span", "exchange", "gap", "conflict")


def last_sequence(connection: Connection) -> int:
    """The greatest number of any fact, or of a change of what is open; 0 where there is none."""
    latest = " UNION ALL ".join(f"SELECT max(sequence) AS sequence FROM {table}" for table in TABLES)  # noqa: S608
    latest += " UNION ALL SELECT max(changed) FROM open_spans"
    return int(connection.execute(f"SELECT coalesce(max(sequence), 0) FROM ({latest}) AS latest").fetchone()[0])  # noqa: S608


def fact_after(connection: Connection, sequence: int, count: int) -> int | None:
    """The number of the `count`-th fact after `sequence`, None where fewer follow; numbers leave gaps."""
    several = " UNION ALL ".join(
        f"SELECT sequence FROM (SELECT sequence FROM {table} WHERE sequence > ? ORDER BY sequence LIMIT ?) AS {table}_facts"  # noqa: E501, S608
        for table in TABLES
    )
    query = f"SELECT sequence FROM ({several}) AS facts ORDER BY sequence LIMIT 1 OFFSET ?"  # noqa: S608
    found = connection.execute(query, (*(sequence, count) * len(TABLES), count - 1)).fetchone()
    return None if found is None else int(found[0])


def touched_between(
    connection: Connection, since: int, until: int, nodes: Container[str] | None = None
) -> Iterator[Touch]:
    """The time that the facts after `since` up to `until`, of any node or these, bear upon: one stretch a check."""
    return _hulls(_touches(connection, since, until, nodes))


def _touches(connection: Connection, since: int, until: int, nodes: Container[str] | None) -> Iterator[Touch]:
    outlines = _Outlines(connection)

    def rows(query: str) -> Iterator[tuple[Any, ...]]:
        return (row for row in connection.execute(query, (since, until)) if nodes is None or row[0] in nodes)

    yield from (outlines.of_run(*row) for row in rows(_RUNS))
    yield from (outlines.of_span(*row) for row in rows(_SPANS))
    yield from (outlines.of_exchange(*row) for row in rows(_EXCHANGES))
    yield from (outlines.of_boot(*row) for row in rows(_OTHERS))
    for *row, recorded_utc in rows(_FILLED):
        filled = outlines.filled(*row)
        if filled.end < recorded_utc - _LATE_MS:
            yield filled


def touched_checks(connection: Connection, sequence: int) -> frozenset[str]:
    """The checks of which facts later than `sequence` tell: `node/check`, or `node/` where they tell of the node."""
    checks = {f"{node}/{'' if check == ALIVE else check}" for node, check in connection.execute(_CHECKS, (sequence,))}
    return frozenset(checks).union(f"{node}/" for (node,) in connection.execute(_BEGUN, (sequence,)))


def said_since(connection: Connection, sequence: int) -> dict[str, str]:
    """By check, what the open spans say of runs in which any was opened or closed later than `sequence`."""
    rows = connection.execute(_SAID, (sequence,))
    return {f"{node}/{span.check}": span.state for node, spans, reach in rows for span in unpacked(spans, reach)}


def _hulls(touches: Iterable[Touch]) -> Iterator[Touch]:
    reach: dict[tuple[str, str], tuple[int, int]] = {}
    for one in touches:
        begin, end = reach.get((one.node, one.check), (one.begin, one.end))
        reach[one.node, one.check] = min(begin, one.begin), max(end, one.end)
    return (Touch(node, check, *edges) for (node, check), edges in reach.items())


class _Outlines:
    """The runs of a node, to map agent time roughly to UTC. Of the node last asked for: ask for all of one together.

    Those of thousands of nodes at once took more memory than all else that a collector holds.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._node, self._runs = "", list[RunOutline]()

    def of_run(self, node: str, sequence: int) -> Touch:
        """A run that opens speaks for the time since the one before it ended: for ever, where that is not known."""
        run = self._run(node, sequence)
        told = run.opening.previous
        before = next((one for one in self._of(node) if told is not None and one.run == told.run), None)
        begin = 0 if before is None else before.reach_agent + before.least_offset
        return Touch(node, ALL_CHECKS, begin, run.begin_utc)

    def of_span(self, node: str, sequence: int, check: str, first: int, since: int | None, until: int | None) -> Touch:
        """A span between two others of its check in its run, in agent time; the first follows one of an earlier run.

        That run may have lived on, if two agents speak as one node.
        """
        run = self._run(node, sequence)
        begin = first + run.least_offset
        begin = min(begin, self._seen_before(node, run, check) if since is None else since + run.least_offset)
        end = FOREVER if until is None else until + run.greatest_offset
        return Touch(node, ALL_CHECKS if check == ALIVE else check, begin, end)

    def of_exchange(self, node: str, sequence: int, since: int | None, until: int | None) -> Touch:
        """An exchange between two others of its run, in agent time; the first follows the last one of its boot."""
        run = self._run(node, sequence)
        begin = self._exchanged_before(node, run) if since is None else since + run.least_offset
        return Touch(node, ALL_CHECKS, begin, FOREVER if until is None else until + run.greatest_offset)

    def of_boot(self, node: str, sequence: int) -> Touch:
        """What bears on all that the run's boot ever said."""
        return Touch(node, ALL_CHECKS, self._known_since(node, self._run(node, sequence)), FOREVER)

    def filled(self, node: str, sequence: int, since: int | None, until: int | None) -> Touch:
        """Where a span stands among the numbers of its run: from the one before to the one after, or the next run."""
        run = self._run(node, sequence)
        begin = (run.opening.opened_agent if since is None else since) + run.least_offset
        if until is not None:
            return Touch(node, ALL_CHECKS, begin, until + run.greatest_offset)
        later = (one.begin_utc for one in self._of(node) if one.begin_utc > run.begin_utc)
        return Touch(node, ALL_CHECKS, begin, min(later, default=FOREVER))

    def _known_since(self, node: str, run: RunOutline) -> int:
        """Since when anything is known of the clock of this run's boot."""
        return min(one.begin_utc for one in self._of(node) if one.opening.boot == run.opening.boot)

    def _exchanged_before(self, node: str, run: RunOutline) -> int:
        """When an earlier run of the boot last exchanged clocks; without one, since when anything is known of it."""
        for one in reversed([other for other in self._of(node) if other.begin_utc < run.begin_utc]):
            if one.opening.boot == run.opening.boot:
                (sent,) = self._connection.execute(_LAST_EXCHANGE, (one.sequence,)).fetchone()
                if sent is not None:
                    return int(sent) + one.least_offset
        return self._known_since(node, run)

    def _seen_before(self, node: str, run: RunOutline, check: str) -> int:
        """When an earlier run last saw the check; 0 where none did."""
        for one in reversed([other for other in self._of(node) if other.begin_utc < run.begin_utc]):
            last = self._connection.execute(_LAST, (one.sequence, check)).fetchone()
            open_ = [span.last_begin for span in one.open if span.check == check]
            if last is not None or open_:
                return int(max([*(last or ()), *open_])) + one.least_offset
        return 0

    def _run(self, node: str, sequence: int) -> RunOutline:
        return next(one for one in self._of(node) if one.sequence == sequence)

    def _of(self, node: str) -> list[RunOutline]:
        if node != self._node:
            self._node, self._runs = node, runs_of(self._connection, node)
        return self._runs
