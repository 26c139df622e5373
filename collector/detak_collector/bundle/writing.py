"""Makes a packed bundle from a store: of a period, as of a moment.

The same period as of the same moment gives the same bytes: nothing of the making is in it. What the bundle says was
derived, was derived from the very facts that go into it.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from io import BytesIO

from detak_collector.bundle.chained import Needed, chain_files
from detak_collector.bundle.codec import plain
from detak_collector.bundle.deriving import result_text
from detak_collector.bundle.manifest import (
    CORRECTIONS,
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    NUMBERING,
    RESULT,
    SERVICES,
    Cell,
    Corrections,
    Manifest,
    Merged,
    Numbered,
    Numbering,
)
from detak_collector.bundle.months import lines_of
from detak_collector.bundle.package import PACKED_BYTES, PACKED_FILES
from detak_collector.bundle.zones import rules_here, zones_of
from detak_collector.catalogue.texts import Texts
from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.calendars import refuse_unknown
from detak_collector.downtime.derive import Result, cells_of, derive_months, evidence_cells, put_together
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import Period
from detak_collector.ledger.chain import MOST_RECORDS
from detak_collector.ledger.plain import plain_line
from detak_collector.report.numbers import moment_of
from detak_collector.rules import checks_by_service
from detak_collector.store.ledger import SqlLedger
from detak_collector.store.parts import Store
from detak_collector.stored_months import View

LEVEL = 6
"""Of compression; the bytes depend on it."""

Step = Callable[[], None]
Complete = Callable[[Result], Result]
"""Adds the numbers of outages, the incidents and the published figures to what was derived."""


class TooLargeError(Exception):
    """More than whoever reads a bundle takes."""


@dataclass(slots=True)
class _Files:
    """The files so far; raises TooLargeError where they become too many."""

    content: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, name: str, content: bytes) -> None:
        self.content[name] = content
        self.size += len(content) + 2 * tarfile.BLOCKSIZE
        if self.size > PACKED_BYTES - 20 * tarfile.RECORDSIZE or len(self.content) >= PACKED_FILES:
            raise TooLargeError(
                f"the bundle would hold more than {PACKED_BYTES} bytes or {PACKED_FILES} files: bundle shorter periods"
            )

    def digests(self) -> dict[str, str]:
        return {name: sha256(one).hexdigest() for name, one in self.content.items()}


def months_in(view: View, period: Period) -> tuple[Interval, ...]:
    """The months that a bundle of the period will hold: so often `step` is called."""
    return cells_of(view.case(), period)


def packed(store: Store, view: View, texts: Texts, period: Period, complete: Complete, step: Step) -> bytes:
    """The bundle of a period, as the view of an earlier moment has it. `texts` say the view's catalogue.

    Raises TooLargeError, StoreError, ZoneError, JointLeaveUnknownError.
    """
    assert view.earlier, "of a moment gone by, so that it can be made again"
    files, needed = _Files(), Needed()
    refuse_unknown(view.rules.catalogue, cells_of(view.case(), period))
    months, result = _derived(view, period, files, needed, step)
    head = store.ledger.covering(view.moment.utc)
    # What people wrote of outages is in the chained entries: no figure rests on it, and a third party derives figures.
    result = replace(complete(result), ledger=str(head), stories={})
    for name, content in _said(view, texts, result, store).items():
        files.add(name, content)
    for name, content in chain_files(store.database, store.collector, head, needed):
        files.add(name, content)
    text, digests = result_text(result), files.digests()
    files.add(RESULT, text)
    manifest = Manifest(
        FORMAT, FORMAT_VERSION, store.collector, period.name, period.begin, period.end, view.moment.utc, RULE_VERSION,
        str(head), sha256(text).hexdigest(), months, digests, view.rules.version,
    )  # fmt: skip
    return _tar({MANIFEST: plain_line(plain(manifest)) + b"\n", **dict(sorted(files.content.items()))})


def chain_all(ledger: SqlLedger, now_utc: int) -> None:
    """Chains all that waits, however much, so that a head covers what goes into a bundle."""
    while True:
        block = ledger.append(now_utc)
        if block is None or block.records < MOST_RECORDS:
            return


def _derived(view: View, period: Period, files: _Files, needed: Needed, step: Step) -> tuple[tuple[Cell, ...], Result]:
    """Each month's facts as a file, and the result that they come to."""
    checks = frozenset[str]().union(*checks_by_service(view.rules).values())
    case, cells, found = view.case(), [], []
    for begin, end in cells_of(case, period):
        around = evidence_cells(case, (begin, end))
        facts = view.facts(around[0][0], around[-1][1], checks)
        view.refuse_disposed(facts, begin)
        cell = Cell(f"facts/{moment_of(begin, view.rules.zone):%Y-%m}.ndjson", begin, end)
        files.add(cell.file, b"".join(line + b"\n" for line in lines_of(facts)))
        needed.take(facts)
        (month,) = derive_months(view.case(facts), period, [cell.interval], beside=True)
        cells.append(cell)
        found.append(month.services)
        step()
    return tuple(cells), put_together(case, period, found)


def _said(view: View, texts: Texts, result: Result, store: Store) -> Mapping[str, bytes]:
    """What people entered, and by what it is read."""
    drills = sorted(view.rules.drills & {one.id for one in view.rules.exclusions})
    corrections = Corrections(view.rules.exclusions, view.rules.declarations, tuple(drills))
    rulings = tuple(one for one in store.outages.rulings() if one.ruled_at <= view.moment.utc)
    numbers = sorted((*key, number) for key, number in result.numbers.items() if number is not None)
    numbering = Numbering(
        tuple(Numbered(*one) for one in numbers), rulings, _merged(store, rulings), result.published
    )  # fmt: skip
    tables = {f"tables/{name}": text.encode() for name, text in texts.files.items() if name != SERVICES}
    zones = rules_here(zones_of(view.rules.catalogue))
    return {
        SERVICES: texts.files[SERVICES].encode(),
        **tables,
        **{f"zones/{name}": rules for name, rules in zones.items()},
        CORRECTIONS: plain_line(plain(corrections)) + b"\n",
        NUMBERING: plain_line(plain(numbering)) + b"\n",
    }


def _merged(store: Store, rulings: Iterable[Ruling]) -> tuple[Merged, ...]:
    """What became of the outages that were ruled on, and of what they became."""
    into, found = store.outages.merged(), dict[int, int]()
    for number in (one for ruling in rulings for one in ruling.outages):
        now = number
        while now in into and now not in found:
            found[now] = into[now]
            now = into[now]
    return tuple(Merged(*one) for one in sorted(found.items()))


def _tar(files: Mapping[str, bytes]) -> bytes:
    made = BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=made, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, BytesIO(content))
    return made.getvalue()
