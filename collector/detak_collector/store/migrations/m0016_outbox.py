"""Mails that are to be sent, and what became of each: a mail is told from all others by its key, for good."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

# `covers` are the keys of what a mail tells of, a JSON list; `content` goes once nothing is to be sent any more.
# `claim` is of the process that sends it just now, until `due_utc`; `epoch` is that of the copy that made it.
TABLES = (
    """
    CREATE TABLE outbox (
        key TEXT PRIMARY KEY,
        purpose TEXT NOT NULL,
        title TEXT NOT NULL,
        recipient TEXT NOT NULL,
        covers TEXT NOT NULL,
        head TEXT NOT NULL,
        content BLOB,
        made_utc INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        state TEXT NOT NULL,
        state_utc INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        due_utc INTEGER NOT NULL,
        claim TEXT NOT NULL DEFAULT '',
        said TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX outbox_by_state ON outbox (state, due_utc)",
)


def keep_outbox(database: Schema) -> None:
    """Makes the table."""
    for statement in TABLES:
        database.execute(statement)
