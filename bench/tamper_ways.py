"""What may be done to a store by somebody who has all of it: each way does one thing that the mailed head speaks of."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from detak_collector.ledger.chain import Head, Reach, following, genesis
from detak_collector.store.ledger_rows import covered_lines, next_lines
from tamper_store import Kept


class NothingDoneError(Exception):
    """What was drawn changes nothing: there is nothing to be found."""


Way = Callable[[sqlite3.Connection, Kept, Random], str]

FACTS = ("run", "span", "exchange", "gap", "conflict")
PLACES = {**dict.fromkeys(FACTS, "sequence"), "entry": "number", "ledger": "number"}
BIG = 2**53


def _places(connection: sqlite3.Connection, kept: Kept, table: str) -> list[int]:
    """The rows of a table that the mailed head speaks of."""
    last = {"entry": kept.entries, "ledger": kept.mailed.number}.get(table, kept.facts)
    place = PLACES[table]
    return [at for (at,) in connection.execute(f"SELECT {place} FROM {table} WHERE {place} <= ?", (last,))]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _another(value: Any, random: Random) -> Any:  # noqa: ANN401 - whatever a column holds
    """Something else of the same kind."""
    if isinstance(value, int):
        return random.choice(
            [value + 1, value - 1, -value - 1, value + random.randrange(1, BIG), random.randrange(BIG)]
        )
    if isinstance(value, bytes):
        if not value or random.random() < 0.2:
            return value + b"\0"
        at = random.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << random.randrange(8)]) + value[at + 1 :]
    if isinstance(value, str) and value and random.random() < 0.8:
        at = random.randrange(len(value))
        return value[:at] + random.choice('abcxyz0189"{}\n,:é') + value[at + 1 :]
    return None if isinstance(value, str) else 1


def _refuse_same(value: Any, other: Any) -> None:  # noqa: ANN401
    if type(value) is type(other) and value == other:
        raise NothingDoneError


def _edited(connection: sqlite3.Connection, random: Random, table: str, place: int) -> str:
    column = random.choice(_columns(connection, table))
    where = f"{PLACES[table]} = {place}"
    (value,) = connection.execute(f'SELECT "{column}" FROM {table} WHERE {where}').fetchone()
    other = _another(value, random)
    _refuse_same(value, other)
    connection.execute(f'UPDATE {table} SET "{column}" = ? WHERE {where}', (other,))
    return f"{table} {place}: {column} {value!r} became {other!r}"


def edit(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """One column of one record."""
    table = random.choice([*FACTS, "entry"])
    return _edited(connection, random, table, random.choice(_places(connection, kept, table)))


def edit_of_the_chain(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """One column of one block."""
    return _edited(connection, random, "ledger", random.choice(_places(connection, kept, "ledger")))


def edit_of_what_is_left(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """One column of what a disposal left of a block, or all of that block's row."""
    place = random.choice([at for (at,) in connection.execute("SELECT number FROM disposed_block")])
    if random.random() < 0.2:
        connection.execute("DELETE FROM disposed_block WHERE number = ?", (place,))
        return f"disposed_block {place} deleted"
    column = random.choice(["number", "entry", "records", "digest", "lines"])
    (value,) = connection.execute(f"SELECT {column} FROM disposed_block WHERE number = ?", (place,)).fetchone()
    other = _another(value, random)
    _refuse_same(value, other)
    connection.execute(f"UPDATE disposed_block SET {column} = ? WHERE number = ?", (other, place))
    return f"disposed_block {place}: {column} {value!r} became {other!r} ({kept.blocks} blocks)"


def edit_of_a_name(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """The name of a node, or a text that some span of the mailed time has."""
    if random.random() < 0.3:
        (number, name) = random.choice(list(connection.execute("SELECT id, name FROM node ORDER BY id")))
        other = _another(name, random) or "x"
        _refuse_same(name, other)
        connection.execute("UPDATE node SET name = ? WHERE id = ?", (other, number))
        return f"node {name!r} became {other!r}"
    used = connection.execute(
        'SELECT id, text FROM text WHERE id IN (SELECT "check" FROM span WHERE sequence <= ?1 UNION SELECT message '
        "FROM span WHERE sequence <= ?1 UNION SELECT collector FROM exchange WHERE sequence <= ?1) ORDER BY id",
        (kept.facts,),
    )
    number, text = random.choice(list(used))
    other = _another(text, random) or "x"
    _refuse_same(text, other)
    connection.execute("UPDATE text SET text = ? WHERE id = ?", (other, number))
    return f"text {text!r} became {other!r}"


def deletion(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """One record or block, or several in a row."""
    table = random.choice(list(PLACES))
    places = _places(connection, kept, table)
    at = random.randrange(len(places))
    gone = sorted(places)[at : at + random.choice([1, 1, 1, 2, 7])]
    connection.execute(f"DELETE FROM {table} WHERE {PLACES[table]} BETWEEN ? AND ?", (gone[0], gone[-1]))
    return f"{table} {gone[0]} to {gone[-1]} deleted"


def insertion(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """A copy of a record in another place, under another number of its run, among those that are chained."""
    table = random.choice([*FACTS, "entry"])
    place = random.choice(_places(connection, kept, table))
    columns = _columns(connection, table)
    row = list(connection.execute(f"SELECT * FROM {table} WHERE {PLACES[table]} = ?", (place,)).fetchone())
    last = kept.entries if table == "entry" else kept.facts
    row[0] = random.choice([random.randrange(-BIG, 1), random.randrange(1, last + 1)])
    for name in ("number", "id", "run") if table in {"entry", "run"} else ("number",):
        at = columns.index(name) if name in columns else 0
        if at:
            row[at] = f"{random.getrandbits(64):x}" if isinstance(row[at], str) else random.randrange(BIG)
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    return f"{table} {row[0]} inserted, as {place}"


def reordering(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """Two records or two blocks change places."""
    table = random.choice(list(PLACES))
    one, other = random.sample(_places(connection, kept, table), 2)
    place = PLACES[table]
    for old, new in ((one, BIG), (other, one), (BIG, other)):
        connection.execute(f"UPDATE {table} SET {place} = ? WHERE {place} = ?", (new, old))
    return f"{table} {one} and {other} exchanged"


def cut_tail(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """The end of the chain with its records, some of them mailed, as if it had never been."""
    number = random.randrange(1, kept.mailed.number + 1)
    facts, entries = _reach_before(connection, number)
    connection.execute("DELETE FROM ledger WHERE number >= ?", (number,))
    if random.random() < 0.8:
        for table in FACTS:
            connection.execute(f"DELETE FROM {table} WHERE sequence > ?", (facts,))
        connection.execute("DELETE FROM entry WHERE number > ?", (entries,))
    return f"cut from block {number} on"


def rewrite(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """Something is done to the records, and the whole chain is made anew so that it holds in itself."""
    what = random.choice([edit, edit_of_a_name, deletion, insertion, reordering])(connection, kept, random)
    _rechain(connection, kept, random, 1, same_blocks=random.random() < 0.7)
    return f"{what}; chained anew"


def rewrite_of_the_end(connection: sqlite3.Connection, kept: Kept, random: Random) -> str:
    """The same, from the block on that has to be another one."""
    table = random.choice([*FACTS, "entry"])
    place = random.choice(_places(connection, kept, table))
    column = "entries" if table == "entry" else "facts"
    (block,) = connection.execute(f"SELECT min(number) FROM ledger WHERE {column} >= ?", (place,)).fetchone()
    what = _edited(connection, random, table, place)
    _rechain(connection, kept, random, int(block), same_blocks=True)
    return f"{what}; chained anew from block {block}"


def _reach_before(connection: sqlite3.Connection, number: int) -> tuple[int, int]:
    row = connection.execute("SELECT facts, entries FROM ledger WHERE number = ?", (number - 1,)).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def _rechain(connection: sqlite3.Connection, kept: Kept, random: Random, number: int, *, same_blocks: bool) -> None:
    """A chain that holds in itself, from this block on: with the blocks that were there, or with others."""
    old = connection.execute(
        "SELECT number, facts, entries, recorded_utc FROM ledger WHERE number >= ? ORDER BY number", (number,)
    ).fetchall()
    previous = connection.execute("SELECT number, head FROM ledger WHERE number = ?", (number - 1,)).fetchone()
    head = genesis(kept.collector) if previous is None else Head(*previous)
    after = Reach(*_reach_before(connection, number)) if number > 1 else None
    connection.execute("DELETE FROM ledger WHERE number >= ?", (number,))
    for _, facts, entries, recorded_utc in old:
        if same_blocks:
            reach = Reach(facts, entries)
            lines = covered_lines(connection, after, reach, BIG)
        else:
            lines, reach, _ = next_lines(connection, after or Reach(-BIG - 1, -BIG - 1), random.randrange(20, 90))
        if not lines and not same_blocks:
            return
        head = _append(connection, head, lines, reach, recorded_utc)
        after = reach


def _append(connection: sqlite3.Connection, head: Head, lines: Sequence[bytes], reach: Reach, utc: int) -> Head:
    block = following(head, lines, reach, utc)
    connection.execute(
        "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (block.number, block.facts, block.entries, block.records, utc, block.digest, block.head, block.shorts),
    )
    return Head(block.number, block.head)


WAYS: dict[str, Way] = {
    "edits of records": edit,
    "edits of blocks": edit_of_the_chain,
    "edits of names": edit_of_a_name,
    "edits of what is left": edit_of_what_is_left,
    "deletions": deletion,
    "insertions": insertion,
    "reorderings": reordering,
    "cut tails": cut_tail,
    "whole rewrites": rewrite,
    "rewrites of the end": rewrite_of_the_end,
}
