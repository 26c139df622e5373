"""What the entries about disposals say. They are read as tolerantly as those about seals. Pure."""

from __future__ import annotations

from msgspec import Struct

from detak_collector.closing.bodies import Digest, EntryId, Instant, Line, Number, Verdict
from detak_collector.pair.entry import DISPOSAL, DISPOSAL_DECISION, DISPOSED

KINDS = (DISPOSAL, DISPOSAL_DECISION, DISPOSED)


class DisposalBody(Struct, frozen=True):
    """What an entry of the kind `disposal` says: the evidence from before `until` is to be disposed of."""

    number: Number
    until: Instant
    document: Line
    reason: Line
    login: Line


class DisposalDecisionBody(Struct, frozen=True):
    """What an entry of the kind `disposal-decision` says of the disposal with the entry `on`."""

    on: EntryId
    verdict: Verdict
    login: Line
    reason: Line = ""


class DisposedBody(Struct, frozen=True):
    """What an entry of the kind `disposed` says: the collector that made it has carried out the disposal `on`.

    Of its chain, which ended with `head`, the blocks from `first` to `last` lose `records`, and `left` of them stay;
    `digest` is that of what is left of each block. `number`, `document` and `until` are those of the disposal.
    """

    on: EntryId
    number: Number
    until: Instant
    document: Line
    first: int
    last: int
    records: int
    left: int
    digest: Digest
    head: Line
    login: Line
