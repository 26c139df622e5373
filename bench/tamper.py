"""Does the ledger notice whatever is done to it? `make tamper` alters a real store in 10,000 ways, one at a time.

The store is a season of two nodes, taken in and chained as a collector does. One head of it was mailed; whoever tampers
has the whole database and the program. Each time the file is made anew, one thing is done to it, and it is verified
against that head. Then verification is weakened in several ways, and each time something has to pass unseen.
"""

from __future__ import annotations

import argparse
import platform
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from detak_collector.ledger.chain import Block, GivenHead, Head
from detak_collector.ledger.disposal import Left
from detak_collector.ledger.verification import Fault, Verification
from detak_collector.store.ledger import SqlLedger
from detak_collector.store.sqlite_database import SqliteDatabase
from tamper_store import Kept, made
from tamper_ways import WAYS, NothingDoneError, Way

UNTOUCHED = 100
PIECES = 20
SCRATCH = Path("/dev/shm")
WEAKENED_EDITS = 400


@dataclass(frozen=True, slots=True)
class Case:
    """The store as it was, and what was mailed of it."""

    kept: Kept
    path: Path

    @property
    def mailed(self) -> GivenHead:
        return GivenHead(self.kept.mailed.digest, self.kept.mailed.number)

    def fresh(self) -> None:
        """The file as it was before anybody tampered with it."""
        for ending in ("-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        self.path.write_bytes(self.kept.content)


Verify = Callable[[Case], bool]


def holds(case: Case) -> bool:
    """As `detak-collector verify --head` looks."""
    return _holds(case, Verification(case.kept.collector, case.mailed))


def _holds(case: Case, verification: Verification, *, reading: bool = True) -> bool:
    ledger = SqlLedger(SqliteDatabase(case.path), case.kept.collector)
    for one in ledger.blocks():
        if verification.take(one.block, one.lines if reading else None, one.left) is not None:
            return False
    return verification.ended() is None


def headers_alone(case: Case) -> bool:
    """Weakened: the records are not read."""
    return _holds(case, Verification(case.kept.collector, case.mailed), reading=False)


def without_head(case: Case) -> bool:
    """Weakened: nobody kept a head."""
    return _holds(case, Verification(case.kept.collector))


def with_number_alone(case: Case) -> bool:
    """Weakened: it is only looked whether there are as many blocks as then."""
    verification = Verification(case.kept.collector)
    return _holds(case, verification) and verification.head.number >= case.kept.mailed.number


class _Believing(Verification):
    """Believes the heads that stand in the blocks."""

    def take(self, block: Block, lines: Sequence[bytes] | None, left: Left | None = None) -> Fault | None:
        fault = super().take(block, lines, left)
        if fault is not None and fault.text.startswith(f"block {block.number} itself"):
            self.head = Head(block.number, block.head)
            return self._against_given()
        return fault


def believing(case: Case) -> bool:
    """Weakened: the heads that stand in the blocks are believed."""
    return _holds(case, _Believing(case.kept.collector, case.mailed))


WEAKENED: dict[str, Verify] = {
    "records not read": headers_alone,
    "no head kept": without_head,
    "blocks only counted": with_number_alone,
    "stored heads believed": believing,
}


def tampered(case: Case, way: Way, random: Random) -> str:
    """Does one thing to the file, and tells what; what the database refuses or what changes nothing is drawn anew."""
    while True:
        case.fresh()
        connection = sqlite3.connect(case.path, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("BEGIN")
            before = connection.total_changes
            what = way(connection, case.kept, random)
            changed = connection.total_changes != before
            connection.execute("COMMIT" if changed else "ROLLBACK")
            if changed:
                return what
        except (sqlite3.IntegrityError, NothingDoneError):
            continue
        finally:
            connection.close()


def drawn(case: Case, edits: int, seed: int) -> Iterator[tuple[str, str]]:
    """Kind and description of one tampering after another, each done to the file when it is told."""
    random = Random(seed)
    names = list(WAYS)
    for at in range(edits):
        name = names[at % len(names)]
        yield name, tampered(case, WAYS[name], random)


def attack(kept: Kept, edits: int, seed: int) -> tuple[Counter[str], list[str], float]:
    """How many of each kind were found, and what was not; and the seconds of processor that it took."""
    begun = time.process_time()
    with tempfile.TemporaryDirectory(dir=SCRATCH if SCRATCH.is_dir() else None) as folder:
        found, missed = _attacked(Case(kept, Path(folder) / "tampered.sqlite"), edits, seed)
    return found, missed, time.process_time() - begun


def _attacked(case: Case, edits: int, seed: int) -> tuple[Counter[str], list[str]]:
    found: Counter[str] = Counter()
    missed = []
    for name, what in drawn(case, edits, seed):
        if holds(case):
            missed.append(f"{name}: {what}")
        else:
            found[name] += 1
    return found, missed


def attacked_by_all(kept: Kept, edits: int, seed: int, jobs: int) -> tuple[Counter[str], list[str], float]:
    """The same, done by several processes at once."""
    found: Counter[str] = Counter()
    missed: list[str] = []
    seconds = 0.0
    shares = [edits // PIECES + (at < edits % PIECES) for at in range(PIECES)]
    with ProcessPoolExecutor(jobs) as pool:
        done = [pool.submit(attack, kept, share, seed * 1_000 + at) for at, share in enumerate(shares)]
        for one in done:
            fresh, unseen, took = one.result()
            found += fresh
            missed += unseen
            seconds += took
    return found, missed, seconds


def passes_unseen(case: Case, verify: Verify, edits: int, seed: int) -> int:
    """How much a weakened verification does not see."""
    return sum(verify(case) for _ in drawn(case, edits, seed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    begun = time.process_time()
    with tempfile.TemporaryDirectory(dir=SCRATCH if SCRATCH.is_dir() else None) as folder:
        case = Case(made(Path(folder)), Path(folder) / "tampered.sqlite")
        kept = case.kept
        print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
        print(f"{kept.records} records in {kept.blocks} blocks; mailed was the head of block {kept.mailed.number}\n")
        case.fresh()
        alarms = sum(not holds(case) for _ in range(UNTOUCHED))
        print(f"untouched: verified {UNTOUCHED} times, {alarms} false alarms")
        found, missed, seconds = attacked_by_all(kept, asked.edits, asked.seed, asked.jobs)
        for name in WAYS:
            lost = sum(one.startswith(f"{name}:") for one in missed)
            print(f"{name}: {found[name] + lost} done, {found[name]} found")
        for one in missed[:20]:
            print(f"NOT FOUND {one}")
        caught = 0
        for name, verify in WEAKENED.items():
            unseen = passes_unseen(case, verify, min(asked.edits, WEAKENED_EDITS), asked.seed + 1)
            caught += unseen > 0
            print(f"weakened, {name}: {unseen} of {min(asked.edits, WEAKENED_EDITS)} pass unseen")
    total = sum(found.values())
    print(f"{time.process_time() - begun + seconds:.0f} seconds of processor\n")
    print(f"tamper edits={total + len(missed)} found={total} false_alarms={alarms} weakened={caught}/{len(WEAKENED)}")
    return 0 if not missed and not alarms and caught == len(WEAKENED) else 1


if __name__ == "__main__":
    sys.exit(main())
