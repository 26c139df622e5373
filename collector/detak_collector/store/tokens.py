"""What an enrolment token is worth: read inside the transaction that uses it up."""

from __future__ import annotations

from detak_collector.store.base import Redeemed
from detak_collector.store.database import Connection


def use(connection: Connection, token_hash: bytes, node: str, now_utc: int) -> Redeemed:
    """Uses the token for this node, if it may; else nothing changes."""
    outcome = _judged(connection, token_hash, node, now_utc)
    if outcome is Redeemed.UNKNOWN:
        outcome = _judged_as_shared(connection, token_hash, node, now_utc)
        if outcome is Redeemed.ACCEPTED:
            connection.execute(
                "INSERT INTO shared_token_use (hash, node, used_utc) VALUES (?, ?, ?)", (token_hash, node, now_utc)
            )
    elif outcome is Redeemed.ACCEPTED:
        connection.execute("UPDATE token SET used_utc = ? WHERE hash = ?", (now_utc, token_hash))
    return outcome


def _judged(connection: Connection, token_hash: bytes, node: str, now_utc: int) -> Redeemed:
    query = "SELECT node, expires_utc, used_utc FROM token WHERE hash = ?"
    row = connection.execute(query, (token_hash,)).fetchone()
    if row is None:
        return Redeemed.UNKNOWN
    owner, expires_utc, used_utc = row
    if owner != node:
        return Redeemed.OTHER_NODE
    if used_utc is not None:
        return Redeemed.USED
    return Redeemed.ACCEPTED if now_utc < expires_utc else Redeemed.EXPIRED


def _judged_as_shared(connection: Connection, token_hash: bytes, node: str, now_utc: int) -> Redeemed:
    query = "SELECT nodes, expires_utc FROM shared_token WHERE hash = ?"
    row = connection.execute(query, (token_hash,)).fetchone()
    if row is None:
        return Redeemed.UNKNOWN
    nodes, expires_utc = row
    if now_utc >= expires_utc:
        return Redeemed.EXPIRED
    # Whoever holds such a token may let in new nodes, and never become one that is there.
    if connection.execute("SELECT 1 FROM node WHERE name = ?", (node,)).fetchone() is not None:
        return Redeemed.TAKEN
    used = connection.execute("SELECT count(*) FROM shared_token_use WHERE hash = ?", (token_hash,)).fetchone()
    return Redeemed.ACCEPTED if used is not None and used[0] < nodes else Redeemed.USED
