"""What other collectors have changed in a database that several share, so that what one remembers stays true.

It is asked within a writing transaction, of which there is one at a time: nothing changes between the answer and what
is written upon it. A row's `xmin` names the transaction that wrote it last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detak_collector.store import runs as run_rows
from detak_collector.store.batch import RunKey
from detak_collector.store.database import Connection
from detak_collector.store.runs import KnownRun
from detak_collector.store.texts import Texts

_FACTS = ("run", "span", "exchange", "gap", "conflict")
_SEQUENCES = ", ".join(f"(SELECT max(sequence) FROM {table})" for table in _FACTS)  # noqa: S608 - of constants
_TIMES = ", ".join(
    f"(SELECT recorded_utc FROM {table} ORDER BY sequence DESC LIMIT 1)"  # noqa: S608 - of constants
    for table in _FACTS
)
_LATEST = f"""
    SELECT greatest(0, {_SEQUENCES}, (SELECT max(changed) FROM open_spans)),
        greatest(0, {_TIMES}, (SELECT to_utc FROM unheard ORDER BY id DESC LIMIT 1),
            (SELECT stopped_utc FROM open_spans ORDER BY changed DESC LIMIT 1)),
        pg_current_xact_id()::text::bigint
"""  # noqa: S608 - of constants
_WRITERS = "SELECT run, xmin::text::bigint FROM reach WHERE run = ANY(?)"
_NAMED = "WHERE (run.node, run.run) IN (SELECT * FROM unnest(?::bigint[], ?::text[]))"
_TRANSACTION_IDS = 2**32
"""`xmin` is the end of a transaction's number."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The greatest number of any fact, when the latest was recorded, and the number of this transaction."""

    sequence: int
    recorded_utc: int
    writer: int


class Sharing:
    """Remembers which transaction each run that a collector has in memory was last written by."""

    def __init__(self, connection: Connection, texts: Texts) -> None:
        self._connection = connection
        self._texts = texts
        self._lives = connection.lives
        self._writers: dict[int, int] = {}

    def is_another_life(self) -> bool:
        """Whether the connection was made anew since this was last asked: perhaps to a server that knows less."""
        before, self._lives = self._lives, self._connection.lives
        if before != self._lives:
            self._writers.clear()
        return before != self._lives

    def latest(self) -> Latest:
        """How far the facts go."""
        sequence, recorded_utc, writer = self._connection.execute(_LATEST).fetchone()
        return Latest(sequence, recorded_utc, writer % _TRANSACTION_IDS)

    def changed(self, keys: Iterable[RunKey], live: Mapping[RunKey, KnownRun]) -> dict[RunKey, KnownRun]:
        """Those of the runs that are not in `live`, or that somebody else has written since, as they are now."""
        missing, sequences = [], []
        for key in keys:
            if (known := live.get(key)) is None:
                missing.append(key)
            else:
                sequences.append(known.sequence)
        found: dict[int, int] = dict(self._connection.execute(_WRITERS, (sequences,))) if sequences else {}
        others = [run for run, writer in found.items() if self._writers.get(run) != writer]
        self._writers.update(found)
        changed = self._read("WHERE run.sequence = ANY(?)", others) if others else {}
        if missing:
            nodes, runs = zip(*missing, strict=True)
            changed |= self._read(_NAMED, list(nodes), list(runs))
        return changed

    def of_node(self, node: int) -> dict[RunKey, KnownRun]:
        """The node's runs that may still grow."""
        return self._read(f"WHERE run.node = ? AND ({run_rows.LIVE})", node)

    def wrote(self, runs: Iterable[KnownRun], writer: int) -> None:
        """These runs were written by a transaction that was committed."""
        self._writers.update((run.sequence, writer) for run in runs)

    def forget(self, live: Mapping[RunKey, KnownRun]) -> None:
        """Of all but these runs nothing is remembered any more."""
        kept = {run.sequence for run in live.values()}
        self._writers = {run: writer for run, writer in self._writers.items() if run in kept}

    def _read(self, where: str, *values: object) -> dict[RunKey, KnownRun]:
        found = run_rows.load(self._connection, self._texts, where, values)
        return {(run.node, run.run): run for run in found}
