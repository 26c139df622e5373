"""The schema's history, in order; a migration that was ever released is never edited."""

from __future__ import annotations

from collections.abc import Callable

from sqlite_utils import Migrations

from detak_collector.store.migrations.m0001_evidence import create_evidence
from detak_collector.store.migrations.m0002_derived import create_derived
from detak_collector.store.migrations.m0003_outages import create_outages
from detak_collector.store.migrations.m0004_history import create_history
from detak_collector.store.migrations.m0005_as_of import keep_what_was_known_when
from detak_collector.store.migrations.m0006_changed import tell_what_changed
from detak_collector.store.migrations.m0007_keys import hold_fresh_keys
from detak_collector.store.migrations.m0008_metrics import keep_metrics
from detak_collector.store.migrations.m0009_instance import tell_instances_apart
from detak_collector.store.migrations.m0010_shared_tokens import share_tokens
from detak_collector.store.migrations.m0011_entries import keep_entries
from detak_collector.store.migrations.m0012_ledger import keep_ledger
from detak_collector.store.migrations.m0013_accounts import know_people
from detak_collector.store.migrations.m0014_attachments import keep_attachments
from detak_collector.store.migrations.m0015_api_tokens import keep_api_tokens
from detak_collector.store.migrations.m0016_outbox import keep_outbox
from detak_collector.store.migrations.m0017_notices import keep_notices
from detak_collector.store.migrations.m0018_disposal import keep_disposals
from detak_collector.store.migrations.schema import Schema

STEPS: dict[str, Callable[[Schema], None]] = {
    "0001_evidence": create_evidence,
    "0002_derived": create_derived,
    "0003_outages": create_outages,
    "0004_history": create_history,
    "0005_as_of": keep_what_was_known_when,
    "0006_changed": tell_what_changed,
    "0007_keys": hold_fresh_keys,
    "0008_metrics": keep_metrics,
    "0009_instance": tell_instances_apart,
    "0010_shared_tokens": share_tokens,
    "0011_entries": keep_entries,
    "0012_ledger": keep_ledger,
    "0013_accounts": know_people,
    "0014_attachments": keep_attachments,
    "0015_api_tokens": keep_api_tokens,
    "0016_outbox": keep_outbox,
    "0017_notices": keep_notices,
    "0018_disposal": keep_disposals,
}

MIGRATIONS = Migrations("detak")
"""The same for SQLite files."""

for _name, _step in STEPS.items():
    MIGRATIONS(name=_name)(_step)

NAMES = tuple(STEPS)
"""All migrations this version knows: a database that has had others is newer than this program."""
