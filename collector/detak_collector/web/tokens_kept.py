"""Makes and revokes tokens in the store, with their entries in the audit trail: for pages, the API and the command."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Protocol

from detak_collector.accounts.known_grants import KnownGrants
from detak_collector.accounts.roles import rights_of
from detak_collector.accounts.tokens import Fault, Token, Wish, fault, fresh
from detak_collector.clocks import Clock
from detak_collector.operating.events import Audit
from detak_collector.store.parts import Store
from detak_collector.web.session import digest


class Desk(Protocol):
    """What it is done with."""

    @property
    def store(self) -> Store:
        """Where tokens are kept."""
        ...

    @property
    def clock(self) -> Clock:
        """By which they end."""
        ...

    @property
    def audit(self) -> Audit:
        """Who is told."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """A token as it is kept, and `secret`: the token itself, which is told once and kept nowhere."""

    token: Token
    secret: str


def make(desk: Desk, wish: Wish) -> Made | Fault:
    """A token, durably; or why there is none."""
    store, now = desk.store, desk.clock().utc
    account = store.accounts.find(wish.owner)
    if account is None or account.disabled_utc is not None:
        return Fault.NOBODY
    good = [one for one in store.api_tokens.of(wish.owner) if one.is_good(now)]
    found = fault(wish, rights_of(KnownGrants(store.entries).roles(wish.owner)), len(good))
    if found is not None:
        return found
    secret = fresh()
    token = Token(
        secrets.token_hex(8), digest(secret), wish.owner, wish.label.strip(), wish.scopes, now, wish.by,
        now + wish.lifetime_ms,
    )  # fmt: skip
    if not store.api_tokens.add(token):
        return Fault.NOBODY
    scopes = ", ".join(sorted(token.scopes))
    text = f"a token of {wish.owner} for {scopes} was made by {wish.by}: {token.label}"
    desk.audit("token-made", text, user=wish.owner, token=token.id, on_word_of=wish.by)
    return Made(token, secret)


def revoke(desk: Desk, id_: str, by: str) -> Token | None:
    """Makes a token worthless at once; None where there is none of that id that is not revoked."""
    token = desk.store.api_tokens.revoke(id_, desk.clock().utc, by)
    if token is not None:
        text = f"a token of {token.owner} was revoked by {by}: {token.label}"
        desk.audit("token-revoked", text, user=token.owner, token=id_, on_word_of=by)
    return token
