"""Accounts of people, their signed-in browsers, and links by which a password is set."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

TABLES = (
    # `password` is an argon2 hash; `secret` that of the second factor, which has to be known to be checked.
    """
    CREATE TABLE account (
        name TEXT PRIMARY KEY,
        display TEXT NOT NULL,
        mail TEXT NOT NULL,
        origin TEXT NOT NULL,
        made_utc INTEGER NOT NULL,
        password TEXT,
        secret TEXT,
        fresh_secret TEXT,
        step INTEGER NOT NULL DEFAULT 0,
        disabled_utc INTEGER,
        signed_in_utc INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE account_session (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL REFERENCES account (name),
        stage TEXT NOT NULL,
        begun_utc INTEGER NOT NULL,
        seen_utc INTEGER NOT NULL,
        address TEXT NOT NULL,
        browser TEXT NOT NULL,
        wrong_codes INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX account_session_by_name ON account_session (name)",
    """
    CREATE TABLE account_reset (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL REFERENCES account (name),
        expires_utc INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX account_reset_by_name ON account_reset (name)",
)


def know_people(database: Schema) -> None:
    """Makes the tables."""
    for statement in TABLES:
        database.execute(statement)
