"""Where the store is, as collector.toml says it: a file in the state directory, or a PostgreSQL database by its URL.

The password stands in neither: it comes from a file that not everybody can read, or as a systemd credential.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from detak_collector.clocks import Reading
from detak_collector.store.base import StoreError
from detak_collector.store.database import Database
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import FILE_NAME
from detak_collector.store.sqlite import open_store as open_file
from detak_collector.store.sqlite import open_to_read as open_file_to_read
from detak_collector.store.sqlite_database import SqliteDatabase
from detak_collector.store.sqlite_reading import takes_nothing

CREDENTIAL = "store-password"
ENCRYPTED = ("require", "verify-ca", "verify-full")
WORLD = 0o007


@dataclass(frozen=True, slots=True)
class StorePlace:
    """`url` is None where the store is a file of `state_directory`."""

    state_directory: Path
    url: str | None = None
    password_file: Path | None = None

    def exists(self) -> bool:
        """Whether there may be a store: of a file that is known before it is opened."""
        return self.url is not None or (self.state_directory / FILE_NAME).exists()

    def open(self, now: Reading) -> Store:
        """Opens the store, made or brought to this version's schema; raises StoreError."""
        if self.url is None:
            return open_file(self.state_directory, now)
        # Imported where it is configured: the driver is an extra.
        from detak_collector.store.postgresql import open_store  # noqa: PLC0415

        return open_store(self.url, now, self.password())

    def only_read(self) -> str:
        """Why nothing can be written to the store that is there, as far as that is known before; else empty."""
        return "" if self.url is not None else takes_nothing(self.state_directory / FILE_NAME)

    def open_to_read(self, now: Reading, why: str) -> Store:
        """Opens a store that is there and is not written to because of `why`; raises StoreError.

        A database on a server is opened as ever: it tells by itself what it does not take.
        """
        return self.open(now) if self.url is not None else open_file_to_read(self.state_directory, why)

    def database(self) -> Database:
        """The store's database alone, which must have this version's schema; raises StoreError."""
        if self.url is None:
            return SqliteDatabase(self.state_directory / FILE_NAME)
        from detak_collector.store.postgresql_database import PostgresqlDatabase  # noqa: PLC0415 - an extra

        return PostgresqlDatabase(self.url, self.password())

    def password(self) -> str | None:
        """The one to be used, if any was given; raises StoreError where its file is not fit for it."""
        path = self.password_file
        if path is None and "CREDENTIALS_DIRECTORY" in os.environ:
            path = Path(os.environ["CREDENTIALS_DIRECTORY"]) / CREDENTIAL
            path = path if path.exists() else None
        if path is None:
            return None
        try:
            mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            raise StoreError(f"store_password_file {path}: {reason}") from error
        if mode & WORLD:
            raise StoreError(f"store_password_file {path}: everybody can read it: `chmod o= {path}`")
        return text.strip("\r\n")


def store_faults(store: str | None, password_file: str | None, *, allow_plaintext: bool, base: Path) -> Iterator[str]:
    """What is wrong with the keys `store` and `store_password_file`, a line each."""
    if store is None:
        if password_file is not None:
            yield "store_password_file: only with a store that is a URL"
        return
    if not store.startswith(("postgresql://", "postgres://")):
        yield 'store: expected a URL such as "postgresql://detak@db.example.go.id/detak"; leave it out for a file'
        return
    if find_spec("psycopg") is None:
        yield "store: PostgreSQL's driver is not installed: install detak-collector[postgresql]"
        return
    yield from _url_faults(store, allow_plaintext=allow_plaintext)
    if password_file is not None and not (base / password_file).is_file():
        yield f'store_password_file: no such file (got "{password_file}")'


def _url_faults(url: str, *, allow_plaintext: bool) -> Iterator[str]:
    from psycopg import ProgrammingError  # noqa: PLC0415 - an extra
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        conninfo_to_dict(url)
    except ProgrammingError as error:
        yield f"store: {str(error).strip()}"
        return
    parts, options = urlsplit(url), parse_qs(urlsplit(url).query)
    users, _, _ = parts.netloc.rpartition("@")
    if ":" in users or "password" in options:
        yield (
            "store: a password does not belong here: write it into a file that only the collector can read, and name "
            f"that in store_password_file, or give it as the systemd credential {CREDENTIAL}"
        )
    mode = options.get("sslmode", [""])[-1]
    beyond = [host for host in _hosts(url) if not _is_near(host)]
    if beyond and mode not in ENCRYPTED and not allow_plaintext:
        yield (
            f"store: what goes to {', '.join(beyond)} could be read on its way: add ?sslmode=verify-full and "
            "&sslrootcert=FILE, or &sslmode=require"
        )


def _hosts(url: str) -> list[str]:
    named = urlsplit(url).netloc.rpartition("@")[2]
    hosts = [unquote(one) for one in named.split(",") if one]
    more = parse_qs(urlsplit(url).query).get("host", []) + parse_qs(urlsplit(url).query).get("hostaddr", [])
    return [_without_port(one) for one in hosts] + [one for value in more for one in value.split(",")]


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_near(host: str) -> bool:
    """A socket of this machine, or its loopback."""
    return host.startswith(("/", "@", "127.")) or host in {"", "localhost", "::1"}
