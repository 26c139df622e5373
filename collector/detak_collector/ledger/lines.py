"""The one line of each record: JSON with sorted keys, with names where the store has numbers. Pure.

The same line stands in a bundle, so that what is chained is what a third party reads.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


def line_of(told: Mapping[str, object]) -> bytes:
    """The canonical text of a record, without an end of line: keys in order, no spaces, UTF-8."""
    return _encode(told)


def value_of(text: str) -> object:
    """What a column of JSON holds. It is written anew in the line, so that no line ever has two texts or two lines.

    A text that is no JSON was altered: it stands there as a string, which is another line than it was.
    """
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
