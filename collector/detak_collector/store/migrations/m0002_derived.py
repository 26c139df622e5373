"""What was derived of closed months, kept so that nobody waits for it twice. It may be dropped: it is made again."""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

TABLES = (
    # What bears on the month reaches to `end_utc`; `digest` is that of the rules, `sequence` the last fact that was
    # taken into account. `month` and `days` are MessagePack.
    """
    CREATE TABLE derived (
        service TEXT NOT NULL,
        begin_utc INTEGER NOT NULL,
        end_utc INTEGER NOT NULL,
        digest BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        month BLOB NOT NULL,
        days BLOB NOT NULL,
        PRIMARY KEY (begin_utc, service)
    ) STRICT
    """,
    # The time of which something is known only since fact `sequence`, as far as it was derived before. `check` is
    # empty where it bears on all checks of the node.
    """
    CREATE TABLE touched (
        sequence INTEGER NOT NULL,
        node TEXT NOT NULL,
        "check" TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL
    ) STRICT
    """,
    # Up to which fact `touched` has been filled.
    """
    CREATE TABLE derived_mark (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        sequence INTEGER NOT NULL
    ) STRICT
    """,
    "INSERT INTO derived_mark VALUES (1, 0)",
    "CREATE INDEX exchange_by_time ON exchange (run, collector, sent_agent)",
)


def create_derived(database: Schema) -> None:
    """Makes the tables of what is kept."""
    for statement in TABLES:
        database.execute(statement)
