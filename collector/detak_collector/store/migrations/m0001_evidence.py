"""The first schema: nodes, runs, closed facts, what is still open, and the collector's own liveness.

Every closed fact has `sequence`, one count over all its tables in the order of recording, and `recorded_utc`.
"""

from __future__ import annotations

from detak_collector.store.migrations.schema import Schema

TABLES = (
    """
    CREATE TABLE collector (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        identity TEXT NOT NULL,
        created_utc INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE node (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        key_hash BLOB UNIQUE,
        enrolled_utc INTEGER NOT NULL,
        revoked_utc INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE token (
        hash BLOB PRIMARY KEY,
        node TEXT NOT NULL,
        issued_utc INTEGER NOT NULL,
        expires_utc INTEGER NOT NULL,
        used_utc INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    # Check names, messages and marks repeat from day to day; a fact holds their number.
    """
    CREATE TABLE text (
        id INTEGER PRIMARY KEY,
        text TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    # `sent_agent` is the agent time at which the message left that brought the opening, where it was of this run.
    """
    CREATE TABLE run (
        sequence INTEGER PRIMARY KEY,
        node INTEGER NOT NULL REFERENCES node,
        run TEXT NOT NULL,
        boot TEXT NOT NULL,
        previous TEXT,
        opening TEXT NOT NULL,
        sent_agent INTEGER,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (node, run)
    ) STRICT
    """,
    # What is open and what has arrived, written when that changes. `current`: no later run names it as its
    # predecessor. `numbers` is JSON [held, lost], `open` the open spans as MessagePack.
    """
    CREATE TABLE open_spans (
        run INTEGER PRIMARY KEY REFERENCES run,
        current INTEGER NOT NULL,
        stopped TEXT,
        stopped_agent INTEGER,
        numbers TEXT NOT NULL,
        open BLOB NOT NULL
    ) STRICT
    """,
    # How far the open spans reach: the one small row that a quiet beat writes, whatever the number of checks.
    # `reach` is MessagePack: number, last begin, last end, samples, largest gap of each, one after another.
    """
    CREATE TABLE reach (
        run INTEGER PRIMARY KEY REFERENCES run,
        heard_utc INTEGER,
        heard_boottime INTEGER,
        heard_boot INTEGER REFERENCES text,
        heard_agent INTEGER,
        alive_reach INTEGER NOT NULL,
        reach BLOB NOT NULL
    ) STRICT
    """,
    # Those that a starting collector reads: all others are complete, and are looked up when they are asked for.
    "CREATE INDEX open_spans_live ON open_spans (run) WHERE current = 1 OR length(open) > 1",
    """
    CREATE TABLE span (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        "check" INTEGER NOT NULL REFERENCES text,
        state TEXT NOT NULL CHECK (state IN ('up', 'degraded', 'down', 'unknown')),
        first_begin INTEGER NOT NULL,
        first_end INTEGER NOT NULL,
        last_begin INTEGER NOT NULL,
        last_end INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        largest_gap INTEGER NOT NULL,
        message INTEGER REFERENCES text,
        marks INTEGER REFERENCES text,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (run, number)
    ) STRICT
    """,
    'CREATE INDEX span_by_time ON span (run, "check", first_begin)',
    """
    CREATE TABLE exchange (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        collector INTEGER NOT NULL REFERENCES text,
        sent_agent INTEGER NOT NULL,
        arrived_utc INTEGER NOT NULL,
        answered_utc INTEGER NOT NULL,
        received_agent INTEGER NOT NULL,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (run, number)
    ) STRICT
    """,
    """
    CREATE TABLE gap (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        first_number INTEGER NOT NULL,
        last_number INTEGER NOT NULL,
        reason TEXT NOT NULL,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (run, number)
    ) STRICT
    """,
    # A version that contradicts an earlier one, as JSON. Number 0 is the run's opening.
    """
    CREATE TABLE conflict (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        version TEXT NOT NULL,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (run, number, version)
    ) STRICT
    """,
    """
    CREATE TABLE watch (
        id INTEGER PRIMARY KEY,
        boot TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL,
        from_boottime INTEGER NOT NULL,
        to_boottime INTEGER NOT NULL,
        ended TEXT
    ) STRICT
    """,
)


def create_evidence(database: Schema) -> None:
    """Makes every table of the first schema."""
    for statement in TABLES:
        database.execute(statement)
