"""What a backup says of itself: `manifest.json`, the first member of the archive. Types only, and no input or output.

A backup is a gzipped tar: the manifest, the files that the collector is configured by, and last the store as one
SQLite file.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

FORMAT = 1
MANIFEST = "manifest.json"
STORE = "store/detak.sqlite"
FILES = "files/"
MOST_FILES = 1_000
MOST_FILE_BYTES = 16 * 1024 * 1024
"""Of the manifest, and of each file but the store."""

Place = Literal["store", "configuration", "beside", "elsewhere"]
"""The store; collector.toml itself; a file meant from its directory, at `path`; one at an absolute `path`."""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a backup. `owner` and `group` are names, to be given again where they exist."""

    name: str
    place: Place
    path: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str
    mode: int
    owner: str = ""
    group: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """All of it, the store first. `schema` are the migrations that it has had; `epoch` is that of its copy.

    `ledger` is the head of its chain, empty in backups of versions that had none.
    """

    format: int
    made_utc: int
    version: str
    collector: str
    epoch: int
    schema: list[str]
    members: Annotated[list[Member], msgspec.Meta(max_length=MOST_FILES)]
    ledger: str = ""
