"""Tokens by which programs act for a person. They are hashed, and stay on record when they are over."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

TABLES = (
    """
    CREATE TABLE api_token (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        owner TEXT NOT NULL REFERENCES account (name),
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        made_utc INTEGER NOT NULL,
        made_by TEXT NOT NULL,
        expires_utc INTEGER NOT NULL,
        used_utc INTEGER,
        used_from TEXT NOT NULL DEFAULT '',
        revoked_utc INTEGER,
        revoked_by TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX api_token_by_owner ON api_token (owner)",
)


def keep_api_tokens(database: Schema) -> None:
    """Makes the table."""
    for statement in TABLES:
        database.execute(statement)
