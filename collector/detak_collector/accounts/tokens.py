"""Tokens by which programs act for a person: what each may do, for how long, and who may make one. Pure.

A token never may more than its owner may at that moment; and what speaks in somebody's name only he makes himself.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from detak_collector.accounts.names import is_same_person
from detak_collector.accounts.roles import Right

DAY_MS = 86_400_000
LONGEST_MS = 366 * DAY_MS
MOST_OF_ONE = 20
"""So many tokens that are good may somebody have at a time."""

LABEL_CHARACTERS = 100
PREFIX = "detak_"
"""How every token begins, so that scanners of code find one that was published."""


class Scope(StrEnum):
    """One thing that a token is good for."""

    READ = "read"
    READ_PUBLIC = "read:public"
    """What everybody sees, and no more; counted as its owner's."""
    PROPOSE = "propose"
    APPROVE = "approve"
    ANNOTATE = "annotate"
    AUDIT = "audit"
    ADMIN = "admin"


RIGHTS: dict[Scope, frozenset[Right]] = {
    Scope.READ: frozenset({Right.SEE}),
    Scope.READ_PUBLIC: frozenset(),
    Scope.PROPOSE: frozenset({Right.SEE, Right.PROPOSE}),
    Scope.APPROVE: frozenset({Right.SEE, Right.APPROVE}),
    Scope.ANNOTATE: frozenset({Right.SEE, Right.ANNOTATE}),
    Scope.AUDIT: frozenset({Right.SEE, Right.AUDIT}),
    Scope.ADMIN: frozenset({Right.SEE, Right.ADMINISTER}),
}
READING = frozenset({Scope.READ, Scope.READ_PUBLIC})
"""What changes nothing, and so may be made for somebody else."""


@dataclass(frozen=True, slots=True)
class Token:
    """One as it is kept. `id` names it on pages and in the audit trail; `hash` is the SHA-256 of the token itself.

    Times are UTC ms; `used_utc` is exact to a minute.
    """

    id: str
    hash: bytes
    owner: str
    label: str
    scopes: frozenset[Scope]
    made_utc: int
    made_by: str
    expires_utc: int
    used_utc: int | None = None
    used_from: str = ""
    revoked_utc: int | None = None
    revoked_by: str = ""

    def is_good(self, now_utc: int) -> bool:
        """Whether it is neither revoked nor over."""
        return self.revoked_utc is None and now_utc < self.expires_utc

    def rights(self, of_owner: Iterable[Right]) -> frozenset[Right]:
        """What it may do, of what its owner may do now."""
        return frozenset(of_owner) & frozenset[Right]().union(*(RIGHTS[scope] for scope in self.scopes))


@dataclass(frozen=True, slots=True)
class Wish:
    """That `owner` gets a token, on the word of `by`."""

    owner: str
    by: str
    label: str
    scopes: frozenset[Scope]
    lifetime_ms: int


def fresh() -> str:
    """A token: its prefix and 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


class Fault(StrEnum):
    """Why a token is not made."""

    LABEL = "label"
    SCOPES = "scopes"
    LIFETIME = "lifetime"
    MANY = "many"
    ANOTHERS = "another's"
    """It would speak in the name of somebody else than who makes it."""
    RIGHTS = "rights"
    """It would allow what its owner may not do."""
    NOBODY = "nobody"
    """Its owner has no account, or a disabled one."""


def fault(wish: Wish, rights: Iterable[Right], good: int) -> Fault | None:
    """Why it may not be made; None where it may. `rights` are its owner's, `good` how many good tokens he has."""
    owned, is_own = frozenset(rights), is_same_person(wish.owner, wish.by)
    label = wish.label.strip()
    broken = {
        Fault.LABEL: not label or len(label) > LABEL_CHARACTERS or not label.isprintable(),
        Fault.SCOPES: not wish.scopes,
        Fault.LIFETIME: not 0 < wish.lifetime_ms <= LONGEST_MS,
        Fault.MANY: good >= MOST_OF_ONE,
        Fault.ANOTHERS: not is_own and not wish.scopes <= READING,
        Fault.RIGHTS: any(not RIGHTS[scope] <= owned for scope in wish.scopes),
    }
    return next((one for one, is_broken in broken.items() if is_broken), None)


def allowed(rights: Iterable[Right]) -> list[Scope]:
    """The scopes that a token of somebody with these rights may have."""
    owned = frozenset(rights)
    return [scope for scope in Scope if RIGHTS[scope] <= owned]
