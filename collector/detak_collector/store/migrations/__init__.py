"""The schema's history, in order; a migration that was ever released is never edited."""

from __future__ import annotations

from sqlite_utils import Migrations

from detak_collector.store.migrations.m0001_evidence import create_evidence

MIGRATIONS = Migrations("detak")
MIGRATIONS(name="0001_evidence")(create_evidence)

NAMES = ("0001_evidence",)
"""All migrations this version knows: a database that has had others is newer than this program."""
