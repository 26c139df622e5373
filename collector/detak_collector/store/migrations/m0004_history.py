"""Published figures of earlier years. A correction is a new row; the latest of a year is in force."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

# Percentages are decimal text, because a binary number could not hold them exactly.
PUBLISHED_FIGURE = """
    CREATE TABLE published_figure (
        id INTEGER PRIMARY KEY,
        year INTEGER NOT NULL,
        percent TEXT NOT NULL,
        target_percent TEXT,
        document TEXT NOT NULL,
        note TEXT NOT NULL,
        entered_by TEXT NOT NULL,
        entered_utc INTEGER NOT NULL
    ) STRICT
"""


def create_history(database: Schema) -> None:
    """Makes the table of published figures."""
    database.execute(PUBLISHED_FIGURE)
