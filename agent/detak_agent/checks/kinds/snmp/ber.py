"""BER, as much of it as SNMP uses (X.690; RFC 3417, section 8): bytes to elements and values, and back. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

INTEGER, OCTETS, NULL, OBJECT, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_ADDRESS, _COUNTER, _GAUGE, _TICKS, _OPAQUE, _COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
_UNSIGNED = frozenset({_COUNTER, _GAUGE, _TICKS, _COUNTER64})
_MULTI_BYTE_TAG = 0x1F
_LONG_FORM = 0x80
_MOST_LENGTH_BYTES = 4
_MOST_INTEGER_BYTES = 9

_FLOATS = {b"\x9f\x78\x04": ">f", b"\x9f\x79\x08": ">d"}
"""How net-snmp wraps floating point numbers into Opaque."""


class NotSnmpError(Exception):
    """What came cannot be read."""


class Absent(Enum):
    """Why there is no value (RFC 3416, section 3)."""

    OBJECT = 0x80
    INSTANCE = 0x81
    END = 0x82


Value = int | float | str | bytes | Absent | None
"""Numbers as such, object identifiers and addresses as dotted text, strings as bytes."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element within `whole`; its content is from `begin` to `end`."""

    tag: int
    whole: bytes
    begin: int
    end: int

    @property
    def content(self) -> bytes:
        """What stands in it."""
        return self.whole[self.begin : self.end]

    def parts(self, tag: int = SEQUENCE) -> list[Element]:
        """The elements in it; NotSnmpError if it is not of this tag."""
        if self.tag != tag:
            raise NotSnmpError
        return _elements(self.whole, self.begin, self.end)

    def wrapped(self) -> Element:
        """The element that its string holds."""
        if self.tag != OCTETS:
            raise NotSnmpError
        return _element(self.whole, self.begin, self.end)

    def integer(self) -> int:
        """Its number; NotSnmpError if it is none."""
        if self.tag != INTEGER:
            raise NotSnmpError
        return _integer(self.content)

    def octets(self) -> bytes:
        """Its string; NotSnmpError if it is none."""
        if self.tag != OCTETS:
            raise NotSnmpError
        return self.content


def outermost(data: bytes) -> Element:
    """The one element that `data` begins with; encrypted content has padding behind it."""
    return _element(data, 0, len(data))


def _elements(data: bytes, at: int, end: int) -> list[Element]:
    found = []
    while at < end:
        found.append(_element(data, at, end))
        at = found[-1].end
    return found


def _element(data: bytes, at: int, end: int) -> Element:
    if at + 2 > end or data[at] & _MULTI_BYTE_TAG == _MULTI_BYTE_TAG:
        raise NotSnmpError
    tag, length, begin = data[at], data[at + 1], at + 2
    if length & _LONG_FORM:
        digits = length & ~_LONG_FORM
        if not 1 <= digits <= _MOST_LENGTH_BYTES:
            raise NotSnmpError
        length = int.from_bytes(data[begin : begin + digits], "big")
        begin += digits
    if begin + length > end:
        raise NotSnmpError
    return Element(tag, data, begin, begin + length)


def value_of(element: Element) -> Value:
    """The value of a variable."""
    tag, content = element.tag, element.content
    if tag == INTEGER or tag in _UNSIGNED:
        return _integer(content, signed=tag == INTEGER)
    if tag == OBJECT:
        return object_of(element)
    if tag == _ADDRESS:
        return ".".join(str(byte) for byte in content)
    if tag == _OPAQUE:
        return _opaque(content)
    if tag in {absent.value for absent in Absent}:
        return Absent(tag)
    return None if tag == NULL else content


def _opaque(content: bytes) -> Value:
    layout = _FLOATS.get(content[:3])
    if layout is None or len(content) != 3 + content[2]:
        return content
    return float(struct.unpack(layout, content[3:])[0])


def _integer(content: bytes, *, signed: bool = True) -> int:
    if not 1 <= len(content) <= _MOST_INTEGER_BYTES:
        raise NotSnmpError
    return int.from_bytes(content, "big", signed=signed)


def object_of(element: Element) -> str:
    """An object identifier as dotted text."""
    content = element.content
    if element.tag != OBJECT or not content or content[-1] & _LONG_FORM:
        raise NotSnmpError
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & ~_LONG_FORM
        if not byte & _LONG_FORM:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(one) for one in (first, numbers[0] - 40 * first, *numbers[1:]))


def element(tag: int, *parts: bytes) -> bytes:
    """An element with these parts in it."""
    content = b"".join(parts)
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(digits))) + digits + content


def integer(number: int) -> bytes:
    """An INTEGER."""
    return element(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def object_identifier(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER of numbers only."""
    first, second, *others = (int(part) for part in dotted.split("."))
    return element(OBJECT, *(_base_128(number) for number in (40 * first + second, *others)))


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | _LONG_FORM)
    return bytes(reversed(digits))
