"""A store, put together: every seam over one database."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from detak_collector.store.accounts import SqlAccounts, SqlSessions
from detak_collector.store.api_tokens import SqlApiTokens
from detak_collector.store.attachments import SqlAttachments
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.database import Database
from detak_collector.store.derived import SqlDerived
from detak_collector.store.duty import Duty, SharedDuty, SoleDuty
from detak_collector.store.entries import SqlEntries
from detak_collector.store.evidence import SqlEvidence
from detak_collector.store.history import SqlHistory
from detak_collector.store.instance import SqlInstance
from detak_collector.store.ledger import SqlLedger
from detak_collector.store.metrics import SqlMetrics
from detak_collector.store.notices import SqlNotices
from detak_collector.store.outages import SqlOutages
from detak_collector.store.outbox import SqlOutbox
from detak_collector.store.peers import SqlPeers
from detak_collector.store.registry import SqlRegistry
from detak_collector.store.watch import SqlWatchLog


@dataclass(frozen=True, slots=True)
class Store:
    """All that a collector keeps. `collector` is its identity, made with the database."""

    database: Database
    collector: str
    evidence: SqlEvidence
    derived: SqlDerived
    registry: SqlRegistry
    watch: SqlWatchLog
    outages: SqlOutages
    history: SqlHistory
    metrics: SqlMetrics
    instance: SqlInstance
    duty: Duty
    entries: SqlEntries
    peers: SqlPeers
    accounts: SqlAccounts
    sessions: SqlSessions
    ledger: SqlLedger
    outbox: SqlOutbox
    attachments: SqlAttachments
    notices: SqlNotices
    api_tokens: SqlApiTokens

    @classmethod
    def over(cls, database: Database) -> Self:
        """The store in a database that has this version's schema."""
        with database.reading() as connection:
            (identity,) = connection.execute("SELECT identity FROM collector").fetchone()
        duty = SharedDuty(database) if database.shared else SoleDuty()
        return cls(
            database,
            identity,
            SqlEvidence(database),
            SqlDerived(database),
            SqlRegistry(database),
            SqlWatchLog(database),
            SqlOutages(database),
            SqlHistory(database),
            SqlMetrics(database, duty),
            SqlInstance(database),
            duty,
            SqlEntries(database),
            SqlPeers(database),
            SqlAccounts(database),
            SqlSessions(database),
            SqlLedger(database, identity),
            SqlOutbox(database),
            SqlAttachments(database),
            SqlNotices(database, duty),
            SqlApiTokens(database),
        )

    def close(self) -> None:
        """Gives the database back."""
        with suppress(StoreUnavailableError):
            self.duty.close()
        for part in (self.evidence, self.registry, self.watch, self.metrics):
            part.close()
        self.database.close()
