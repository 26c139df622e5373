"""When a run last opened or closed a span, in the order of facts: a page need not look through all that is open."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

STATEMENTS = (
    "ALTER TABLE open_spans ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX open_spans_changed ON open_spans (changed)",
)


def tell_what_changed(database: Schema) -> None:
    """Adds the column and its index."""
    for statement in STATEMENTS:
        database.execute(statement)
