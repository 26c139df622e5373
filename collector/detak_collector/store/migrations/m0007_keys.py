"""Renewed keys, held beside the old ones until they are first used; and nodes as which two agents speak."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

STATEMENTS = (
    "ALTER TABLE node ADD COLUMN fresh_key_hash BLOB",
    # When the valid key was given out, and when the fresh one was.
    "ALTER TABLE node ADD COLUMN issued_utc INTEGER",
    "ALTER TABLE node ADD COLUMN fresh_issued_utc INTEGER",
    "UPDATE node SET issued_utc = enrolled_utc",
    "CREATE UNIQUE INDEX node_fresh_key_hash ON node (fresh_key_hash)",
    # The agents that spoke as one node at once, as of `noted_utc`, each by its run and the address it was heard from.
    """
    CREATE TABLE rival (
        node INTEGER NOT NULL REFERENCES node,
        run TEXT NOT NULL,
        address TEXT NOT NULL,
        noted_utc INTEGER NOT NULL,
        PRIMARY KEY (node, run)
    ) STRICT, WITHOUT ROWID
    """,
)


def hold_fresh_keys(database: Schema) -> None:
    """Adds the columns and the table."""
    for statement in STATEMENTS:
        database.execute(statement)
