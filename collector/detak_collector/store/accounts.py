"""The accounts of people in one database. What they may do is in the log of entries.

Whatever makes an old password worthless (a new one, disabling) also ends the sessions that it began.
"""

from __future__ import annotations

from typing import Any

from detak_collector.accounts.account import Account, Origin, Session, Stage
from detak_collector.store.database import Connection, Database

_ACCOUNT = "name, display, mail, origin, made_utc, password, secret, fresh_secret, step, disabled_utc, signed_in_utc"
_SESSION = "hash, name, stage, begun_utc, seen_utc, address, browser, wrong_codes"


class SqlAccounts:
    """Any thread may use it. Times are UTC milliseconds; hashes of tokens and cookies are SHA-256."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, account: Account) -> bool:
        """Makes an account; False where there is one of that name."""
        with self._database.writing() as connection:
            if account_of(connection, account.name) is not None:
                return False
            _insert(connection, account)
            return True

    def meet(self, account: Account) -> Account | None:
        """The directory knows this person: makes or renews his account. None where a local one has the name."""
        with self._database.writing() as connection:
            known = account_of(connection, account.name)
            if known is None:
                _insert(connection, account)
            elif known.origin is Origin.LOCAL:
                return None
            else:
                values = (account.display, account.mail, account.name)
                connection.execute("UPDATE account SET display = ?, mail = ? WHERE name = ?", values)
            return account_of(connection, account.name)

    def find(self, name: str) -> Account | None:
        """The account of exactly that name."""
        with self._database.reading() as connection:
            return account_of(connection, name)

    def listing(self) -> list[Account]:
        """All accounts by name."""
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_ACCOUNT} FROM account ORDER BY name")  # noqa: S608 - constants
            return [_as_account(row) for row in rows]

    def set_password(self, name: str, password: str) -> None:
        """Keeps another hash, and ends all sessions and links of that account."""
        with self._database.writing() as connection:
            connection.execute("UPDATE account SET password = ? WHERE name = ?", (password, name))
            _let_go(connection, name)

    def rehash(self, name: str, before: str, after: str) -> None:
        """The same password at another cost; nothing else changes."""
        with self._database.writing() as connection:
            values = (after, name, before)
            connection.execute("UPDATE account SET password = ? WHERE name = ? AND password = ?", values)

    def set_disabled(self, name: str, since_utc: int | None) -> None:
        """Disables an account, with all its sessions and links; None: enables it."""
        with self._database.writing() as connection:
            connection.execute("UPDATE account SET disabled_utc = ? WHERE name = ?", (since_utc, name))
            if since_utc is not None:
                _let_go(connection, name)

    def signed_in(self, name: str, now_utc: int) -> None:
        """It signed in just now."""
        with self._database.writing() as connection:
            connection.execute("UPDATE account SET signed_in_utc = ? WHERE name = ?", (now_utc, name))

    def offer_secret(self, name: str, secret: str | None) -> None:
        """A secret that waits for its first code; None: it is no longer waited for."""
        with self._database.writing() as connection:
            connection.execute("UPDATE account SET fresh_secret = ? WHERE name = ?", (secret, name))

    def take_secret(self, name: str, secret: str, step: int) -> bool:
        """The first code of an offered secret has come; False where another one is offered by now."""
        with self._database.writing() as connection:
            query = (
                "UPDATE account SET secret = fresh_secret, fresh_secret = NULL, step = ? "
                "WHERE name = ? AND fresh_secret = ?"
            )
            return connection.execute(query, (step, name, secret)).rowcount == 1

    def drop_secret(self, name: str) -> bool:
        """No second factor from now on; False where there was none."""
        with self._database.writing() as connection:
            query = (
                "UPDATE account SET secret = NULL, fresh_secret = NULL, step = 0 WHERE name = ? AND secret IS NOT NULL"
            )
            return connection.execute(query, (name,)).rowcount == 1

    def use_step(self, name: str, step: int) -> bool:
        """Uses up the code of a time step; False where that or a later one was used before."""
        with self._database.writing() as connection:
            query = "UPDATE account SET step = ? WHERE name = ? AND step < ?"
            return connection.execute(query, (step, name, step)).rowcount == 1

    def issue_reset(self, name: str, token_hash: bytes, expires_utc: int) -> None:
        """A link by which the password is set once; links made before are void."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM account_reset WHERE name = ?", (name,))
            values = (token_hash, name, expires_utc)
            connection.execute("INSERT INTO account_reset (hash, name, expires_utc) VALUES (?, ?, ?)", values)

    def whose_reset(self, token_hash: bytes, now_utc: int) -> str | None:
        """Whose link it is; None where it is void."""
        with self._database.reading() as connection:
            return _whose_reset(connection, token_hash, now_utc)

    def reset(self, token_hash: bytes, password: str, now_utc: int) -> str | None:
        """Uses the link up for a new password, as `set_password` says; whose it was, None where it is void."""
        with self._database.writing() as connection:
            name = _whose_reset(connection, token_hash, now_utc)
            if name is not None:
                connection.execute("UPDATE account SET password = ? WHERE name = ?", (password, name))
                _let_go(connection, name)
            return name


class SqlSessions:
    """The signed-in browsers in one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, session: Session, instead_of: bytes | None, over_before_utc: int) -> bool:
        """Begins one; False where its account is disabled by now.

        One that it takes the place of ends, and so does what began before that moment.
        """
        with self._database.writing() as connection:
            account = account_of(connection, session.name)
            if account is None or account.disabled_utc is not None:
                return False
            connection.execute("DELETE FROM account_session WHERE begun_utc < ?", (over_before_utc,))
            if instead_of is not None:
                connection.execute("DELETE FROM account_session WHERE hash = ?", (instead_of,))
            query = f"INSERT INTO account_session ({_SESSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
            one = session
            values = (
                one.hash, one.name, str(one.stage), one.begun_utc, one.seen_utc, one.address, one.browser,
                one.wrong_codes,
            )  # fmt: skip
            connection.execute(query, values)
            return True

    def find(self, hash_: bytes) -> tuple[Session, Account] | None:
        """The session of a cookie with its account; whether it is still good is for others to say."""
        with self._database.reading() as connection:
            query = f"SELECT {_SESSION} FROM account_session WHERE hash = ?"  # noqa: S608 - constants
            row = connection.execute(query, (hash_,)).fetchone()
            account = None if row is None else account_of(connection, row[1])
        return None if account is None or account.disabled_utc is not None else (_as_session(row), account)

    def seen(self, hash_: bytes, now_utc: int) -> None:
        """It was used just now."""
        with self._database.writing() as connection:
            connection.execute("UPDATE account_session SET seen_utc = ? WHERE hash = ?", (now_utc, hash_))

    def wrong_code(self, hash_: bytes) -> None:
        """One more wrong code."""
        with self._database.writing() as connection:
            connection.execute("UPDATE account_session SET wrong_codes = wrong_codes + 1 WHERE hash = ?", (hash_,))

    def of(self, name: str) -> list[Session]:
        """Those of one account, the latest first."""
        with self._database.reading() as connection:
            query = f"SELECT {_SESSION} FROM account_session WHERE name = ? ORDER BY begun_utc DESC, hash"  # noqa: S608
            return [_as_session(row) for row in connection.execute(query, (name,))]

    def end(self, name: str, hash_: bytes) -> None:
        """Ends one of an account."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM account_session WHERE name = ? AND hash = ?", (name, hash_))

    def end_others(self, name: str, but: bytes | None) -> None:
        """Ends all of an account, but for that one."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM account_session WHERE name = ? AND hash <> ?", (name, but or b""))


def _insert(connection: Connection, one: Account) -> None:
    query = f"INSERT INTO account ({_ACCOUNT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
    values = (
        one.name, one.display, one.mail, str(one.origin), one.made_utc, one.password, one.secret, one.fresh_secret,
        one.step, one.disabled_utc, one.signed_in_utc,
    )  # fmt: skip
    connection.execute(query, values)


def _let_go(connection: Connection, name: str) -> None:
    connection.execute("DELETE FROM account_session WHERE name = ?", (name,))
    connection.execute("DELETE FROM account_reset WHERE name = ?", (name,))


def _whose_reset(connection: Connection, token_hash: bytes, now_utc: int) -> str | None:
    query = "SELECT name, expires_utc FROM account_reset WHERE hash = ?"
    row = connection.execute(query, (token_hash,)).fetchone()
    if row is None or now_utc >= row[1]:
        return None
    account = account_of(connection, row[0])
    is_good = account is not None and account.disabled_utc is None and account.origin is Origin.LOCAL
    return account.name if is_good and account is not None else None


def account_of(connection: Connection, name: str) -> Account | None:
    """The account of exactly that name, in a view of the caller's."""
    query = f"SELECT {_ACCOUNT} FROM account WHERE name = ?"  # noqa: S608 - constants
    row = connection.execute(query, (name,)).fetchone()
    return None if row is None else _as_account(row)


def _as_account(row: tuple[Any, ...]) -> Account:
    name, display, mail, origin, *rest = row
    return Account(name, display, mail, Origin(origin), *rest)


def _as_session(row: tuple[Any, ...]) -> Session:
    hash_, name, stage, *rest = row
    return Session(bytes(hash_), name, Stage(stage), *rest)
