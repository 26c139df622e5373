"""Takes what the other collector of two has told, in one transaction with the marks up to which it was followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import structs

from detak_collector.pair.messages import Answered, Marks, OutageLine, UnheardLine, WatchLine, entry_of
from detak_collector.store.database import Connection
from detak_collector.store.entries import take_entries
from detak_collector.store.outages import NEXT_CHANGE
from detak_collector.store.peers import ToldOfItself

_WATCH = """
    INSERT INTO peer_watch (collector, boot, from_utc, to_utc, ended) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (collector, boot, from_utc) DO UPDATE SET to_utc = excluded.to_utc, ended = excluded.ended
    WHERE excluded.to_utc >= peer_watch.to_utc
"""
_OWN_WATCH = "SELECT 1 FROM watch WHERE boot = ? AND from_utc = ? AND to_utc >= ?"
_UNHEARD = """
    INSERT INTO peer_unheard (collector, node, from_utc, to_utc) VALUES (?, ?, ?, ?)
    ON CONFLICT (collector, node, from_utc, to_utc) DO NOTHING
"""
_OWN_UNHEARD = """
    SELECT 1 FROM unheard JOIN node ON node.id = unheard.node
    WHERE node.name = ? AND coalesce(from_utc, 0) = ? AND to_utc = ?
"""
_OUTAGE = f"""
    INSERT INTO outage (number, service, begin_utc, end_utc, running, merged_into, first_derived_utc, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, {NEXT_CHANGE})
"""  # noqa: S608 - of constants
_OVERWRITE = (
    " ON CONFLICT (number) DO UPDATE SET service = excluded.service, begin_utc = excluded.begin_utc, "
    "end_utc = excluded.end_utc, running = excluded.running, merged_into = excluded.merged_into, "
    "first_derived_utc = excluded.first_derived_utc, changed = excluded.changed"
)
_PLACEHOLDER = _OUTAGE + " ON CONFLICT (number) DO NOTHING"
_HELD = "SELECT service, begin_utc, end_utc, running FROM outage WHERE number = ?"


@dataclass(frozen=True, slots=True)
class Learned:
    """How many entries and numbers were news. `clashes`: numbers that both gave to different outages."""

    entries: int
    outages: int
    clashes: tuple[int, ...] = ()


def learn(connection: Connection, told: Answered, own_epoch: int, *, leads: bool) -> Learned:
    """Keeps it, within a transaction of the caller's. Raises ValueError where an entry is none.

    Who leads takes numbers that it does not have; who does not takes all of them as the leader has them.
    """
    (collector,) = connection.execute("SELECT identity FROM collector").fetchone()
    entries = take_entries(connection, [entry_of(line) for line in told.entries])
    _take_watch(connection, collector, told.watch)
    _take_unheard(connection, collector, told.unheard)
    connection.execute("DELETE FROM peer_silent WHERE collector = ?", (told.collector,))
    connection.executemany(
        "INSERT INTO peer_silent (collector, node, heard_utc) VALUES (?, ?, ?)",
        [(told.collector, node, at) for node, at in sorted(told.silent.items())],
    )
    outages, clashes = _take_outages(connection, told.outages, leads=leads, other_leads=told.leads)
    _note(connection, told, own_epoch)
    return Learned(entries, outages, clashes)


def mark_records(connection: Connection, told: Answered, own_epoch: int) -> None:
    """The records of the runs that were told of are here by now, and all versions that contradict some."""
    _mark(connection, told.collector, structs.replace(told.marks, own_epoch=own_epoch))


def add_nodes(connection: Connection, names: Iterable[str], now_utc: int) -> None:
    """Nodes that have enrolled with the other collector alone: they have evidence here, and no key."""
    for name in names:
        connection.execute(
            "INSERT INTO node (name, enrolled_utc) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, now_utc)
        )


def _note(connection: Connection, told: Answered, own_epoch: int) -> None:
    """All marks but those of records, which come later."""
    known = connection.execute("SELECT marks FROM peer").fetchone()
    before = msgspec.json.decode(known[0], type=Marks)
    if (before.epoch, before.own_epoch) != (told.epoch, own_epoch):
        before = Marks()
    itself = msgspec.json.encode(ToldOfItself(told.leads, told.services)).decode()
    connection.execute(
        "UPDATE peer SET told_utc = ?, told = ? WHERE collector = ?", (told.now_utc, itself, told.collector)
    )
    marks = structs.replace(told.marks, own_epoch=own_epoch, runs=before.runs, contradicted=before.contradicted)
    _mark(connection, told.collector, marks)


def _mark(connection: Connection, collector: str, marks: Marks) -> None:
    values = (msgspec.json.encode(marks).decode(), collector)
    connection.execute("UPDATE peer SET marks = ? WHERE collector = ?", values)


def _take_watch(connection: Connection, own: str, lines: Sequence[WatchLine]) -> None:
    for one in lines:
        is_here = one.collector == own and connection.execute(_OWN_WATCH, (one.boot, one.from_utc, one.to_utc))
        if not is_here or is_here.fetchone() is None:
            connection.execute(_WATCH, (one.collector, one.boot, one.from_utc, one.to_utc, one.ended))


def _take_unheard(connection: Connection, own: str, lines: Sequence[UnheardLine]) -> None:
    for one in lines:
        is_here = one.collector == own and connection.execute(_OWN_UNHEARD, (one.node, one.from_utc, one.to_utc))
        if not is_here or is_here.fetchone() is None:
            connection.execute(_UNHEARD, (one.collector, one.node, one.from_utc, one.to_utc))


def _take_outages(
    connection: Connection, lines: Sequence[OutageLine], *, leads: bool, other_leads: bool
) -> tuple[int, tuple[int, ...]]:
    taken, clashes = 0, []
    # A number may be merged into one that comes later in this list.
    for one in sorted(lines, key=lambda line: line.merged_into is not None):
        known = connection.execute(_HELD, (one.number,)).fetchone()
        if known is not None and _is_another(known, one):
            clashes.append(one.number)
        if known is not None and (leads or not other_leads):
            continue
        if one.merged_into is not None:
            _make_room(connection, one)
        connection.execute(_OUTAGE + _OVERWRITE, _values(one))
        taken += 1
    return taken, tuple(clashes)


def _make_room(connection: Connection, one: OutageLine) -> None:
    """What it is merged into has to be there, and is told of as well, in this answer or the next."""
    placeholder = (one.merged_into, one.service, one.begin_utc, one.end_utc, 0, None, one.first_derived_utc)
    connection.execute(_PLACEHOLDER, placeholder)


def _values(one: OutageLine) -> tuple[object, ...]:
    running = int(one.running)
    merged, derived = one.merged_into, one.first_derived_utc
    return one.number, one.service, one.begin_utc, one.end_utc, running, merged, derived


def _is_another(known: tuple[str, int, int, int], one: OutageLine) -> bool:
    service, begin, end, running = known
    if service != one.service:
        return True
    return (one.begin_utc > end and not running) or (begin > one.end_utc and not one.running)
