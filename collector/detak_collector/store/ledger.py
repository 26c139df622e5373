"""The ledger in one database: blocks are appended beside what they chain, and never changed.

Whoever appends looks in the same transaction whether the chain still ends where it was read: of several that try at
once one succeeds. Facts are read in a view of their own before that, so that nobody who commits evidence waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from detak_collector.ledger.chain import MOST_RECORDS, Block, Head, Reach, following, genesis, is_due
from detak_collector.ledger.disposal import Left
from detak_collector.store.base import StoreError
from detak_collector.store.database import Database
from detak_collector.store.disposed import left_between, told_in
from detak_collector.store.instance import Executes
from detak_collector.store.ledger_rows import covered_lines, next_lines, recorded_by

AT_ONCE = 200
"""Blocks that are read in one go."""

MOST_FOR_A_HEAD = 10
"""Blocks that are appended for somebody who waits for a head; a store that was never chained takes longer."""

_COLUMNS = "number, facts, entries, records, recorded_utc, digest, head, lines"
_AFTER = f"SELECT {_COLUMNS} FROM ledger WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - of constants
_LAST = f"SELECT {_COLUMNS} FROM ledger ORDER BY number DESC LIMIT 1"  # noqa: S608 - of constants
_KNOWN_AT = f"SELECT {_COLUMNS} FROM ledger WHERE recorded_utc <= ? ORDER BY number DESC LIMIT 1"  # noqa: S608 - of constants
_INSERT = f"INSERT INTO ledger ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - of constants
BEFORE_ALL = -(2**53)
NOTHING = Reach(0, 0)


@dataclass(frozen=True, slots=True)
class Chained:
    """A block of the chain and, where they were asked for, the lines that it covers now.

    `left` is what has to be there where some of its records were disposed of, or are about to be.
    """

    block: Block
    lines: list[bytes] | None
    left: Left | None = None


class SqlLedger:
    """The chain in one database. Any thread may use it."""

    def __init__(self, database: Database, collector: str) -> None:
        self._database = database
        self.collector = collector

    def head(self) -> Head:
        """Where the chain ends."""
        with self._database.reading() as connection:
            return head_of_connection(connection, self.collector)

    def append(self, now_utc: int, *, only_due: bool = False) -> Block | None:
        """Chains some of what waits, durably; None where nothing does. Raises StoreError.

        With `only_due`, as `chain.is_due` says. A block of MOST_RECORDS says that there may be more.
        """
        while True:
            with self._database.reading() as connection:
                last = last_block(connection)
                lines, reach, entries = next_lines(connection, _reach_of(last), MOST_RECORDS)
            last_utc = None if last is None else last.recorded_utc
            if not lines or (only_due and not is_due(len(lines), entries, last_utc, now_utc)):
                return None
            before = genesis(self.collector) if last is None else Head(last.number, last.head)
            block = following(before, lines, reach, max(now_utc, last_utc or now_utc))
            with self._database.writing() as connection:
                if head_of_connection(connection, self.collector) == before:
                    _write(connection, block)
                    return block

    def brought_on(self, now_utc: int) -> Head:
        """Where the chain ends once what waits is chained, as far as that takes no longer than somebody may wait.

        Where it cannot be written to it is told as it is.
        """
        try:
            for _ in range(MOST_FOR_A_HEAD):
                block = self.append(now_utc)
                if block is None or block.records < MOST_RECORDS:
                    break
        except StoreError:
            return self.head()
        return self.head()

    def covering(self, moment: int) -> Head:
        """The first head that covers all that was recorded by that moment, as far as it is chained.

        It is the same whenever it is asked for, so that what is told as of a moment stays the same to the byte.
        """
        with self._database.reading() as connection:
            row = connection.execute(_KNOWN_AT, (moment,)).fetchone()
            last = None if row is None else _block(row)
            number = BEFORE_ALL if last is None else last.number
            while piece := list(_after(connection, number, 1)):
                if not recorded_by(connection, moment, _reach_of(last), _reach_of(piece[0])):
                    break
                last, number = piece[0], piece[0].number
        return genesis(self.collector) if last is None else Head(last.number, last.head)

    def waiting(self) -> int:
        """How many records are not chained yet, as far as MOST_RECORDS."""
        with self._database.reading() as connection:
            lines, _, _ = next_lines(connection, _reach_of(last_block(connection)), MOST_RECORDS)
            return len(lines)

    def blocks(self, since_utc: int | None = None) -> Iterator[Chained]:
        """All blocks that are there now, each with the lines that it covers.

        Of those recorded before `since_utc` the lines are not read, but where they may tell of a disposal.
        """
        with closing(self._database.connect()) as connection:
            with connection.transaction(writing=False):
                last = last_block(connection)
                telling = told_in(connection)
            number, reach = BEFORE_ALL, None
            while last is not None:
                with connection.transaction(writing=False):
                    piece = list(_after(connection, number, AT_ONCE))
                    left = left_between(connection, piece[0].number, piece[-1].number) if piece else {}
                for block in piece:
                    lines, before = None, NOTHING.entries if reach is None else reach.entries
                    is_telling = any(before < one <= block.entries for one in telling)
                    if since_utc is None or block.recorded_utc >= since_utc or is_telling:
                        with connection.transaction(writing=False):
                            lines = covered_lines(connection, reach, _reach_of(block), block.records)
                    yield Chained(block, lines, left.get(block.number))
                    reach = _reach_of(block)
                if not piece or piece[-1].number >= last.number:
                    return
                number = piece[-1].number

    def size(self) -> tuple[int, int]:
        """How many blocks there are, and how many records they cover."""
        with self._database.reading() as connection:
            blocks, records = connection.execute("SELECT count(*), coalesce(sum(records), 0) FROM ledger").fetchone()
            return int(blocks), int(records)


def last_block(connection: Executes) -> Block | None:
    """The end of the chain, in a view of the caller's."""
    row = connection.execute(_LAST).fetchone()
    return None if row is None else _block(row)


def head_of_connection(connection: Executes, collector: str) -> Head:
    """As `SqlLedger.head` says, in a view of the caller's."""
    row = connection.execute("SELECT number, head FROM ledger ORDER BY number DESC LIMIT 1").fetchone()
    return genesis(collector) if row is None else Head(int(row[0]), bytes(row[1]))


def headers(connection: Executes) -> Iterator[Block]:
    """Every block, in a view of the caller's."""
    number = BEFORE_ALL
    while piece := list(_after(connection, number, AT_ONCE)):
        yield from piece
        number = piece[-1].number


def block_of(connection: Executes, number: int) -> Block:
    """The block with this number, which is there, in a view of the caller's."""
    (block,) = _after(connection, number - 1, 1)
    return block


def _after(connection: Executes, number: int, most: int) -> Iterator[Block]:
    return map(_block, connection.execute(_AFTER, (number, most)))


def _block(row: Sequence[Any]) -> Block:
    number, facts, entries, records, recorded_utc, digest, head, lines = row
    return Block(number, facts, entries, records, recorded_utc, bytes(digest), bytes(head), bytes(lines))


def _reach_of(block: Block | None) -> Reach:
    return NOTHING if block is None else Reach(block.facts, block.entries)


def _write(connection: Executes, block: Block) -> None:
    values = (
        block.number, block.facts, block.entries, block.records, block.recorded_utc, block.digest, block.head,
        block.shorts,
    )  # fmt: skip
    connection.execute(_INSERT, values)
