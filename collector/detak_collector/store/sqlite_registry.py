"""The node registry in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from detak_collector.clocks import Reading
from detak_collector.store.base import NodeRow, Redeemed
from detak_collector.store.sqlite_database import connect, transaction
from detak_collector.store.sqlite_outlines import RunOutline, all_heard_utc, heard_utc, runs_of

RIVAL_MS = 15_000
"""Two runs of one node that were both heard this recently, neither of which follows the other, are two agents."""


class SqliteRegistry:
    """The registry on one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._version = self._data_version()

    def close(self) -> None:
        """Gives the file back."""
        self._connection.close()

    def issue(self, node: str, token_hash: bytes, expires_utc: int, now: Reading) -> None:
        """As the seam says."""
        with transaction(self._connection, self._path):
            self._connection.execute(
                "INSERT INTO token (hash, node, issued_utc, expires_utc) VALUES (?, ?, ?, ?)",
                (token_hash, node, now.utc, expires_utc),
            )

    def redeem(self, token_hash: bytes, node: str, key_hash: bytes, now: Reading) -> Redeemed:
        """As the seam says."""
        with transaction(self._connection, self._path):
            outcome = self._judge(token_hash, node, now)
            if outcome is Redeemed.ACCEPTED:
                self._connection.execute("UPDATE token SET used_utc = ? WHERE hash = ?", (now.utc, token_hash))
                self._connection.execute(
                    "INSERT INTO node (name, key_hash, enrolled_utc) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                    "SET key_hash = excluded.key_hash, enrolled_utc = excluded.enrolled_utc, revoked_utc = NULL",
                    (node, key_hash, now.utc),
                )
        return outcome

    def _judge(self, token_hash: bytes, node: str, now: Reading) -> Redeemed:
        query = "SELECT node, expires_utc, used_utc FROM token WHERE hash = ?"
        row = self._connection.execute(query, (token_hash,)).fetchone()
        if row is None:
            return Redeemed.UNKNOWN
        owner, expires_utc, used_utc = row
        if owner != node:
            return Redeemed.OTHER_NODE
        if used_utc is not None:
            return Redeemed.USED
        return Redeemed.ACCEPTED if now.utc < expires_utc else Redeemed.EXPIRED

    def revoke(self, node: str, now: Reading) -> bool:
        """As the seam says."""
        with transaction(self._connection, self._path):
            revoked = self._connection.execute(
                "UPDATE node SET key_hash = NULL, revoked_utc = ? WHERE name = ? AND key_hash IS NOT NULL",
                (now.utc, node),
            )
            return revoked.rowcount > 0

    def keys(self) -> dict[bytes, str]:
        """As the seam says."""
        return dict(self._connection.execute("SELECT key_hash, name FROM node WHERE key_hash IS NOT NULL"))

    def changed_elsewhere(self) -> bool:
        """As the seam says."""
        before, self._version = self._version, self._data_version()
        return before != self._version

    def listing(self, now: Reading, names: Collection[str] | None = None) -> list[NodeRow]:
        """As the seam says."""
        with closing(connect(self._path)) as connection, transaction(connection, self._path, writing=False):
            rows = connection.execute("SELECT name, key_hash, revoked_utc FROM node ORDER BY name").fetchall()
            return [_listed(connection, row, now) for row in rows if names is None or row[0] in names]

    def heard(self, now: Reading) -> dict[str, int | None]:
        """As the seam says."""
        with closing(connect(self._path)) as connection, transaction(connection, self._path, writing=False):
            heard = all_heard_utc(connection, now)
            return {name: heard.get(name) for (name,) in connection.execute("SELECT name FROM node")}

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version


def _listed(connection: sqlite3.Connection, row: tuple[str, bytes | None, int | None], now: Reading) -> NodeRow:
    name, key_hash, revoked_utc = row
    runs = runs_of(connection, name)
    newest = max((run for run in runs if run.current), key=lambda run: run.begin_utc, default=None)
    return NodeRow(
        name=name,
        enrolled=key_hash is not None,
        revoked_utc=revoked_utc,
        heard_utc=heard_utc(connection, name, now),
        agent_version=newest.opening.agent_version if newest else "",
        states={span.check: span.state for span in sorted(newest.open, key=lambda span: span.number)} if newest else {},
        stopped=newest.stopped if newest else None,
        rivals=_rivals(runs),
        conflicts=_conflicts(connection, name),
    )


def _conflicts(connection: sqlite3.Connection, node: str) -> int:
    query = (
        "SELECT count(*) FROM conflict JOIN run ON run.sequence = conflict.run "
        "JOIN node ON node.id = run.node WHERE node.name = ?"
    )
    found: int = connection.execute(query, (node,)).fetchone()[0]
    return found


def _rivals(runs: list[RunOutline]) -> int:
    """How many agents deliver as this node at the same time."""
    current = [run for run in runs if run.current and run.stopped is None]
    latest = max((run.end_utc for run in current), default=0)
    return sum(run.end_utc > latest - RIVAL_MS for run in current)
