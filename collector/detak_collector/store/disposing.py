"""Disposes of evidence in one database: planned while reading, decided in one transaction, carried out block by block.

A block's records go in one transaction with the mark that they are gone, so whenever it is interrupted every block is
whole or is what was planned to be left of it, and the rest can go later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from detak_collector.ledger.chain import SHORT_BYTES, Block, Reach, digest_of, short_of
from detak_collector.ledger.disposal import Left, left_of
from detak_collector.store.base import DerivedMonth, StoreError
from detak_collector.store.database import Connection, Database
from detak_collector.store.disposed import LEFT, keep_months, left_of_row
from detak_collector.store.instance import Executes
from detak_collector.store.ledger import block_of, headers, last_block
from detak_collector.store.ledger_rows import LEAST, entries_between, facts_between
from detak_collector.store.outlines import runs_of

MARGIN_MS = 3 * 86_400_000
"""How far before a moment a fact may have been recorded that evidence is read from for that moment."""

TABLES = ("span", "exchange", "gap", "conflict")
"""What goes. The opening of a run stays: it tells which records were here, so that nobody delivers them anew."""

_CHECKS = 'SELECT DISTINCT "check" FROM span WHERE run = ?'
_LATEST_SPAN = """
    SELECT sequence FROM span WHERE run = ? AND "check" = ? AND sequence <= ? ORDER BY first_begin DESC LIMIT 1
"""
_COLLECTORS = "SELECT DISTINCT collector FROM exchange WHERE run = ?"
_LATEST_EXCHANGE = """
    SELECT sequence FROM exchange WHERE run = ? AND collector = ? AND sequence <= ? ORDER BY sent_agent DESC LIMIT 1
"""
_OPENINGS_APART = "SELECT sequence FROM conflict WHERE run = ? AND number = 0 AND sequence <= ?"


@dataclass(frozen=True, slots=True)
class Stretch:
    """The blocks that may go: all up to the last one whose facts were recorded before a moment."""

    blocks: tuple[Block, ...]

    @property
    def facts(self) -> int:
        """The last fact of them; 0 where there is none."""
        return self.blocks[-1].facts if self.blocks else 0


@dataclass(slots=True)
class Plan:
    """What is to be left of each block from which anything goes, and how many records that is."""

    left: list[Left] = field(default_factory=list)
    gone: int = 0


def stretch(connection: Connection, keep_from: int) -> Stretch:
    """What may go where evidence from `keep_from` on has to stay as it is.

    A block was chained after all of its facts were recorded. The last facts stay whatever their age: they say which
    numbers were given.
    """
    last, done = last_block(connection), _done(connection)
    found = []
    for one in headers(connection):
        if last is None or one.recorded_utc >= keep_from - MARGIN_MS or one.facts >= last.facts:
            break
        if one.number > done:
            found.append(one)
    return Stretch(tuple(found))


def _done(connection: Executes) -> int:
    (number,) = connection.execute("SELECT coalesce(max(number), 0) FROM disposed_block").fetchone()
    return int(number)


def staying(connection: Connection, blocks: Stretch, keep_from: int) -> set[int]:
    """The facts of these blocks on which time from `keep_from` on rests.

    Of each run that reaches so far, and of the one before, that is the last word of every check and of the clock.
    """
    openings = connection.execute("SELECT sequence FROM run WHERE sequence <= ?", (blocks.facts,))
    found = {int(number) for (number,) in openings}
    for (name,) in list(connection.execute("SELECT name FROM node ORDER BY name")):
        outlines = runs_of(connection, name)
        reaching = (at for at, run in enumerate(outlines) if run.end_utc + MARGIN_MS > keep_from)
        first = next(reaching, len(outlines))
        for run in outlines[max(0, first - 1) :]:
            found.update(_last_words(connection, run.sequence, blocks.facts))
    return found


def _last_words(connection: Connection, run: int, last: int) -> Iterator[int]:
    for each, latest in ((_CHECKS, _LATEST_SPAN), (_COLLECTORS, _LATEST_EXCHANGE)):
        for (one,) in connection.execute(each, (run,)).fetchall():
            yield from (int(at) for (at,) in connection.execute(latest, (run, one, last)))
    yield from (int(at) for (at,) in connection.execute(_OPENINGS_APART, (run, last)))


def planned(database: Database, blocks: Stretch, stay: set[int], disposal: str, step: Callable[[], None]) -> Plan:
    """What each block comes to; raises StoreError where one is not as it was chained, which is never disposed of."""
    plan = Plan()
    with closing(database.connect()) as connection:
        for block in blocks.blocks:
            with connection.transaction(writing=False):
                lines, kept = _of_block(connection, block, stay)
            if digest_of(lines) != block.digest:
                raise StoreError(
                    f"nothing is disposed of: block {block.number} of the ledger is not intact: "
                    "`detak-collector verify` names what is wrong"
                )
            if len(kept) < len(lines):
                plan.left.append(left_of(block.number, disposal, kept))
                plan.gone += len(lines) - len(kept)
            step()
    return plan


def _of_block(connection: Connection, block: Block, stay: set[int]) -> tuple[list[bytes], list[bytes]]:
    """All its lines, and those that stay: what people entered does."""
    facts, entries = _lines(connection, block)
    return [*(line for _, line in facts), *entries], [*(line for at, line in facts if at in stay), *entries]


def _lines(connection: Connection, block: Block) -> tuple[list[tuple[int, bytes]], list[bytes]]:
    """Its facts with their sequences, and its entries."""
    after = _reach_before(connection, block.number)
    facts = facts_between(connection, after.facts + 1, block.facts, block.records + 1)
    return facts, [line for _, line in entries_between(connection, after.entries + 1, block.entries, block.records + 1)]


def _reach_before(connection: Executes, number: int) -> Reach:
    row = connection.execute("SELECT facts, entries FROM ledger WHERE number = ?", (number - 1,)).fetchone()
    return Reach(LEAST, LEAST) if row is None else Reach(int(row[0]), int(row[1]))


def decide(connection: Connection, disposal: str, until: int, left: Sequence[Left]) -> None:
    """From now on this is disposed of: in a transaction of the caller's, with the entry that tells of it."""
    connection.execute("INSERT INTO disposal (entry, until_utc, done_utc) VALUES (?, ?, NULL)", (disposal, until))
    rows = [(one.number, one.disposal, one.records, one.digest, one.shorts) for one in left]
    connection.executemany(
        "INSERT INTO disposed_block (number, entry, records, digest, lines, gone) VALUES (?, ?, ?, ?, ?, 0)", rows
    )


def keep(database: Database, months: Sequence[DerivedMonth], known_utc: int) -> None:
    """Keeps what a month came to before its evidence goes."""
    with database.writing() as connection:
        keep_months(connection, months, known_utc)


def to_go(database: Database) -> list[Left]:
    """What is to be left of the blocks whose records are still there though they were disposed of."""
    with database.reading() as connection:
        rows = connection.execute(f"{LEFT} WHERE gone = 0 ORDER BY number")
        return [left_of_row(row) for row in rows]


def let_go(database: Database, left: Left) -> int:
    """Removes the records of one block, durably; how many those were. Raises StoreError where it is not as planned."""
    with database.reading() as connection:
        block = block_of(connection, left.number)
        facts, entries = _lines(connection, block)
        first = _reach_before(connection, left.number).facts + 1
    kept, at = _shorts(left), 0
    stay = []
    for sequence, line in facts:
        if at < len(kept) and short_of(line) == kept[at]:
            stay.append((sequence, line))
            at += 1
    if digest_of([*(line for _, line in stay), *entries]) != left.digest:
        raise StoreError(f"block {left.number} of the ledger is not as it was when it was disposed of: "
                         "`detak-collector verify` names what is wrong")  # fmt: skip
    with database.writing() as connection:
        for begin, end in _between(first, block.facts, [sequence for sequence, _ in stay]):
            for table in TABLES:
                query = f"DELETE FROM {table} WHERE sequence BETWEEN ? AND ?"  # noqa: S608 - of constants
                connection.execute(query, (begin, end))
        connection.execute("UPDATE ledger SET lines = ? WHERE number = ?", (b"", left.number))
        connection.execute("UPDATE disposed_block SET gone = 1 WHERE number = ?", (left.number,))
    return block.records - left.records


def _shorts(left: Left) -> list[bytes]:
    return [left.shorts[at : at + SHORT_BYTES] for at in range(0, len(left.shorts), SHORT_BYTES)]


def _between(first: int, last: int, stay: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The parts of [first, last] without those that stay, which are in order."""
    begin = first
    for one in stay:
        if begin < one:
            yield begin, one - 1
        begin = one + 1
    if begin <= last:
        yield begin, last


def finish(database: Database, until: int, now_utc: int) -> None:
    """All of it is gone: also what was kept of its months besides."""
    with database.writing() as connection:
        connection.execute("UPDATE disposal SET done_utc = ? WHERE done_utc IS NULL", (now_utc,))
        connection.execute("DELETE FROM derived WHERE begin_utc < ?", (until,))
