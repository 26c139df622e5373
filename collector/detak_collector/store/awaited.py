"""The enrolment tokens that still wait for their node."""

from __future__ import annotations

from detak_collector.fleet.standing import Invited
from detak_collector.store.database import Connection

_OF_ONE = """
    SELECT token.node, max(token.expires_utc) FROM token LEFT JOIN node ON node.name = token.node
    WHERE token.used_utc IS NULL AND token.expires_utc > ? AND node.key_hash IS NULL
    GROUP BY token.node ORDER BY token.node
"""
_OF_MANY = """
    SELECT nodes - (SELECT count(*) FROM shared_token_use WHERE shared_token_use.hash = shared_token.hash), expires_utc
    FROM shared_token WHERE expires_utc > ? ORDER BY expires_utc
"""


def awaited(connection: Connection, now_utc: int) -> list[Invited]:
    """Those of one node first, the last of each; nodes that have a key are not awaited."""
    alone = [Invited(node, 1, expires) for node, expires in connection.execute(_OF_ONE, (now_utc,))]
    shared = [Invited(None, left, expires) for left, expires in connection.execute(_OF_MANY, (now_utc,)) if left > 0]
    return alone + shared
