"""Reopens what a power failure left with the real store, and says what is missing of what was promised."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random

from detak_collector.channel.enrol import digest
from detak_collector.clocks import Reading
from detak_collector.store.base import Arrival
from detak_collector.store.sqlite import FILE_NAME, SqliteStore, open_store
from detak_wire.messages import Evidence, Exchange, Gap, Part, Span, Stored
from power_loss_load import record, run_of
from power_loss_promises import Promise, Promises, numbers_of

NOW = Reading(1_800_000_000_000, 1_000_000_000, "after the failure")

Held = Mapping[int, tuple[object, ...]]
"""The closed records of a run, by number, as their row says."""

_SPANS = """
SELECT number, state, first_begin, first_end, last_begin, last_end, samples, largest_gap, c.text, m.text FROM span
JOIN text AS c ON c.id = span."check" LEFT JOIN text AS m ON m.id = span.message WHERE run = ?
"""
_EXCHANGES = "SELECT number, sent_agent, arrived_utc, answered_utc, received_agent FROM exchange WHERE run = ?"
_GAPS = "SELECT number, first_number, last_number, reason FROM gap WHERE run = ?"


def faults(files: Mapping[str, bytes], promises: Promises, random: Random, scratch: Path) -> list[str]:
    """What is wrong with these files as the store of a collector that promised this; nothing is right."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        directory = Path(name)
        for path, content in files.items():
            (directory / Path(path).name).write_bytes(content)
        if random.random() < 0.5:
            (directory / f"{FILE_NAME}-shm").write_bytes(random.randbytes(32_768))
        try:
            with closing(open_store(directory, NOW)) as store:
                return list(_faults_of(store, promises))
        except Exception as error:  # noqa: BLE001 - what is damaged may be noticed anywhere
            return [f"the store cannot be used: {type(error).__name__}: {str(error).replace(name, '')}"]


def _faults_of(store: SqliteStore, promises: Promises) -> Iterator[str]:
    with closing(sqlite3.connect(store.path)) as connection:
        for pragma in ("integrity_check", "foreign_key_check"):
            found = [row for row in connection.execute(f"PRAGMA {pragma}") if row != ("ok",)]
            if found:
                yield f"{pragma}: {found[0]}"
        keys = store.registry.keys()
        for node, key in promises.keys.items():
            if keys.get(digest(key)) != node:
                yield f"the key of {node} is lost"
                continue
            run = run_of(node)
            row = connection.execute("SELECT sequence FROM run WHERE run = ?", (run,)).fetchone()
            held = _held(connection, row[0]) if row is not None else {}
            yield from _faults_of_run(node, held, _told(store, node, run), promises.runs.get(run, Promise()))


def _faults_of_run(node: str, held: Held, told: Stored, promise: Promise) -> Iterator[str]:
    if promise.opened and not told.opened:
        yield f"{node}: the opening of its run is lost"
    lost = {number for one in held.values() if one[0] == "gap" for number in range(*_gap(one))}
    present = held.keys() | lost
    for what, numbers in (("acknowledged", promise.closed), ("said to be stored", numbers_of(told))):
        missing = sorted(numbers - present)
        if missing:
            yield f"{node}: {len(missing)} records {what} are lost, the first is {missing[0]}"
    for number, row in held.items():
        if row != _expected(node, number):
            yield f"{node}: record {number} is another one: {row}"
    for number, reach in promise.open.items():
        if told.open.get(number, -1) < reach and number not in held:
            yield f"{node}: open span {number} reaches to {told.open.get(number)}, acknowledged was {reach}"


def _told(store: SqliteStore, node: str, run: str) -> Stored:
    """What the store tells the node when it speaks next."""
    evidence = Evidence(1, node, run, 1, [Part(run)])
    (receipt,) = store.evidence.commit([Arrival(node, evidence, NOW)])
    if isinstance(receipt, Exception):
        raise receipt
    return receipt.stored[run]


def _held(connection: sqlite3.Connection, run: int) -> Held:
    kinds = (("span", _SPANS), ("exchange", _EXCHANGES), ("gap", _GAPS))
    return {row[0]: (kind, *row) for kind, query in kinds for row in connection.execute(query, (run,))}


@cache
def _expected(node: str, number: int) -> tuple[object, ...] | None:
    """The row that the node's record of this number has."""
    match of := record(node, number):
        case Span():
            sampled = (of.first_begin, of.first_end, of.last_begin, of.last_end, of.samples, of.largest_gap)
            return ("span", of.number, of.state, *sampled, of.check, of.message)
        case Exchange():
            return ("exchange", of.number, of.sent_agent, of.arrived_utc, of.answered_utc, of.received_agent)
        case Gap():
            return ("gap", of.number, of.first_number, of.last_number, of.reason)
        case None:
            return None


def _gap(row: tuple[object, ...]) -> tuple[int, int]:
    """First and last number lost, as a range's begin and end."""
    first, last = int(str(row[2])), int(str(row[3]))
    return first, last + 1
