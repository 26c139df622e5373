"""The tokens of programs in one database: made, found by their hash, revoked, and never deleted."""

from __future__ import annotations

from typing import Any

from detak_collector.accounts.account import Account
from detak_collector.accounts.tokens import Scope, Token
from detak_collector.store.accounts import account_of
from detak_collector.store.database import Database

_ALL = "id, hash, owner, label, scopes, made_utc, made_by, expires_utc, used_utc, used_from, revoked_utc, revoked_by"


class SqlApiTokens:
    """Any thread may use it. Times are UTC milliseconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: Token) -> bool:
        """Keeps a token; False where its owner has no account, or a disabled one."""
        with self._database.writing() as connection:
            account = account_of(connection, token.owner)
            if account is None or account.disabled_utc is not None:
                return False
            query = f"INSERT INTO api_token ({_ALL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
            one, scopes = token, " ".join(sorted(token.scopes))
            values = (
                one.id, one.hash, one.owner, one.label, scopes, one.made_utc, one.made_by, one.expires_utc,
                one.used_utc, one.used_from, one.revoked_utc, one.revoked_by,
            )  # fmt: skip
            connection.execute(query, values)
            return True

    def find(self, hash_: bytes) -> tuple[Token, Account] | None:
        """The token of that hash with its owner's account; whether it is still good is for others to say."""
        with self._database.reading() as connection:
            query = f"SELECT {_ALL} FROM api_token WHERE hash = ?"  # noqa: S608 - constants
            row = connection.execute(query, (hash_,)).fetchone()
            account = None if row is None else account_of(connection, row[2])
        return None if account is None else (_as_token(row), account)

    def of(self, owner: str | None = None) -> list[Token]:
        """Those of one person, or all, the latest first."""
        where, values = ("", ()) if owner is None else ("WHERE owner = ?", (owner,))
        with self._database.reading() as connection:
            query = f"SELECT {_ALL} FROM api_token {where} ORDER BY made_utc DESC, id"  # noqa: S608 - constants
            return [_as_token(row) for row in connection.execute(query, values)]

    def used(self, id_: str, now_utc: int, address: str) -> None:
        """It was used just now."""
        with self._database.writing() as connection:
            query = "UPDATE api_token SET used_utc = ?, used_from = ? WHERE id = ?"
            connection.execute(query, (now_utc, address, id_))

    def revoke(self, id_: str, now_utc: int, by: str) -> Token | None:
        """Makes it worthless; None where there is none of that id, or it was revoked before."""
        with self._database.writing() as connection:
            query = "UPDATE api_token SET revoked_utc = ?, revoked_by = ? WHERE id = ? AND revoked_utc IS NULL"
            if connection.execute(query, (now_utc, by, id_)).rowcount != 1:
                return None
            row = connection.execute(f"SELECT {_ALL} FROM api_token WHERE id = ?", (id_,)).fetchone()  # noqa: S608
            return _as_token(row)


def _as_token(row: tuple[Any, ...]) -> Token:
    id_, hash_, owner, label, scopes, *rest = row
    # A scope that a later version knows allows nothing here.
    known = frozenset(Scope(one) for one in scopes.split() if one in set(Scope))
    return Token(id_, bytes(hash_), owner, label, known, *rest)
