"""How far the open spans of a run reach, packed as the store keeps it: five numbers of each span, one after another.

Of thousands of nodes this is what every beat looks up and replaces, so it is a few hundred bytes in one piece. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import msgspec

from detak_wire.messages import Growth

Reach = tuple[int, int, int, int, int]
"""How far a span reaches: its number, last begin, last end, samples, largest gap."""

WIDTH = 5
NOTHING = b"\x90"
"""Of no span."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[int]).decode


def packed(reaches: Iterable[Reach]) -> bytes:
    """MessagePack of all their numbers."""
    return _pack(list(chain.from_iterable(reaches)))


def unpacked(reach: bytes) -> dict[int, Reach]:
    """By the number of the span."""
    numbers = iter(_unpack(reach))
    return {one[0]: one for one in zip(numbers, numbers, numbers, numbers, numbers, strict=True)}


def last_begins(reach: bytes) -> dict[int, int]:
    """When the last sample of each span began, by its number."""
    flat = _unpack(reach)
    return dict(zip(flat[::WIDTH], flat[1::WIDTH], strict=True))


def grown(
    reach: bytes, growths: Iterable[Growth], sent_agent: int, watched: tuple[int, ...]
) -> tuple[bytes, int] | None:
    """The same after plain growths, and the latest end of the spans numbered `watched`, -1 where there is none.

    None where a span is not there, or does not plainly grow.
    """
    flat = _unpack(reach)
    places = dict(zip(flat[::WIDTH], range(0, len(flat), WIDTH), strict=True))
    for growth in growths:
        at = places.get(growth.number)
        if at is None:
            return None
        last_begin, last_end = sent_agent - growth.last_begin_ago, sent_agent - growth.last_end_ago
        _, begin, end, samples, gap = flat[at : at + WIDTH]
        if last_begin <= begin or last_end < end or growth.samples <= samples or growth.largest_gap < gap:
            return None
        flat[at + 1] = last_begin
        flat[at + 2] = last_end
        flat[at + 3] = growth.samples
        flat[at + 4] = growth.largest_gap
    return _pack(flat), max([flat[places[number] + 2] for number in watched], default=-1)
