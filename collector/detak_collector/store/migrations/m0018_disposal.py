"""What was disposed of: what is left of each block, and the months that its evidence had come to."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

TABLES = (
    # `entry` is that of the proposal; evidence from before `until_utc` is not whole since the row is there.
    """
    CREATE TABLE disposal (
        entry TEXT PRIMARY KEY,
        until_utc INTEGER NOT NULL,
        done_utc INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    # `records` and `digest` are those of the lines that are left, `lines` 8 bytes of each one's digest. `gone`: 1 once
    # all others are.
    """
    CREATE TABLE disposed_block (
        number INTEGER PRIMARY KEY,
        entry TEXT NOT NULL REFERENCES disposal,
        records INTEGER NOT NULL,
        digest BLOB NOT NULL,
        lines BLOB NOT NULL,
        gone INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX disposed_block_to_go ON disposed_block (number) WHERE gone = 0",
    # As in `derived`, but for good: nothing makes it again. It is what was known from `known_utc` on.
    """
    CREATE TABLE disposed_month (
        service TEXT NOT NULL,
        begin_utc INTEGER NOT NULL,
        known_utc INTEGER NOT NULL,
        month BLOB NOT NULL,
        days BLOB NOT NULL,
        lanes BLOB NOT NULL,
        PRIMARY KEY (begin_utc, service)
    ) STRICT
    """,
)


def keep_disposals(database: Schema) -> None:
    """Makes the tables."""
    for statement in TABLES:
        database.execute(statement)
