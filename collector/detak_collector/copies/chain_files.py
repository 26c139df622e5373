"""Writes the chain into files, for whoever checks it with no program of ours: `docs/ledger.md` has the commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from detak_collector.ledger.chain import Head, genesis, header_of, identity_line
from detak_collector.ledger.disposal import left_line
from detak_collector.store.ledger import Chained

IDENTITY = "collector.json"
BLOCKS = "blocks.ndjson"
DISPOSED_BLOCKS = "disposed.ndjson"
RECORDS = "records"


def write_chain(folder: Path, collector: str, chain: Iterable[Chained], step: Callable[[], None]) -> Head:
    """Makes the folder, which must not exist, and tells the head of what was written; `step` after each block.

    `collector.json` is what the chain begins with, `blocks.ndjson` has each block's header, `records/N.ndjson` the
    lines of block N, and `disposed.ndjson` what has to be there of each block that was disposed of. All is written as
    it is found: whether it is sound is told by who checks it. Raises OSError.
    """
    folder.mkdir(parents=True)
    records = folder / RECORDS
    records.mkdir()
    (folder / IDENTITY).write_bytes(identity_line(collector) + b"\n")
    head = genesis(collector)
    with (folder / BLOCKS).open("xb") as headers, (folder / DISPOSED_BLOCKS).open("xb") as disposed:
        for one in chain:
            assert one.lines is not None
            headers.write(header_of(one.block, head.digest) + b"\n")
            (records / f"{one.block.number}.ndjson").write_bytes(b"".join(line + b"\n" for line in one.lines))
            if one.left is not None:
                disposed.write(left_line(one.left) + b"\n")
            head = Head(one.block.number, one.block.head)
            step()
    return head
