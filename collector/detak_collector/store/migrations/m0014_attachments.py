"""The bytes of files that belong to outages, each once, by their SHA-256."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

# `digest` is 64 hexadecimal digits, as entries name it.
TABLE = """
    CREATE TABLE attachment (
        digest TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        kept_utc INTEGER NOT NULL,
        content BLOB NOT NULL
    ) STRICT
"""


def keep_attachments(database: Schema) -> None:
    """Makes the table."""
    database.execute(TABLE)
