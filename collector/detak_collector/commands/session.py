"""What every command of `detak-collector` starts from: the configuration, the store, the clock, and where to print."""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from detak_collector.clocks import Clock, system_clock
from detak_collector.config import Config, load
from detak_collector.copies.instance import hindrance
from detak_collector.copies.machine import this_machine
from detak_collector.errors import FencedError
from detak_collector.operating.events import Event
from detak_collector.operating.logs import log_event
from detak_collector.operating.syslog import send_now
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import FILE_NAME

EXIT_BAD_NEWS = 1
EXIT_CONFIGURATION = 2
EXIT_COULD_NOT = 3
WIDTH = 200
SYSLOG_WITHIN_S = 3.0


def login_name() -> str:
    """Who gives this command: the login name, and of root that of the person who became it through sudo."""
    uid = os.getuid()
    if uid == 0 and "SUDO_USER" in os.environ:
        return os.environ["SUDO_USER"]
    return user_name(uid)


def output_console() -> Console:
    """As wide as the terminal, never cut where a program reads the output; a name in brackets is no markup."""
    width = None if sys.stdout.isatty() else WIDTH
    return Console(highlight=False, markup=False, width=width)


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the program. Commands get it with `@click.pass_obj`."""

    config_path: Path
    debug: bool
    clock: Clock

    @staticmethod
    def begin(config_path: Path, *, debug: bool) -> Session:
        """A session on this machine's clock."""
        return Session(config_path, debug, system_clock())

    @property
    def console(self) -> Console:
        """Where tables go."""
        return output_console()

    def config(self) -> Config:
        """collector.toml; raises ConfigurationError."""
        return load(self.config_path)

    def audit(self, config: Config, name: str, text: str, **told: str | int) -> None:
        """For the audit trail: to the journal, and to the syslog server where one is configured, within a moment.

        It is told who gave the command. What cannot be sent is said, and the command goes on.
        """
        self.tell(config, [self.event(name, text, **told)])

    def event(self, name: str, text: str, **told: str | int) -> Event:
        """What was done now, and by whom."""
        return Event("audit", name, self.clock().utc, text, fields={"by": login_name(), **told})

    def tell(self, config: Config, events: Sequence[Event]) -> None:
        """As `audit` does, of several at once."""
        for event in events:
            log_event(event)
        if config.syslog is not None:
            trouble = asyncio.run(send_now(config.syslog, events, SYSLOG_WITHIN_S))
            if trouble:
                print(f"{config.syslog.address}: the audit trail was not told: {trouble}", file=sys.stderr)

    @contextmanager
    def existing_store(self, config: Config) -> Iterator[Store]:
        """The store to look at, as long as it is needed; raises StoreError where the collector has not made one yet.

        Nothing is written where nothing can be, and nothing where this copy serves no more: it would be lost.
        """
        _require_store(config)
        why = config.store.only_read()
        store = config.store.open_to_read(self.clock(), why) if why else config.store.open(self.clock())
        try:
            hindered = not why and hindrance_here(store) is not None
            if hindered and not store.database.shared:
                store.close()
                store = config.store.open_to_read(self.clock(), "this copy of the store serves no more")
            yield store
        finally:
            store.close()

    @contextmanager
    def store_to_change(self, config: Config) -> Iterator[Store]:
        """The store to enter something into; raises StoreError where there is none, FencedError as `store` says."""
        _require_store(config)
        with self.store(config) as store:
            yield store

    @contextmanager
    def store(self, config: Config) -> Iterator[Store]:
        """The same, made where it is missing; raises FencedError where what is entered would count nowhere."""
        with self.whichever_store(config) as store:
            reason = hindrance_here(store)
            if reason is not None:
                raise FencedError(f"nothing is changed: {store.database.place}: {reason}")
            yield store

    @contextmanager
    def whichever_store(self, config: Config) -> Iterator[Store]:
        """The store, made where it is missing, also a copy that serves no more: for what decides which copy serves."""
        config.state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        why = config.store.only_read() if config.store.exists() else ""
        if why:
            raise StoreError(f"{config.state_directory / FILE_NAME}: nothing can be written: {why}")
        store = config.store.open(self.clock())
        try:
            yield store
        finally:
            store.close()


def hindrance_here(store: Store) -> str | None:
    """Why this copy of the store must not serve on this machine; None where it may, or no collector has used it yet."""
    instance = store.instance.seen()
    return None if instance is None else hindrance(instance, "" if store.database.shared else this_machine())


def _require_store(config: Config) -> None:
    """Raises StoreError where the file is not there, or not to be read by this user."""
    if config.store.url is not None:
        return
    path = config.state_directory / FILE_NAME
    try:
        status = path.stat()
    except FileNotFoundError:
        raise StoreError(
            f"{path}: no such file: enrol a node with `detak-collector enroll NODE`, then run `serve`"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}: run this as the user of the collector, or with sudo") from error
    if not os.access(path, os.R_OK):
        owner = user_name(status.st_uid)
        raise StoreError(f"{path}: belongs to {owner}, and {login_name()} may not read it: run this as {owner}")


def user_name(uid: int) -> str:
    """The name of a user of this machine, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
