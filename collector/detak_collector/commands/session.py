"""What every command of `detak-collector` starts from: the configuration, the store, the clock, and where to print."""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from detak_collector.clocks import Clock, system_clock
from detak_collector.config import Config, load
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
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


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
        event = Event("audit", name, self.clock().utc, text, fields={"by": login_name(), **told})
        log_event(event)
        if config.syslog is not None:
            trouble = asyncio.run(send_now(config.syslog, [event], SYSLOG_WITHIN_S))
            if trouble:
                print(f"{config.syslog.address}: the audit trail was not told: {trouble}", file=sys.stderr)

    @contextmanager
    def existing_store(self, config: Config) -> Iterator[Store]:
        """The store, as long as it is needed; raises StoreError where the collector has not made one yet."""
        if not config.store.exists():
            path = config.state_directory / FILE_NAME
            raise StoreError(f"{path}: no such file: enrol a node with `detak-collector enroll NODE`, then run `serve`")
        with self.store(config) as store:
            yield store

    @contextmanager
    def store(self, config: Config) -> Iterator[Store]:
        """The same, made where it is missing."""
        config.state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = config.store.open(self.clock())
        try:
            yield store
        finally:
            store.close()
