"""The chained records that a bundle carries: whether the chain holds, and which line stands behind which fact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from sys import intern
from typing import Any, NamedTuple

from detak_collector.bundle.codec import MOST_INT, MisfitError
from detak_collector.bundle.manifest import BLOCKS, DISPOSED_BLOCKS, IDENTITY
from detak_collector.bundle.months import decoded
from detak_collector.bundle.package import BundleError, Package
from detak_collector.ledger.chain import Block, GivenHead, head_of, identity_line, short_of
from detak_collector.ledger.disposal import Left
from detak_collector.ledger.plain import RECORD, plain_line
from detak_collector.ledger.verification import Fault, Verification, Wrong

RunKey = tuple[str, str]
"""Node and run."""

SpanKey = tuple[str, str, int]
"""Node, run, number."""


class Recorded(NamedTuple):
    """A closed span's line, and what of it is looked for. A year has a million: whatever else is read from the line."""

    check: str
    recorded_utc: int | None
    line: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The record as its line says it."""
        told: dict[str, Any] = json.loads(self.line)
        return told


@dataclass(slots=True)
class Records:
    """Every record of the bundle by what it is about, as its line says it."""

    runs: dict[RunKey, dict[str, Any]] = field(default_factory=dict)
    spans: dict[SpanKey, Recorded] = field(default_factory=dict)
    exchanges: dict[RunKey, set[tuple[Any, ...]]] = field(default_factory=dict)
    conflicts: set[SpanKey] = field(default_factory=set)
    numbers: dict[RunKey, list[tuple[int, int]]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def take(self, line: bytes, place: str) -> None:
        """One line; raises MisfitError."""
        told = decoded(line, place)
        node, run, number = told.get("node"), told.get("run"), told.get("number")
        if isinstance(node, str) and isinstance(run, str) and type(number) is int:
            self.numbers.setdefault((node, run), []).append(_numbers(told, number))
        match told.get(RECORD), node, run, number:
            case "entry", _, _, _:
                self.entries.append(told)
            case "run", str(), str(), _:
                self.runs[node, run] = told
            case "span", str(), str(), int():
                recorded = told.get("recorded_utc")
                kept = Recorded(intern(str(told.get("check"))), recorded if isinstance(recorded, int) else None, line)
                self.spans[intern(node), intern(run), number] = kept
            case "exchange", str(), str(), _:
                times = (told.get(name) for name in ("sent_agent", "arrived_utc", "answered_utc", "received_agent"))
                self.exchanges.setdefault((node, run), set()).add(tuple(times))
            case "conflict", str(), str(), int():
                self.conflicts.add((node, run, number))
            case "gap", _, _, _:
                pass
            case _:
                raise MisfitError(f"{place}: no record that a ledger has")


def _numbers(told: dict[str, Any], number: int) -> tuple[int, int]:
    """The numbers of a run that a record accounts for, as half-open bounds: its own, or those that a gap stands for."""
    first, last = told.get("first_number", number), told.get("last_number", number)
    return (first, last + 1) if type(first) is int and type(last) is int else (number, number + 1)


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found of a chain that holds: its head, how many blocks came with records, and these."""

    head: str
    blocks: int
    carried: int
    records: Records


def followed(package: Package, given: GivenHead | None) -> Chain | Fault:
    """The chain from its beginning to the head of the bundle, and by a head that somebody kept; or its first fault.

    Raises BundleError where its files cannot be read at all.
    """
    told, carried = package.manifest, package.under("ledger/records")
    if package.content(IDENTITY) != identity_line(told.collector) + b"\n":
        return Fault(Wrong.ALTERED, 0, f"{IDENTITY}: not the collector that bundle.json names")
    verification, records, number = Verification(told.collector, given), Records(), 0
    left = _left(package)
    for number, header in enumerate(_headers(package), start=1):
        content = carried.pop(f"{number}.ndjson", None)
        fault = _taken(verification, header, content, left.pop(number, None), records)
        if fault is not None:
            return fault
    if carried or left:
        name = f"ledger/records/{min(carried)}" if carried else f"{DISPOSED_BLOCKS}, block {min(left)}"
        return Fault(Wrong.ADDED, number, f"{name}: no block of the chain")
    if str(verification.head) != told.ledger:
        return Fault(Wrong.CUT, number, f"the chain ends with {verification.head}, the figure names {told.ledger}")
    fault = verification.ended()
    return fault or Chain(str(verification.head), number, len(package.under("ledger/records")), records)


def _taken(
    verification: Verification, header: dict[str, Any], content: bytes | None, left: Left | None, records: Records
) -> Fault | None:
    number, before = header["block"], verification.head
    if header["previous"] != before.digest.hex():
        return Fault(Wrong.REWRITTEN, number, f"block {number}: it does not name the head before it, {before}")
    lines = None if content is None else content.split(b"\n")[:-1]
    bare = Block(
        number, header["facts"], header["entries"], header["records"], header["recorded_utc"],
        bytes.fromhex(header["digest"]), b"", b"",
    )  # fmt: skip
    digests = {bare.digest, bare.digest if left is None else left.digest}
    if content is not None and sha256(content).digest() not in digests:
        return Fault(Wrong.ALTERED, number, f"ledger/records/{number}.ndjson: its lines are not those of its header")
    shorts = b"" if lines is None else b"".join(map(short_of, lines))
    if left is not None and content is not None and sha256(content).digest() != bare.digest:
        left, shorts = replace(left, shorts=shorts), b""
    head = head_of(bare, before.digest)
    block = Block(
        bare.number, bare.facts, bare.entries, bare.records, bare.recorded_utc, bare.digest, head, shorts
    )  # fmt: skip
    fault = verification.take(block, lines, left)
    for at, line in enumerate(lines or (), start=1):
        try:
            records.take(line, f"ledger/records/{number}.ndjson:{at}")
        except MisfitError as error:
            return Fault(Wrong.ALTERED, number, str(error))
    return fault


def _left(package: Package) -> dict[int, Left]:
    """What disposals leave of blocks, by number; raises BundleError."""
    found: dict[int, Left] = {}
    lines = package.files.get(DISPOSED_BLOCKS, b"").split(b"\n")[:-1]
    for at, line in enumerate(lines, start=1):
        place = f"{package.path}: {DISPOSED_BLOCKS}:{at}"
        try:
            told = decoded(line, place)
        except MisfitError as error:
            raise BundleError(str(error)) from None
        match told:
            case {"block": int(number), "records": int(records), "disposal": str(disposal), "digest": digest} if (
                _is_digest(digest) and number not in found
            ):
                found[number] = Left(number, disposal, records, bytes.fromhex(digest), b"")
            case _:
                raise BundleError(f"{place}: not what a disposal leaves of a block")
    return found


def _headers(package: Package) -> Iterator[dict[str, Any]]:
    *lines, rest = package.content(BLOCKS).split(b"\n")
    if rest:
        raise BundleError(f"{package.path}: {BLOCKS}: does not end with the end of a line")
    for number, line in enumerate(lines, start=1):
        place = f"{package.path}: {BLOCKS}:{number}"
        try:
            told = decoded(line, place)
        except MisfitError as error:
            raise BundleError(str(error)) from None
        if not _is_header(told) or plain_line(told) != line:
            raise BundleError(f"{place}: not the header of a block")
        yield told


def _is_header(told: dict[str, Any]) -> bool:
    numbers, digests = ("block", "entries", "facts", "records", "recorded_utc"), ("digest", "previous")
    return (
        told.keys() == {*numbers, *digests}
        and all(type(told[name]) is int and abs(told[name]) <= MOST_INT for name in numbers)
        and all(_is_digest(told[name]) for name in digests)
    )


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def shown(line: bytes) -> str:
    """A record's line for people: what a terminal could take for a command is escaped."""
    return json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
