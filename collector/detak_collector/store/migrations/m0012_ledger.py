"""The ledger's blocks. The chain begins empty: what is there already is chained in steps while the collector serves."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

# `facts` and `entries` are the last sequence and number that a block covers, `lines` 8 bytes of each record's digest.
LEDGER = """
    CREATE TABLE ledger (
        number INTEGER PRIMARY KEY,
        facts INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        records INTEGER NOT NULL,
        recorded_utc INTEGER NOT NULL,
        digest BLOB NOT NULL,
        head BLOB NOT NULL,
        lines BLOB NOT NULL
    ) STRICT
"""


def keep_ledger(database: Schema) -> None:
    """Makes the table."""
    database.execute(LEDGER)
