"""Which copy of a store may serve. Pure: the store keeps it, others read the machine's name and speak to agents.

A store that was copied to another machine would be two collectors with one identity. Three things prevent that: a store
knows the machine that it serves on, a store that was moved away knows that, and agents carry the *epoch* of the copy
that they spoke to last, so that an older copy learns of a later one before it acknowledges anything.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

SECRET_BYTES = 32
_TOKEN = re.compile(r"([0-9]{1,15})\.([0-9a-f]{32})")
MOST_CHARACTERS = 48


@dataclass(frozen=True, slots=True)
class Instance:
    """One copy of a store. `epoch` is greater in every later one; `home` is the machine it serves on, if it has one."""

    epoch: int
    secret: bytes
    home: str
    fenced_utc: int | None = None
    fenced_why: str = ""

    def adopted(self, home: str, now_utc: int) -> Instance:
        """The copy that serves here from now on, in place of every other."""
        return Instance(self._next(now_utc), self.secret, home)

    def successor(self, now_utc: int) -> Instance:
        """The copy that goes elsewhere; it belongs to the machine on which it is first served."""
        return Instance(self._next(now_utc), self.secret, "")

    def fenced(self, now_utc: int, why: str) -> Instance:
        """The same, which serves no more."""
        return replace(self, fenced_utc=now_utc, fenced_why=why)

    def _next(self, now_utc: int) -> int:
        """Greater than this one's, and than those of copies that were made from it before now."""
        return max(self.epoch + 1, now_utc)

    def token(self, collector: str) -> str:
        """What agents are told and tell again: the epoch, and a proof that only a copy of this store can make."""
        return f"{self.epoch}.{_proof(self.secret, collector, self.epoch)}"

    def is_superseded_by(self, token: str, collector: str) -> bool:
        """Whether a token is from a later copy of this very store."""
        match = _TOKEN.fullmatch(token) if len(token) <= MOST_CHARACTERS else None
        if match is None or int(match[1]) <= self.epoch:
            return False
        return hmac.compare_digest(match[2], _proof(self.secret, collector, int(match[1])))


def _proof(secret: bytes, collector: str, epoch: int) -> str:
    return hmac.new(secret, f"{collector}:{epoch}".encode(), hashlib.sha256).hexdigest()[:32]


def hindrance(instance: Instance, home: str) -> str | None:
    """Why this copy must not serve on the machine `home`, and what to do; None where it may."""
    if instance.fenced_utc is not None:
        at = f"{datetime.fromtimestamp(instance.fenced_utc / 1_000, UTC):%Y-%m-%d %H:%M} UTC"
        return (
            f"this collector serves no more since {at}: {instance.fenced_why}. Start the other one, and disable this "
            "one (`systemctl disable detak-collector`). If it is to serve here after all, and the other one never "
            "again: `detak-collector adopt`"
        )
    if instance.home and home and instance.home != home:
        return (
            "this store was served on another machine until now. If that collector never serves again, make this one "
            "its successor: `detak-collector adopt`. Two with one identity would spoil the figure"
        )
    return None


def home_of(machine_id: str) -> str:
    """What is kept of a machine's identity; empty where it has none, as in some containers."""
    known = machine_id.strip()
    if not re.fullmatch(r"[0-9a-f]{32}", known):
        return ""
    return hashlib.sha256(b"detak-collector:" + known.encode()).hexdigest()[:32]
