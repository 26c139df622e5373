"""What two collectors say to each other, field by field: `docs/pair-protocol.md` describes it.

Times are integer milliseconds of UTC by the teller's clock, but for spans and `reach`, which are agent time.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from detak_collector.pair.entry import Entry, canonical
from detak_wire import limits
from detak_wire.messages import Count, Identity, Milliseconds, Name, Number, Part, StopReason, Utc

PAIR_PROTOCOL = 1
STREAM = 1_000
"""Rows of one kind in one answer at most."""
STALE = 2_000
"""Runs of which a request may ask whether the other one heard more."""
WANTED_RUNS = 100
WANTED_RECORDS = 2_000
MOST_DEPTH = 50
"""Of an entry's body: whoever reads it again, wherever that is, has room for it."""
FILE_PIECE = 524_288
"""Bytes of an attachment in one answer."""
ANSWER_BYTES = 64 * 1024 * 1024

Word = Annotated[str, Meta(max_length=64)]
Line = Annotated[str, Meta(max_length=2_000)]
Protocol = Annotated[int, Meta(ge=1, le=1_000)]
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]


class Told(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base: immutable, and an unknown field is refused with its path."""


class Pairing(Told, frozen=True):
    """A collector asks another one to be its pair, with a one-time token. `key` is what it wants to be shown."""

    protocol: Protocol
    token: Annotated[str, Meta(min_length=16, max_length=200)]
    collector: Identity
    url: Line
    key: Annotated[str, Meta(min_length=32, max_length=200)]
    authority: Annotated[str, Meta(max_length=100_000)] | None = None


class Paired(Told, frozen=True):
    """The answer; `key` is what the asker shows from now on."""

    collector: Identity
    key: str


class Marks(Told, frozen=True):
    """How far the asker has followed each stream, in the teller's numbers; 0 or less is the begin.

    They count for one copy of either store: `epoch` is the teller's, `own_epoch` the asker's. Where one is another
    by now, all are read anew.
    """

    epoch: Whole = -1
    own_epoch: Whole = -1
    entries: Count = 0
    watch: Count = 0
    unheard: Whole = -(2**53)
    kept_watch: Count = 0
    kept_unheard: Count = 0
    outages: Count = 0
    runs: Count = 0
    contradicted: Count = 0


class StaleRun(Told, frozen=True, array_like=True):
    """A run that may still grow and was not heard lately, and up to which agent time it is known to have ticked."""

    node: Name
    run: Identity
    reach: Annotated[int, Meta(ge=-1, le=limits.TIME_MS)]


class Ask(Told, frozen=True):
    """What is new? `runs_until`: runs that changed later may still be on their way from the agents themselves."""

    protocol: Protocol
    collector: Identity
    leads: bool
    services: Word
    marks: Marks
    runs_until: Count
    stale: Annotated[list[StaleRun], Meta(max_length=STALE)] = []


class EntryLine(Told, frozen=True):
    """One entry of the log, as `pair/entry.py` has it."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    kind: Word
    recorded_utc: Utc
    author: Annotated[str, Meta(max_length=500)]
    collector: Identity
    seen: Annotated[dict[Identity, Count], Meta(max_length=100)]
    body: Annotated[str, Meta(max_length=4_000_000)]


class WatchLine(Told, frozen=True, array_like=True):
    """A stretch of time in which a collector was there."""

    collector: Identity
    boot: Word
    from_utc: Utc
    to_utc: Utc
    ended: Word | None


class UnheardLine(Told, frozen=True, array_like=True):
    """From when a collector had heard a node last, 0 where never, until it heard it again."""

    collector: Identity
    node: Name
    from_utc: Utc
    to_utc: Utc


class OutageLine(Told, frozen=True, array_like=True):
    """One number of the register."""

    number: Number
    service: Annotated[str, Meta(max_length=500)]
    begin_utc: Utc
    end_utc: Utc
    running: bool
    merged_into: Number | None
    first_derived_utc: Utc


Range = tuple[Count, Count]


class RunLine(Told, frozen=True):
    """What of a run is held, closed: numbers from and to."""

    node: Name
    run: Identity
    held: list[Range]
    stopped: bool


class VersionLine(Told, frozen=True):
    """A version that contradicts the record of its number, alone in its part."""

    node: Name
    part: Part


class Answered(Told, frozen=True):
    """What is new, and the marks to ask with next. `more`: there is more at once.

    `silent` are all nodes that the teller did not hear in the last seconds, and when it had; `hears` are those of the
    asked that it does hear, `ahead` the runs of which it knows more. `last_change` numbers its latest run's change.
    """

    protocol: Protocol
    collector: Identity
    epoch: Whole
    now_utc: Utc
    leads: bool
    services: Word
    marks: Marks
    last_change: Count
    more: bool
    entries: list[EntryLine] = []
    watch: list[WatchLine] = []
    unheard: list[UnheardLine] = []
    outages: list[OutageLine] = []
    runs: list[RunLine] = []
    silent: dict[Name, Utc] = {}
    hears: dict[Name, Utc] = {}
    ahead: list[tuple[Name, Identity]] = []
    contradicted: list[VersionLine] = []


class WantedRun(Told, frozen=True):
    """Records of a run that the asker lacks; with `open` also what is open of it."""

    node: Name
    run: Identity
    ranges: Annotated[list[Range], Meta(max_length=limits.RANGES)] = []
    open: bool = False


class Wanted(Told, frozen=True):
    """The request for them."""

    protocol: Protocol
    runs: Annotated[list[WantedRun], Meta(max_length=WANTED_RUNS)]


class RunRecords(Told, frozen=True):
    """Records of one run, as its agent would send them."""

    node: Name
    part: Part
    stopped: StopReason | None = None
    stopped_agent: Milliseconds | None = None


class Records(Told, frozen=True):
    """The answer; what would not fit has to be asked for again."""

    runs: list[RunRecords]


class WantedFile(Told, frozen=True):
    """The request for a piece of an attachment, by the SHA-256 of the whole, from so many bytes on."""

    protocol: Protocol
    digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    offset: Annotated[int, Meta(ge=0, le=2**30)]


class FilePiece(Told, frozen=True):
    """The answer: how large the whole is, none where it is not there, and the bytes from the offset on (Base64)."""

    size: Count | None
    content: bytes = b""


def line_of(entry: Entry) -> EntryLine:
    """An entry as it travels."""
    return EntryLine(
        entry.id, entry.kind, entry.recorded_utc, entry.author, entry.collector, dict(entry.seen), entry.body
    )


def entry_of(line: EntryLine) -> Entry:
    """And back; raises ValueError where its body is no JSON in its one form, or nested beyond all sense."""
    entry = Entry(line.id, line.kind, line.recorded_utc, line.author, line.collector, line.seen, line.body)
    try:
        told = entry.told
    except RecursionError:
        raise ValueError(f"entry {line.id}: its body is nested too deeply") from None
    if not _is_shallow(told, MOST_DEPTH):
        raise ValueError(f"entry {line.id}: its body is nested more than {MOST_DEPTH} deep")
    if not isinstance(told, dict) or canonical(told) != line.body:
        raise ValueError(f"entry {line.id}: its body is not canonical JSON")
    return entry


def _is_shallow(told: object, most: int) -> bool:
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return most > 0 and all(_is_shallow(one, most - 1) for one in inner)
