"""What charts are drawn from: the points of each node as they came, and one row for each of its hours."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

# `utc` counts tens of seconds, which is the shortest distance of two points. `point` is MessagePack.
TABLE = """
    CREATE TABLE {name} (
        node INTEGER NOT NULL REFERENCES node,
        utc INTEGER NOT NULL,
        point BLOB NOT NULL,
        PRIMARY KEY (node, utc)
    ) STRICT, WITHOUT ROWID
"""


def keep_metrics(database: Schema) -> None:
    """Makes both tables."""
    for name in ("metric", "metric_hour"):
        database.execute(TABLE.format(name=name))
