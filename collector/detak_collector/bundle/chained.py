"""Which blocks of the chain a bundle needs: those with a record that its facts rest on, and those with any entry.

Of all other blocks up to the head the header alone goes along, so that the chain can be followed from its beginning.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from detak_collector.bundle.manifest import BLOCKS, DISPOSED_BLOCKS, IDENTITY
from detak_collector.downtime.facts import Facts, Run
from detak_collector.errors import UNFINISHED, EvidenceDisposedError
from detak_collector.ledger.chain import Block, Head, Reach, genesis, header_of, identity_line
from detak_collector.ledger.disposal import left_line
from detak_collector.pair.entry import DISPOSED
from detak_collector.store.database import Connection, Database
from detak_collector.store.disposed import left_between
from detak_collector.store.ledger import NOTHING, headers
from detak_collector.store.ledger_rows import covered_lines

NOWHERE = (2**62, -(2**62))
Bounds = tuple[int, int]


@dataclass(slots=True)
class _Of:
    """The bounds of what is used of one run: numbers of closed spans, and agent times of exchanges."""

    spans: Bounds = NOWHERE
    exchanges: Bounds = NOWHERE


@dataclass(slots=True)
class Needed:
    """Takes facts one month after another, and keeps only from where to where each run is used."""

    _runs: dict[tuple[str, str], _Of] = field(default_factory=dict)

    def take(self, facts: Facts) -> None:
        """More facts."""
        for node in facts.nodes.values():
            for run in node.runs:
                self._take(self._runs.setdefault((node.name, run.run), _Of()), run)

    def sequences(self, connection: Connection) -> Iterator[int]:
        """The sequence of every record that is used, and of some beside them."""
        for (node, run), of in self._runs.items():
            query = "SELECT run.sequence FROM run JOIN node ON node.id = run.node WHERE node.name = ? AND run.run = ?"
            for (sequence,) in list(connection.execute(query, (node, run))):
                yield sequence
                yield from _sequences(connection, "span", "number", sequence, of.spans)
                yield from _sequences(connection, "exchange", "number", sequence, of.spans)
                yield from _sequences(connection, "exchange", "sent_agent", sequence, of.exchanges)
                for table in ("gap", "conflict"):
                    yield from _sequences(connection, table, "number", sequence, (-(2**53), 2**53))

    @staticmethod
    def _take(of: _Of, run: Run) -> None:
        of.spans = _around(of.spans, [at for one in run.spans if one.closed for at in (one.number, one.last)])
        of.exchanges = _around(of.exchanges, [one.sent for one in run.exchanges])


def _around(bounds: Bounds, found: list[int]) -> Bounds:
    return min([bounds[0], *found]), max([bounds[1], *found])


def _sequences(connection: Connection, table: str, column: str, run: int, bounds: Bounds) -> Iterator[int]:
    if bounds[0] <= bounds[1]:
        query = f"SELECT sequence FROM {table} WHERE run = ? AND {column} BETWEEN ? AND ?"  # noqa: S608 - of constants
        for (sequence,) in connection.execute(query, (run, *bounds)):
            yield sequence


def chain_files(database: Database, collector: str, head: Head, needed: Needed) -> Iterator[tuple[str, bytes]]:
    """The chain up to the head as files by name, as `ledger export` writes it: records of the needed blocks alone."""
    yield IDENTITY, identity_line(collector) + b"\n"
    with database.reading() as connection:
        blocks = [one for one in headers(connection) if one.number <= head.number]
        yield BLOCKS, b"".join(_headers(collector, blocks))
        yield from _disposed(connection, blocks)
        wanted = _wanted(blocks, needed.sequences(connection))
        for at, block in enumerate(blocks):
            if at in wanted:
                before = NOTHING if at == 0 else _reach(blocks[at - 1])
                lines = covered_lines(connection, before if at else None, _reach(block), block.records)
                yield f"ledger/records/{block.number}.ndjson", b"".join(line + b"\n" for line in lines)


def _disposed(connection: Connection, blocks: list[Block]) -> Iterator[tuple[str, bytes]]:
    """What disposals leave of the blocks; raises EvidenceDisposedError where no entry up to the head tells of them."""
    left = left_between(connection, blocks[0].number, blocks[-1].number) if blocks else {}
    if not left:
        return
    if connection.execute("SELECT 1 FROM disposed_block WHERE gone = 0 LIMIT 1").fetchone() is not None:
        raise EvidenceDisposedError(UNFINISHED)
    told = connection.execute("SELECT max(number) FROM entry WHERE kind = ?", (DISPOSED,)).fetchone()[0]
    if told is None or told > blocks[-1].entries:
        raise EvidenceDisposedError(
            "evidence was disposed of after that moment, and no chain up to then tells of it: leave --as-of out"
        )
    yield DISPOSED_BLOCKS, b"".join(left_line(left[number]) + b"\n" for number in sorted(left))


def _headers(collector: str, blocks: list[Block]) -> Iterator[bytes]:
    previous = genesis(collector).digest
    for one in blocks:
        yield header_of(one, previous) + b"\n"
        previous = one.head


def _wanted(blocks: list[Block], sequences: Iterator[int]) -> set[int]:
    """Places in `blocks`: of each sequence the first block that reaches it, and every block with entries."""
    reached = [one.facts for one in blocks]
    wanted = {bisect_left(reached, one) for one in sequences}
    before = 0
    for at, one in enumerate(blocks):
        if one.entries > before:
            wanted.add(at)
        before = one.entries
    return wanted


def _reach(block: Block) -> Reach:
    return Reach(block.facts, block.entries)
