"""The schema's history, in order; a migration that was ever released is never edited."""

from __future__ import annotations

from sqlite_utils import Migrations

from detak_collector.store.migrations.m0001_evidence import create_evidence
from detak_collector.store.migrations.m0002_derived import create_derived
from detak_collector.store.migrations.m0003_outages import create_outages
from detak_collector.store.migrations.m0004_history import create_history
from detak_collector.store.migrations.m0005_as_of import keep_what_was_known_when
from detak_collector.store.migrations.m0006_changed import tell_what_changed
from detak_collector.store.migrations.m0007_keys import hold_fresh_keys
from detak_collector.store.migrations.m0008_metrics import keep_metrics

MIGRATIONS = Migrations("detak")
MIGRATIONS(name="0001_evidence")(create_evidence)
MIGRATIONS(name="0002_derived")(create_derived)
MIGRATIONS(name="0003_outages")(create_outages)
MIGRATIONS(name="0004_history")(create_history)
MIGRATIONS(name="0005_as_of")(keep_what_was_known_when)
MIGRATIONS(name="0006_changed")(tell_what_changed)
MIGRATIONS(name="0007_keys")(hold_fresh_keys)
MIGRATIONS(name="0008_metrics")(keep_metrics)

NAMES = (
    "0001_evidence",
    "0002_derived",
    "0003_outages",
    "0004_history",
    "0005_as_of",
    "0006_changed",
    "0007_keys",
    "0008_metrics",
)
"""All migrations this version knows: a database that has had others is newer than this program."""
