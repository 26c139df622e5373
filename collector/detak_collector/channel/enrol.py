"""Tokens and keys: how a node gets its identity. Both are 256 random bits, so a plain SHA-256 keeps them secret."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from detak_collector.clocks import Reading
from detak_collector.store.base import NodeRegistry, Redeemed

RANDOM_BYTES = 32

REFUSALS = {
    Redeemed.UNKNOWN: "this token is not known here",
    Redeemed.EXPIRED: "this token has expired",
    Redeemed.USED: "this token has been used already",
    Redeemed.OTHER_NODE: "this token was made for a node of another name",
    Redeemed.TAKEN: "this token lets in new nodes only, and a node of this name was enrolled before",
}


def digest(secret: str) -> bytes:
    """What is kept of a key or token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def issue_token(registry: NodeRegistry, node: str, lifetime_ms: int, now: Reading) -> str:
    """A new one-time token for `node`, shown once."""
    token = secrets.token_hex(RANDOM_BYTES)
    registry.issue(node, digest(token), now.utc + lifetime_ms, now)
    return token


def issue_shared_token(registry: NodeRegistry, nodes: int, lifetime_ms: int, now: Reading) -> str:
    """A token for so many new nodes, whatever their names, shown once."""
    token = secrets.token_hex(RANDOM_BYTES)
    registry.issue_shared(nodes, digest(token), now.utc + lifetime_ms, now)
    return token


def redeem(registry: NodeRegistry, node: str, token: str, now: Reading) -> tuple[Redeemed, str]:
    """What became of the token, and the node's new key if it was accepted."""
    key = secrets.token_hex(RANDOM_BYTES)
    outcome = registry.redeem(digest(token), node, digest(key), now)
    return outcome, key if outcome is Redeemed.ACCEPTED else ""


def renew(registry: NodeRegistry, key_hash: bytes, now: Reading) -> str | None:
    """A fresh key beside the valid one; None where that is void by now."""
    key = secrets.token_hex(RANDOM_BYTES)
    return key if registry.renew(key_hash, digest(key), now) else None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key it is. `is_fresh`: it was not used yet, and its first use voids the one before it."""

    node: str
    key_hash: bytes
    is_fresh: bool


class Keyring:
    """The keys that are valid now, in memory. It is filled again whenever the registry says that they changed."""

    def __init__(self, registry: NodeRegistry, *, shared: bool = False) -> None:
        self._registry = registry
        self.shared = shared
        """Whether keys may be given elsewhere too."""
        self._held: tuple[dict[bytes, str], frozenset[bytes]] = ({}, frozenset())
        self.refill()

    def refill(self) -> None:
        """The keys as the registry has them now; to be called where the registry may be."""
        self._held = (self._registry.keys(), self._registry.fresh_keys())

    def holder_of(self, authorization: str) -> Holder | None:
        """Who sent an `Authorization: Bearer` header, or None."""
        keys, fresh = self._held
        scheme, _, key = authorization.partition(" ")
        # What is compared is a hash, so the time it takes says nothing of a key that is not known already.
        key_hash = digest(key.strip())
        node = keys.get(key_hash)
        return Holder(node, key_hash, key_hash in fresh) if node is not None and scheme.lower() == "bearer" else None
