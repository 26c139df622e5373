"""The body of an answer as far as it is looked at: unpacked, and never longer than the bound. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from detak_agent.http_answer import BrokenAnswerError

MOST_BODY_BYTES = 256 * 1_024
_GZIP = frozenset({"gzip", "x-gzip"})
_DEFLATE = "deflate"
_PLAIN = frozenset({"", "identity"})
_GZIP_BEGIN = b"\x1f\x8b"
_ZLIB_OR_GZIP, _BARE_DEFLATE = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS
_ZLIB_METHOD, _METHOD_BITS = 8, 0x0F


class Body:
    """Takes parts as they arrive; `content` is what was unpacked of them."""

    def __init__(self, codings: Iterable[str]) -> None:
        """`codings` are the values of Content-Encoding."""
        self.coding = ", ".join(codings).strip().lower()
        self.is_readable = self.coding in _PLAIN | _GZIP | {_DEFLATE}
        self.is_cut = False
        self.content = bytearray()
        self._taken = 0
        self._unpacking: zlib._Decompress | None = None

    def take(self, part: bytes) -> None:
        """One more part; BrokenAnswerError where it cannot be unpacked. Once `is_cut`, nothing more is wanted."""
        self._taken += len(part)
        if self.coding in _PLAIN or not self.is_readable:
            self.content += part
        else:
            self._unpack(part)
        if max(self._taken, len(self.content)) > MOST_BODY_BYTES:
            self.is_cut = True
            del self.content[MOST_BODY_BYTES:]

    def end(self) -> None:
        """There are no more parts; BrokenAnswerError where something is missing."""
        if self._unpacking is not None and not self._unpacking.eof:
            raise BrokenAnswerError(f"ends its {self.coding} answer too early")

    def _unpack(self, part: bytes) -> None:
        try:
            while part and len(self.content) <= MOST_BODY_BYTES:
                part = self._unpacked(part)
        except zlib.error:
            raise BrokenAnswerError(f"says that its answer is packed with {self.coding}, but that is damaged") from None

    def _unpacked(self, part: bytes) -> bytes:
        """What is left of `part` after a whole stream, of which there may be several in a row."""
        if self._unpacking is None:
            self._unpacking = zlib.decompressobj(self._window(part))
        elif self._unpacking.eof:
            if not part.startswith(_GZIP_BEGIN):
                # Some servers fill up with zeros.
                return b""
            self._unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)
        self.content += self._unpacking.decompress(part, MOST_BODY_BYTES + 1 - len(self.content))
        return self._unpacking.unused_data

    def _window(self, begin: bytes) -> int:
        """As browsers do: what is called deflate comes with zlib's header (RFC 9110, 8.4.1.2) or without."""
        bare = self.coding == _DEFLATE and begin[0] & _METHOD_BITS != _ZLIB_METHOD
        return _BARE_DEFLATE if bare else _ZLIB_OR_GZIP
