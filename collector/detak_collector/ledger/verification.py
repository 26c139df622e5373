"""Whether a chain holds: block after block, and in the end against a head that somebody kept. Pure.

It is fed in order, stops at the first fault and names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from detak_collector.ledger.chain import (
    SHORT_BYTES,
    Block,
    GivenHead,
    Head,
    digest_of,
    genesis,
    head_of,
    short_of,
    shorts_of,
)
from detak_collector.ledger.disposal import Disposals, Left, entries_among
from detak_collector.ledger.plain import named


class Wrong(StrEnum):
    """What is wrong."""

    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    ORDER = "out of order"
    CUT = "cut off"
    REWRITTEN = "rewritten"
    DISPOSED = "disposed of"
    """But not as the chain tells of it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad thing. `text` says which record or block and what of it, for people."""

    wrong: Wrong
    block: int
    text: str


class Verification:
    """One pass over the chain of a collector."""

    def __init__(self, collector: str, given: GivenHead | None = None) -> None:
        self.head: Head = genesis(collector)
        """As far as it has come: every head is computed, none is taken from the store."""
        self.records = 0
        self.gone = 0
        """Of these, how many were disposed of, as `disposals` tells."""
        self.disposals = Disposals(collector)
        self._entries = 0
        self._given = given
        self._met = given is None or (given.digest == self.head.digest and given.number in {None, 0})

    def take(self, block: Block, lines: Sequence[bytes] | None, left: Left | None = None) -> Fault | None:
        """The next block, with the lines that it covers now, or without where only its header is to be looked at.

        `left` is what has to be there where some of its records were disposed of, or are about to be.
        """
        fault = self._misplaced(block) or self._of_lines(block, lines, left)
        if fault is not None:
            return fault
        entries, self._entries = self._entries, block.entries
        self.head = Head(block.number, head_of(block, self.head.digest))
        self.records += block.records
        if left is not None:
            is_less = lines is not None and len(lines) != block.records
            self.disposals.take_left(left, is_less=is_less)
            if lines is not None and is_less:
                self.gone += block.records - len(lines)
                if entries_among(lines) != block.entries - entries:
                    return Fault(Wrong.MISSING, block.number, f"block {block.number}: an entry of it is missing")
        wrong = None if lines is None else self.disposals.take_lines(lines, block.number)
        if wrong is not None:
            return Fault(Wrong.DISPOSED, block.number, wrong)
        return self._against_given()

    def _of_lines(self, block: Block, lines: Sequence[bytes] | None, left: Left | None) -> Fault | None:
        computed = head_of(block, self.head.digest)
        actual = None if lines is None else digest_of(lines)
        if left is not None and lines is not None and actual != block.digest and computed == block.head:
            return _of_left(block, lines, left, actual)
        if actual is not None and actual != block.digest and lines is not None:
            return _of_records(block, lines, actual, computed, self.head)
        if computed != block.head:
            return Fault(
                Wrong.ALTERED, block.number, f"block {block.number} itself: its header or its head was altered"
            )
        if lines is not None and (len(lines) != block.records or block.shorts != b"".join(map(short_of, lines))):
            what = "the short digests of its records were altered, the records are as they were"
            return Fault(Wrong.ALTERED, block.number, f"block {block.number} itself: {what}")
        return None

    def ended(self) -> Fault | None:
        """What is wrong once all blocks were taken: the chain ends too early, or never had the given head."""
        untold = self.disposals.untold()
        if untold is not None:
            text = f"block {untold.number}: it has less records than its header says, and no entry tells of a disposal"
            return Fault(Wrong.DISPOSED, untold.number, text)
        if self._met or self._given is None:
            return None
        given, number = self._given, self._given.number
        if number is not None and number > self.head.number:
            gone = f"blocks {self.head.number + 1} to {number}" if number > self.head.number + 1 else f"block {number}"
            text = f"{gone}: cut off, the chain ends with {self.head}, and the head given is that of block {number}"
            return Fault(Wrong.CUT, number, text)
        text = f"no block of this chain has the head given, {given}: it was cut off before it, or rewritten"
        return Fault(Wrong.REWRITTEN, self.head.number, text)

    def _misplaced(self, block: Block) -> Fault | None:
        """Blocks are numbered one after another."""
        expected = self.head.number + 1
        if block.number == expected:
            return None
        if block.number < expected:
            return Fault(Wrong.ADDED, block.number, f"block {block.number}: no block has this number")
        which = f"block {expected}" if block.number == expected + 1 else f"blocks {expected} to {block.number - 1}"
        return Fault(Wrong.MISSING, expected, f"{which}: missing, block {block.number} is there")

    def _against_given(self) -> Fault | None:
        given = self._given
        if given is None:
            return None
        if given.number is None:
            self._met = self._met or self.head.digest == given.digest
        elif given.number == self.head.number:
            if self.head.digest != given.digest:
                text = f"block {given.number}: its head is {self.head.digest.hex()}, not the one given"
                why = "the chain was rewritten in this block or before it, or the head is of another collector"
                return Fault(Wrong.REWRITTEN, given.number, f"{text}: {why}")
            self._met = True
        return None


def _of_left(block: Block, lines: Sequence[bytes], left: Left, actual: bytes | None) -> Fault | None:
    """What is wrong with the lines that a disposal left of a block."""
    if actual == left.digest and len(lines) == left.records:
        if not block.shorts and left.shorts == b"".join(map(short_of, lines)):
            return None
        text = f"block {block.number} itself: the short digests of what a disposal left of it were altered"
        return Fault(Wrong.ALTERED, block.number, text)
    kept = [left.shorts[at : at + SHORT_BYTES] for at in range(0, len(left.shorts), SHORT_BYTES)]
    found = [short_of(line) for line in lines]
    if kept == found:
        text = f"block {block.number} itself: the digest of what a disposal left of it was altered"
        return Fault(Wrong.ALTERED, block.number, text)
    wrong, at = difference(kept, found)
    return Fault(wrong, block.number, f"{_which(wrong, at, lines)}: {wrong}, in block {block.number}")


def _of_records(block: Block, lines: Sequence[bytes], actual: bytes, computed: bytes, before: Head) -> Fault:
    """The lines are not those of the block's digest: which of them is not, or was it the digest that was altered."""
    whole = Block(
        block.number, block.facts, block.entries, block.records, block.recorded_utc, actual, block.head, block.shorts
    )  # fmt: skip
    if head_of(whole, before.digest) == block.head:
        return Fault(Wrong.ALTERED, block.number, f"block {block.number} itself: its digest was altered")
    if computed != block.head:
        what = "its header was altered, or blocks were exchanged: the records it covers are not those of its digest"
        return Fault(Wrong.ALTERED, block.number, f"block {block.number} itself: {what}")
    wrong, at = difference(list(shorts_of(block)), [short_of(line) for line in lines])
    return Fault(wrong, block.number, f"{_which(wrong, at, lines)}: {wrong}, in block {block.number}")


def _which(wrong: Wrong, at: int, lines: Sequence[bytes]) -> str:
    if wrong is not Wrong.MISSING and at < len(lines):
        return named(lines[at])
    neighbours = [
        *([f"after {named(lines[at - 1])}"] if 0 < at <= len(lines) else []),
        *([f"before {named(lines[at])}"] if at < len(lines) else []),
    ]
    return ", ".join([f"record {at + 1}", *neighbours])


def difference(kept: Sequence[bytes], found: Sequence[bytes]) -> tuple[Wrong, int]:
    """What is wrong with the first record that is not as it was kept, and which it is, from 0.

    Where both are equal it is the block that was tampered with so that they are: it counts as its first record.
    """
    at = next((at for at, (one, other) in enumerate(zip(kept, found, strict=False)) if one != other), None)
    if at is None:
        if len(kept) == len(found):
            return Wrong.ALTERED, 0
        return (Wrong.MISSING if len(found) < len(kept) else Wrong.ADDED), min(len(kept), len(found))
    was, now = set(kept[at:]), set(found[at:])
    if found[at] in was:
        return (Wrong.ORDER if kept[at] in now else Wrong.MISSING), at
    return (Wrong.ADDED if kept[at] in now else Wrong.ALTERED), at
