"""Where this store lives and whether it may serve there: what fences a copy of it that serves elsewhere."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

# `epoch` grows whenever the store moves, is restored or adopted; `secret` proves to a copy that there is a later one.
# `home` is empty until the store was first served.
INSTANCE = """
    CREATE TABLE instance (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch INTEGER NOT NULL,
        secret BLOB NOT NULL,
        home TEXT NOT NULL,
        fenced_utc INTEGER,
        fenced_why TEXT
    ) STRICT
"""


def tell_instances_apart(database: Schema) -> None:
    """Makes the table."""
    database.execute(INSTANCE)
