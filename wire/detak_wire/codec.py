"""Bytes to messages and back: JSON, gzip, and refusals that name the place."""

import gzip
import re
import zlib
from typing import TypeVar

import msgspec

from detak_wire import limits

T = TypeVar("T", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_AT = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)


class InvalidMessageError(ValueError):
    """A message that is refused: `reason` for people, `path` such as `$.parts[0].spans[3].state`."""

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason
        self.path = path


def encode(message: msgspec.Struct) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)


def decode(body: bytes, kind: type[T]) -> T:
    """The message in `body`; raises InvalidMessageError where it is not one of `kind`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        match = _AT.match(str(error))
        assert match is not None
        raise InvalidMessageError(match["reason"], match["path"] or "$") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InvalidMessageError(f"not a JSON text: {error}") from None


def compress(body: bytes) -> bytes:
    """The same bytes as gzip, without a time stamp, so that equal messages are equal bytes."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def inflate(body: bytes, most: int = limits.INFLATED_BYTES) -> bytes:
    """The bytes of one gzip member; refuses more than `most` of them without ever holding more."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, most + 1)
    except zlib.error as error:
        raise InvalidMessageError(f"not gzip: {error}") from None
    if len(plain) > most:
        raise InvalidMessageError(f"larger than {most} bytes when unpacked")
    if not inflater.eof:
        raise InvalidMessageError("the gzip data ends early")
    if inflater.unused_data:
        raise InvalidMessageError("something follows the gzip data")
    return plain
