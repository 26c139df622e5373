"""The register of outage numbers, and what operators ruled about incidents. No row is ever deleted or used again."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

TABLES = (
    # How far each numbered outage was known to reach last; `running` says that its end is open.
    """
    CREATE TABLE outage (
        number INTEGER PRIMARY KEY,
        service TEXT NOT NULL,
        begin_utc INTEGER NOT NULL,
        end_utc INTEGER NOT NULL,
        running INTEGER NOT NULL CHECK (running IN (0, 1)),
        merged_into INTEGER REFERENCES outage,
        first_derived_utc INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX outage_by_end ON outage (end_utc) WHERE merged_into IS NULL",
    "CREATE INDEX outage_running ON outage (number) WHERE running = 1",
    "CREATE INDEX outage_merged ON outage (number) WHERE merged_into IS NOT NULL",
    """
    CREATE TABLE incident_ruling (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('merge', 'split', 'undo')),
        undoes INTEGER UNIQUE REFERENCES incident_ruling,
        reason TEXT NOT NULL,
        ruled_by TEXT NOT NULL,
        ruled_utc INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE incident_ruling_outage (
        ruling INTEGER NOT NULL REFERENCES incident_ruling,
        outage INTEGER NOT NULL REFERENCES outage,
        PRIMARY KEY (ruling, outage)
    ) STRICT, WITHOUT ROWID
    """,
)


def create_outages(database: Schema) -> None:
    """Makes the tables of outage numbers and incident rulings."""
    for statement in TABLES:
        database.execute(statement)
