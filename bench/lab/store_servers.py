"""The servers that the first collector's store is on: a primary, and a standby that every commit waits for.

The laboratory does by hand what Patroni does for an operator: it promotes the standby of a primary that is gone, lets
that one go on alone, and has its commits wait again once the other one has joined it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from detak_agent.journal_file import connect_read_only
from lab import databases
from lab.host import Host, NotDoneError, until

NAME = "detak"
"""Of the collector's role and of its database."""

Record = tuple[str, int]
"""By its run and its number."""

_WITHIN_S = 60.0
_HELD = "SELECT run.run, number FROM ({}) AS record JOIN run ON run.sequence = record.run".format(
    " UNION ALL ".join(f"SELECT run, number FROM {table}" for table in ("span", "exchange", "gap"))
)
_ACKNOWLEDGED = """
SELECT run.run, number FROM record JOIN run ON run.id = record.run WHERE number > 0 AND sequence NOT IN
(SELECT sequence FROM owed JOIN collector ON collector.id = owed.collector WHERE url = ?)
"""


@dataclass
class StoreServers:
    """Two hosts; which of them is the primary changes with each failover."""

    primary: Host
    standby: Host
    lost: set[Record] = field(default_factory=set, init=False)
    """What was acknowledged, and missing on a standby that took over."""

    @property
    def url(self) -> str:
        """What collector.toml says: both hosts, in an order that does not matter."""
        return f"postgresql://{NAME}@{self.primary.address},{self.standby.address}/{NAME}"

    def begin(self) -> None:
        """Both hosts up, in synchrony, with an empty database for a store."""
        self.primary.programs.append(databases.database(self.primary))
        self.primary.boot()
        until("the store's primary takes writes", lambda: databases.is_writable(self.primary), _WITHIN_S)
        databases.run(self.primary, f"CREATE ROLE {NAME} LOGIN")
        databases.run(self.primary, f"CREATE DATABASE {NAME} OWNER {NAME}")
        self.standby.programs.append(databases.standby(self.standby))
        self.join_again()

    def fail_over(self, promised: set[Record]) -> None:
        """The primary is gone already; the standby, which must have what was promised, takes over and goes on alone."""
        self.lost |= promised - self.held()
        databases.run(self.standby, "SELECT pg_promote(true, 30)")
        until("the standby takes writes", lambda: databases.is_writable(self.standby), _WITHIN_S)
        self.primary, self.standby = self.standby, self.primary

    def join_again(self) -> None:
        """The one that does not run is made anew as standby of the other; commits wait for it when this returns."""
        databases.copy(self.primary, to=self.standby)
        self.standby.boot()
        databases.run(self.primary, f"ALTER SYSTEM SET synchronous_standby_names = '{self.standby.name}'")
        databases.run(self.primary, "SELECT pg_reload_conf()")
        until("commits wait for the standby", self.is_synchronous, _WITHIN_S)

    def is_synchronous(self) -> bool:
        """Whether commits wait for the standby, and it is there."""
        state = f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{self.standby.name}'"
        return databases.value(self.primary, state) == "sync"

    def held(self) -> set[Record]:
        """The closed records that the standby has, once it has replayed all that it received."""
        lacks = "SELECT coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0) > 0"
        until("all is replayed", lambda: databases.value(self.standby, lacks) == "False", _WITHIN_S)
        with psycopg.connect(host=self.standby.address, user=NAME, dbname=NAME, connect_timeout=2) as connection:
            return {(str(run), int(number)) for run, number in connection.execute(_HELD.encode())}

    def nothing_lost(self) -> None:
        """Raises NotDoneError if a failover lost what was acknowledged."""
        if self.lost:
            run, number = min(self.lost)
            raise NotDoneError(f"{len(self.lost)} acknowledged records were lost, such as number {number} of run {run}")


def acknowledged(state_directories: Iterable[Path], url: str) -> set[Record]:
    """The closed records in these agents' journals that the collector at `url` says it holds."""
    found: set[Record] = set()
    for directory in state_directories:
        with closing(connect_read_only(directory)) as journal:
            found |= {(str(run), int(number)) for run, number in journal.execute(_ACKNOWLEDGED, (url,))}
    return found
