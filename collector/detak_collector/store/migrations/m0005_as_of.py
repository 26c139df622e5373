"""What was known when: the arrival of each span's first version, of a stop, and how far spans reached before a silence.

Rows from before this schema have no such times: they are taken to have arrived as they were sampled.
"""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

STATEMENTS = (
    "ALTER TABLE span ADD COLUMN heard_utc INTEGER",
    "ALTER TABLE open_spans ADD COLUMN stopped_utc INTEGER",
    # From when a node was heard last (NULL: it never was) until it was heard again, or in another run. `reach` is
    # MessagePack: for each run that was live, its sequence and what its row in `reach` held meanwhile.
    """
    CREATE TABLE unheard (
        id INTEGER PRIMARY KEY,
        node INTEGER NOT NULL REFERENCES node,
        from_utc INTEGER,
        to_utc INTEGER NOT NULL,
        reach BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX unheard_by_node ON unheard (node, to_utc)",
)


def keep_what_was_known_when(database: Schema) -> None:
    """Adds the columns and the table."""
    for statement in STATEMENTS:
        database.execute(statement)
