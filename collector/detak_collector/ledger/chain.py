"""How records are chained: blocks of lines, each with a header that names the head of the block before it. Pure.

The head of a block is the SHA-256 of its header, so that it stands for that block and for all before it;
`docs/ledger.md` has the exact texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from detak_collector.ledger.plain import plain_line

MOST_RECORDS = 5_000
"""Of one block: what is read and digested at once."""

ENOUGH_RECORDS = 500
"""So many are worth a block; fewer wait for company, or for an hour to pass."""

LONGEST_WAIT_MS = 3_600_000
SHORT_BYTES = 8
"""Of each line's own digest, kept so that the record can be named and not only its block."""

_HEAD = re.compile(r"(?:(?P<number>[0-9]{1,16}):)?(?P<hex>[0-9a-f]{64})(?::(?P<after>[0-9]{1,16}))?")


@dataclass(frozen=True, slots=True)
class Head:
    """The state of a chain that ends with block `number`; of an empty one `number` is 0. `digest` has 32 bytes."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"


@dataclass(frozen=True, slots=True)
class GivenHead:
    """A head as somebody kept it, perhaps without its block's number."""

    digest: bytes
    number: int | None

    def __str__(self) -> str:
        return self.digest.hex() if self.number is None else f"{self.number}:{self.digest.hex()}"

    @classmethod
    def of(cls, words: str) -> Self:
        """`NUMBER:HEX`, `HEX:NUMBER` or `HEX`; raises ValueError with what is expected."""
        match = _HEAD.fullmatch(words.strip().lower())
        if match is None or (match["number"] and match["after"]):
            raise ValueError("expected NUMBER:HEX as a report or a mail has it, or the 64 digits of HEX alone")
        number = match["number"] or match["after"]
        return cls(bytes.fromhex(match["hex"]), None if number is None else int(number))


@dataclass(frozen=True, slots=True)
class Block:
    """What is kept of a block. It covers the facts up to sequence `facts` and the entries up to number `entries`.

    `digest` is that of its lines, `shorts` the first bytes of each line's own, one after another.
    """

    number: int
    facts: int
    entries: int
    records: int
    recorded_utc: int
    digest: bytes
    head: bytes
    shorts: bytes


@dataclass(frozen=True, slots=True)
class Reach:
    """Up to where a chain covers facts and entries."""

    facts: int
    entries: int


def identity_line(collector: str) -> bytes:
    """What the chain of a collector begins with."""
    return plain_line({"collector": collector})


def genesis(collector: str) -> Head:
    """The head of a chain that has no block yet."""
    return Head(0, sha256(identity_line(collector) + b"\n").digest())


def header_of(block: Block, previous: bytes) -> bytes:
    """The header, without an end of line."""
    return plain_line(
        {
            "block": block.number,
            "digest": block.digest.hex(),
            "entries": block.entries,
            "facts": block.facts,
            "previous": previous.hex(),
            "records": block.records,
            "recorded_utc": block.recorded_utc,
        }
    )


def head_of(block: Block, previous: bytes) -> bytes:
    """What the head after this block has to be."""
    return sha256(header_of(block, previous) + b"\n").digest()


def digest_of(lines: Iterable[bytes]) -> bytes:
    """SHA-256 over all lines, each with its end of line."""
    digest = sha256()
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return digest.digest()


def short_of(line: bytes) -> bytes:
    """The first bytes of a line's own digest, its end of line included."""
    return sha256(line + b"\n").digest()[:SHORT_BYTES]


def shorts_of(block: Block) -> Iterator[bytes]:
    """The short digests of a block, in order."""
    return (block.shorts[at : at + SHORT_BYTES] for at in range(0, len(block.shorts), SHORT_BYTES))


def following(previous: Head, lines: Sequence[bytes], reach: Reach, now_utc: int) -> Block:
    """The next block."""
    shorts = b"".join(map(short_of, lines))
    bare = Block(
        previous.number + 1, reach.facts, reach.entries, len(lines), now_utc, digest_of(lines), b"", shorts
    )  # fmt: skip
    head = head_of(bare, previous.digest)
    return Block(
        bare.number, bare.facts, bare.entries, bare.records, bare.recorded_utc, bare.digest, head, bare.shorts
    )  # fmt: skip


def is_due(records: int, entries: int, last_utc: int | None, now_utc: int) -> bool:
    """Whether what waits is to be chained now: what people entered at once, evidence in company or after an hour.

    A header takes as much room as ten records, and of a few nodes one or two records come each minute.
    """
    if entries or records >= ENOUGH_RECORDS:
        return True
    return records > 0 and (last_utc is None or not 0 <= now_utc - last_utc < LONGEST_WAIT_MS)
