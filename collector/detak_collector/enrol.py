"""Tokens and keys: how a node gets its identity. Both are 256 random bits, so a plain SHA-256 keeps them secret."""

from __future__ import annotations

import hashlib
import secrets

from detak_collector.clocks import Reading
from detak_collector.store.base import NodeRegistry, Redeemed

RANDOM_BYTES = 32

REFUSALS = {
    Redeemed.UNKNOWN: "this token is not known here",
    Redeemed.EXPIRED: "this token has expired",
    Redeemed.USED: "this token has been used already",
    Redeemed.OTHER_NODE: "this token was made for a node of another name",
}


def digest(secret: str) -> bytes:
    """What is kept of a key or token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def issue_token(registry: NodeRegistry, node: str, lifetime_ms: int, now: Reading) -> str:
    """A new one-time token for `node`, shown once."""
    token = secrets.token_hex(RANDOM_BYTES)
    registry.issue(node, digest(token), now.utc + lifetime_ms, now)
    return token


def redeem(registry: NodeRegistry, node: str, token: str, now: Reading) -> tuple[Redeemed, str]:
    """What became of the token, and the node's new key if it was accepted."""
    key = secrets.token_hex(RANDOM_BYTES)
    outcome = registry.redeem(digest(token), node, digest(key), now)
    return outcome, key if outcome is Redeemed.ACCEPTED else ""


class Keyring:
    """The keys that are valid now, in memory. It is filled again whenever the registry says that they changed."""

    def __init__(self, keys: dict[bytes, str]) -> None:
        self._keys = keys

    def refill(self, keys: dict[bytes, str]) -> None:
        """These keys are valid, and no others."""
        self._keys = keys

    def node_of(self, authorization: str) -> str | None:
        """The node of an `Authorization: Bearer` header, or None."""
        scheme, _, key = authorization.partition(" ")
        # What is compared is a hash, so the time it takes says nothing of a key that is not known already.
        node = self._keys.get(digest(key.strip()))
        return node if scheme.lower() == "bearer" else None
