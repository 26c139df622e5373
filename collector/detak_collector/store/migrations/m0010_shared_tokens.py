"""Tokens that let in several new nodes until a time, and which nodes used each of them."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

STATEMENTS = (
    """
    CREATE TABLE shared_token (
        hash BLOB PRIMARY KEY,
        nodes INTEGER NOT NULL,
        issued_utc INTEGER NOT NULL,
        expires_utc INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE shared_token_use (
        hash BLOB NOT NULL REFERENCES shared_token,
        node TEXT NOT NULL,
        used_utc INTEGER NOT NULL,
        PRIMARY KEY (hash, node)
    ) STRICT, WITHOUT ROWID
    """,
)


def share_tokens(database: Schema) -> None:
    """Makes both tables."""
    for statement in STATEMENTS:
        database.execute(statement)
