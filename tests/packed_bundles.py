"""Packed bundles made from stores and taken apart: what the store's own figure says, and forgeries of any file."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from detak_collector.bundle.deriving import contents_of, result_of, result_text
from detak_collector.bundle.manifest import MANIFEST, RESULT
from detak_collector.bundle.package import open_package
from detak_collector.bundle.writing import chain_all, packed
from detak_collector.catalogue.texts import SERVICES, Texts
from detak_collector.clocks import Reading
from detak_collector.decisions.log import DecisionLog
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.records import Records
from detak_collector.rules import Rules
from detak_collector.store.parts import Store
from detak_collector.stored_months import View


def bundled(store: Store, services: str, period: Period, now: Reading, as_of: int | None = None) -> bytes:
    """The bundle that a store gives at `now`, as of that moment or an earlier one."""
    texts = Texts({SERVICES: services})
    chain_all(store.ledger, now.utc)
    rules = DecisionLog(store).over(Rules(texts.parse()), now.utc)
    view = View(store.evidence, rules, now).as_of(now.utc if as_of is None else as_of)
    records = Records(store.outages, store.history)
    return packed(store, view, texts, period, lambda result: records.complete(result, now), lambda: None)


def official(store: Store, services: str, period: Period, now: Reading) -> bytes:
    """The store's own figure as of now, as a bundle has it."""
    rules = Rules(Texts({SERVICES: services}).parse())
    records = Records(store.outages, store.history)
    figures = Figures(store.evidence, store.derived, store.registry, lambda: rules, lambda: now, records)
    result = figures.report(period, now.utc)
    return result_text(replace(result, ledger=str(store.ledger.covering(now.utc))))


def recomputed(path: Path) -> bytes:
    """What the engine makes of a bundle."""
    with contents_of(open_package(path)) as contents:
        return result_text(result_of(contents))


def files_of(content: bytes) -> dict[str, bytes]:
    """A bundle's files in its order."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


def put_together(files: Mapping[str, bytes]) -> bytes:
    """An archive of files, as a forger would make it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def forged(content: bytes, change: Callable[[dict[str, bytes]], None], **manifest: Any) -> bytes:
    """The bundle with files changed, and a manifest that agrees with them: what a careful forger makes."""
    files = files_of(content)
    change(files)
    told = {**json.loads(files[MANIFEST]), **manifest}
    told["files"] = {name: sha256(one).hexdigest() for name, one in files.items() if name not in {MANIFEST, RESULT}}
    told["result"] = sha256(files[RESULT]).hexdigest()
    files[MANIFEST] = json.dumps(told).encode()
    return put_together(files)
