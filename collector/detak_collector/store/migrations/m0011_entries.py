"""One log of what is recorded beside evidence, and what a collector knows of the other one where there are two.

Rulings and published figures move into the log; what they say is read from it.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from detak_collector.store.migrations.schema import Schema

TABLES = (
    # `id` is 128 random bits, `seen` JSON: by collector, how many entries were known when it was made.
    """
    CREATE TABLE entry (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        recorded_utc INTEGER NOT NULL,
        author TEXT NOT NULL,
        collector TEXT NOT NULL,
        seen TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    # The other collector: `secret` is the key that is sent to it, `key_hash` of the one that it sends. `marks` is how
    # far it was followed, `told_utc` when that was last by its clock, `told` what it said of itself.
    """
    CREATE TABLE peer (
        collector TEXT PRIMARY KEY,
        url TEXT NOT NULL,
        authority TEXT,
        secret TEXT NOT NULL,
        key_hash BLOB NOT NULL,
        paired_utc INTEGER NOT NULL,
        marks TEXT NOT NULL,
        told_utc INTEGER,
        told TEXT
    ) STRICT
    """,
    """
    CREATE TABLE peer_token (
        hash BLOB PRIMARY KEY,
        expires_utc INTEGER NOT NULL,
        used_utc INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    # What collectors told of their watch logs and of whom they did not hear. Of this one: what it lost by a restore.
    """
    CREATE TABLE peer_watch (
        id INTEGER PRIMARY KEY,
        collector TEXT NOT NULL,
        boot TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL,
        ended TEXT,
        UNIQUE (collector, boot, from_utc)
    ) STRICT
    """,
    "CREATE INDEX peer_watch_by_end ON peer_watch (to_utc)",
    # `from_utc` is 0 where the node had never been heard.
    """
    CREATE TABLE peer_unheard (
        id INTEGER PRIMARY KEY,
        collector TEXT NOT NULL,
        node TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL,
        UNIQUE (collector, node, from_utc, to_utc)
    ) STRICT
    """,
    "CREATE INDEX peer_unheard_by_end ON peer_unheard (to_utc)",
    "CREATE INDEX peer_unheard_first ON peer_unheard (collector, node) WHERE from_utc = 0",
    # Whom it did not hear when it last told.
    """
    CREATE TABLE peer_silent (
        collector TEXT NOT NULL,
        node TEXT NOT NULL,
        heard_utc INTEGER NOT NULL,
        PRIMARY KEY (collector, node)
    ) STRICT, WITHOUT ROWID
    """,
    # Numbers of outages below this one are not given out here.
    "CREATE TABLE numbering (id INTEGER PRIMARY KEY CHECK (id = 1), least INTEGER NOT NULL) STRICT",
    "ALTER TABLE outage ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
    "UPDATE outage SET changed = number",
    "CREATE INDEX outage_changed ON outage (changed)",
)
# Since when each node was heard; the order of ids is that of time, and these come before all others.
FIRST_HEARD = (
    "INSERT INTO unheard (id, node, from_utc, to_utc, reach) "
    "SELECT -node, node, NULL, min(recorded_utc), ? FROM run GROUP BY node"
)
NOTHING_REACHED = b"\x90"
GONE = ("incident_ruling_outage", "incident_ruling", "published_figure")


def keep_entries(database: Schema) -> None:
    """Makes the tables, and moves what was entered so far."""
    for statement in TABLES[:1]:
        database.execute(statement)
    log = _Log(database)
    log.move_rulings()
    log.move_figures()
    for table in GONE:
        database.execute(f"DROP TABLE {table}")
    for statement in TABLES[1:]:
        database.execute(statement)
    database.execute(FIRST_HEARD, (NOTHING_REACHED,))


class _Log:
    def __init__(self, database: Schema) -> None:
        self._database = database
        self._collector = next((row[0] for row in self._rows("SELECT identity FROM collector")), "")
        self._number = 0

    def move_rulings(self) -> None:
        """Each ruling keeps its number."""
        ids: dict[int, str] = {}
        outages: dict[int, list[int]] = {}
        for ruling, outage in self._rows("SELECT ruling, outage FROM incident_ruling_outage ORDER BY 1, 2"):
            outages.setdefault(ruling, []).append(outage)
        for row in self._rows("SELECT id, kind, undoes, reason, ruled_by, ruled_utc FROM incident_ruling ORDER BY id"):
            number, kind, undoes, reason, author, utc = row
            body = {
                "kind": kind,
                "number": number,
                "outages": outages.get(number, []),
                "reason": reason,
                "undoes": ids.get(undoes),
            }
            ids[number] = self._append("ruling", utc, author, body)

    def move_figures(self) -> None:
        """In the order of entry."""
        query = (
            "SELECT year, percent, target_percent, document, note, entered_by, entered_utc "
            "FROM published_figure ORDER BY id"
        )
        for year, percent, target, document, note, author, utc in self._rows(query):
            body = {"document": document, "note": note, "percent": percent, "target_percent": target, "year": year}
            self._append("figure", utc, author, body)

    def _append(self, kind: str, utc: int, author: str, body: dict[str, Any]) -> str:
        id_, seen = secrets.token_hex(16), json.dumps({self._collector: self._number})
        self._number += 1
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        values = (self._number, id_, kind, utc, author, self._collector, seen, text)
        self._database.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        return id_

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return list(self._database.execute(query))
