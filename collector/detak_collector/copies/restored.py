"""What a restore writes into the ledger of the copy that it puts in place, and what a copy's chain is checked by.

These look at a copy that no collector has open, which may be of an earlier schema.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from detak_collector.ledger.chain import Head
from detak_collector.ledger.verification import Verification
from detak_collector.pair.entry import RESTORE
from detak_collector.store.base import StoreBrokenError, StoreError
from detak_collector.store.entries import append
from detak_collector.store.instance import Executes
from detak_collector.store.ledger import headers


def checked_head(copy: Path, schema: list[str]) -> Head | None:
    """Where the chain of a copy ends, its headers looked through; None where it is of a schema without a ledger.

    Raises StoreBrokenError where they do not hold.
    """
    if "0012_ledger" not in schema:
        return None
    with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return _walked(connection, copy)
        except sqlite3.Error as error:
            raise StoreBrokenError(f"{copy}: {error}") from error


def _walked(connection: Executes, copy: Path) -> Head:
    (collector,) = connection.execute("SELECT identity FROM collector").fetchone()
    verification = Verification(collector)
    for block in headers(connection):
        fault = verification.take(block, None)
        if fault is not None:
            raise StoreBrokenError(f"{copy}: its ledger is not intact: {fault.text}")
    return verification.head


def note_restore(copy: Path, head: Head | None, made_utc: int, author: str, now_utc: int) -> None:
    """Makes the restore an entry of the copy that is to serve, where its schema has a ledger. Raises StoreError."""
    if head is None:
        return
    body = {"backup_utc": made_utc, "block": head.number, "head": head.digest.hex()}
    try:
        with closing(sqlite3.connect(copy)) as connection, connection:
            append(connection, RESTORE, body, author, now_utc)
    except sqlite3.Error as error:
        raise StoreError(f"{copy}: {error}") from error


def told_of(body: Mapping[str, object]) -> str:
    """A restore in words."""
    made = datetime.fromtimestamp(int(str(body["backup_utc"])) / 1_000, UTC)
    return (
        f"the store was restored from a backup of {made:%Y-%m-%d %H:%M:%S} UTC: the chain went on from its head, "
        f"{body['block']}:{body['head']}, and heads that were told between the two are not in it"
    )
