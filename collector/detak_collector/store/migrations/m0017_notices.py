"""Notices that are to be sent, and what became of each: a notice is told from all others by its key, for good."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

# `message` is JSON; `place` is the order of a target's notices, and `epoch` that of the copy that made it.
TABLES = (
    """
    CREATE TABLE notice (
        key TEXT PRIMARY KEY,
        target TEXT NOT NULL,
        place INTEGER NOT NULL,
        message TEXT NOT NULL,
        made_utc INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        state TEXT NOT NULL,
        state_utc INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        due_utc INTEGER NOT NULL,
        said TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX notice_by_target ON notice (target, state, place)",
)


def keep_notices(database: Schema) -> None:
    """Makes the table."""
    for statement in TABLES:
        database.execute(statement)
