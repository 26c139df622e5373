"""The log of entries read from its end, a page at a time, each entry with the block of the ledger that covers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detak_collector.pair.entry import Entry
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import entry_of


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries are wanted; what is empty leaves nothing out. `before`: those with a lower number than this."""

    kind: str = ""
    author: str = ""
    words: str = ""
    before: int = 2**53


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry, its number in this log, and the number of its block; None where it is not chained yet."""

    entry: Entry
    number: int
    block: int | None


def newest(database: Database, asked: Asked, most: int) -> list[Placed]:
    """The wanted entries, newest first."""
    where, values = _conditions(asked)
    query = (
        "SELECT id, kind, recorded_utc, author, collector, seen, body, number FROM entry "  # noqa: S608 - of constants
        f"WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"
    )
    with database.reading() as connection:
        rows = connection.execute(query, (*values, most)).fetchall()
        blocks = _blocks(connection, rows[-1][-1]) if rows else []
    return [Placed(entry_of(row[:-1]), row[-1], _block_of(row[-1], blocks)) for row in rows]


def kinds_and_authors(database: Database) -> tuple[list[str], list[str]]:
    """What may be asked for."""
    with database.reading() as connection:
        kinds = [str(kind) for (kind,) in connection.execute("SELECT DISTINCT kind FROM entry ORDER BY kind")]
        authors = connection.execute("SELECT DISTINCT author FROM entry ORDER BY author").fetchall()
    return kinds, [str(author) for (author,) in authors]


def _conditions(asked: Asked) -> tuple[list[str], list[str | int]]:
    where, values = ["number < ?"], [asked.before]
    told: list[str | int] = [*values]
    for column, value in (("kind", asked.kind), ("author", asked.author)):
        if value:
            where.append(f"{column} = ?")
            told.append(value)
    if asked.words:
        pattern = "".join(f"^{one}" if one in "^%_" else one for one in asked.words.lower())
        where.append("lower(body) LIKE ? ESCAPE '^'")
        told.append(f"%{pattern}%")
    return where, told


def _blocks(connection: Connection, lowest: int) -> Sequence[tuple[int, int]]:
    """Of the blocks that cover entries from this number on: up to which they do, and the first that does."""
    rows = connection.execute(
        "SELECT entries, min(number) FROM ledger WHERE entries >= ? GROUP BY entries ORDER BY entries", (lowest,)
    )
    return [(int(reach), int(number)) for reach, number in rows]


def _block_of(number: int, blocks: Sequence[tuple[int, int]]) -> int | None:
    return next((block for reach, block in blocks if reach >= number), None)
