"""The node registry: tokens, keys, and what is told of each node."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from detak_collector.clocks import Reading
from detak_collector.ingest.rivals import Speaker
from detak_collector.store import tokens
from detak_collector.store.base import NodeRow, Redeemed
from detak_collector.store.database import Database
from detak_collector.store.node_rows import listed
from detak_collector.store.outlines import all_heard_utc

_SEVERAL = """
    SELECT node.name, run.run, heard_boottime, text.text, heard_utc FROM open_spans
        JOIN run ON run.sequence = open_spans.run JOIN reach ON reach.run = run.sequence
        JOIN node ON node.id = run.node JOIN text ON text.id = heard_boot
    WHERE current = 1 AND run.node IN (SELECT several.node FROM open_spans JOIN run AS several
        ON several.sequence = open_spans.run WHERE current = 1 GROUP BY several.node HAVING count(*) > 1)
"""


class SqlRegistry:
    """The registry in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connect()
        self._changes = self._connection.changes()

    def close(self) -> None:
        """Gives the database back."""
        self._connection.close()

    def issue(self, node: str, token_hash: bytes, expires_utc: int, now: Reading) -> None:
        """As the seam says."""
        with self._connection.transaction():
            self._connection.execute(
                "INSERT INTO token (hash, node, issued_utc, expires_utc) VALUES (?, ?, ?, ?)",
                (token_hash, node, now.utc, expires_utc),
            )

    def issue_shared(self, nodes: int, token_hash: bytes, expires_utc: int, now: Reading) -> None:
        """As the seam says."""
        with self._connection.transaction():
            self._connection.execute(
                "INSERT INTO shared_token (hash, nodes, issued_utc, expires_utc) VALUES (?, ?, ?, ?)",
                (token_hash, nodes, now.utc, expires_utc),
            )

    def redeem(self, token_hash: bytes, node: str, key_hash: bytes, now: Reading) -> Redeemed:
        """As the seam says."""
        with self._connection.transaction():
            outcome = tokens.use(self._connection, token_hash, node, now.utc)
            if outcome is Redeemed.ACCEPTED:
                self._connection.execute(
                    "INSERT INTO node (name, key_hash, enrolled_utc, issued_utc) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET key_hash = excluded.key_hash, revoked_utc = NULL, "
                    "enrolled_utc = excluded.enrolled_utc, issued_utc = excluded.issued_utc, "
                    "fresh_key_hash = NULL, fresh_issued_utc = NULL",
                    (node, key_hash, now.utc, now.utc),
                )
        return outcome

    def renew(self, key_hash: bytes, fresh_hash: bytes, now: Reading) -> bool:
        """As the seam says."""
        with self._connection.transaction():
            renewed = self._connection.execute(
                "UPDATE node SET fresh_key_hash = ?, fresh_issued_utc = ? WHERE key_hash = ?",
                (fresh_hash, now.utc, key_hash),
            )
            return renewed.rowcount > 0

    def settle(self, fresh_hash: bytes) -> None:
        """As the seam says."""
        with self._connection.transaction():
            self._connection.execute(
                "UPDATE node SET key_hash = fresh_key_hash, issued_utc = fresh_issued_utc, fresh_key_hash = NULL, "
                "fresh_issued_utc = NULL WHERE fresh_key_hash = ?",
                (fresh_hash,),
            )

    def revoke(self, node: str, now: Reading) -> bool:
        """As the seam says."""
        with self._connection.transaction():
            revoked = self._connection.execute(
                "UPDATE node SET key_hash = NULL, fresh_key_hash = NULL, fresh_issued_utc = NULL, revoked_utc = ? "
                "WHERE name = ? AND key_hash IS NOT NULL",
                (now.utc, node),
            )
            return revoked.rowcount > 0

    def keys(self) -> dict[bytes, str]:
        """As the seam says."""
        held = (
            "SELECT key_hash, name FROM node WHERE key_hash IS NOT NULL UNION ALL "
            "SELECT fresh_key_hash, name FROM node WHERE fresh_key_hash IS NOT NULL"
        )
        return dict(self._connection.execute(held))

    def fresh_keys(self) -> frozenset[bytes]:
        """As the seam says."""
        fresh = "SELECT fresh_key_hash FROM node WHERE fresh_key_hash IS NOT NULL"
        return frozenset(key_hash for (key_hash,) in self._connection.execute(fresh))

    def note_rivals(self, found: Mapping[str, Sequence[Speaker]], now: Reading) -> None:
        """As the seam says."""
        with self._connection.transaction():
            for node, speakers in found.items():
                forget = "DELETE FROM rival WHERE node = (SELECT id FROM node WHERE name = ?)"
                self._connection.execute(forget, (node,))
                self._connection.executemany(
                    "INSERT INTO rival (node, run, address, noted_utc) SELECT id, ?, ?, ? FROM node WHERE name = ?",
                    [(one.run, one.address, now.utc, node) for one in speakers],
                )

    def several(self, now: Reading) -> list[tuple[str, str, int]]:
        """As the seam says."""
        with self._database.reading() as connection:
            rows = connection.execute(_SEVERAL).fetchall()
        return [(node, run, now.utc_of(boottime, boot, utc)) for node, run, boottime, boot, utc in rows]

    def changed_elsewhere(self) -> bool:
        """As the seam says."""
        before, self._changes = self._changes, self._connection.changes()
        return before != self._changes

    def listing(self, now: Reading, names: Collection[str] | None = None) -> list[NodeRow]:
        """As the seam says."""
        with self._database.reading() as connection:
            return listed(connection, now, names)

    def heard(self, now: Reading) -> dict[str, int | None]:
        """As the seam says."""
        with self._database.reading() as connection:
            heard = all_heard_utc(connection, now)
            return {name: heard.get(name) for (name,) in connection.execute("SELECT name FROM node")}
