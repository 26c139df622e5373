"""Readings of single values: texts, numbers, words, names, lists. Each says what it expected and what it got."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from detak_collector.catalogue.place import Place, resembling
from detak_collector.catalogue.table import Reading
from detak_wire import limits

T = TypeVar("T")

TEXT_CHARACTERS = 200
LIST_ENTRIES = 10_000
PERCENT_DECIMALS = 12

_NAME = re.compile(limits.NAME_PATTERN)
_NAME_RULE = f"lower-case letters, digits, '.', '_' and '-', at most {limits.NAME_CHARACTERS} characters"


def text(value: object, place: Place) -> str | None:
    """Any words on one line."""
    if isinstance(value, str) and value.isprintable() and value.strip() == value and 0 < len(value) <= TEXT_CHARACTERS:
        return value
    place.refuse(f"a text of 1 to {TEXT_CHARACTERS} characters on one line, without blanks around it", value)
    return None


def prose(value: object, place: Place) -> str | None:
    """Words for people, which may run over several lines."""
    if isinstance(value, str) and value.strip() and len(value) <= limits.TEXT_CHARACTERS:
        return value
    place.refuse(f"a text of 1 to {limits.TEXT_CHARACTERS} characters", value)
    return None


def name(value: object, place: Place) -> str | None:
    """An id, or the name of a node."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    place.refuse(_NAME_RULE, value)
    return None


def group_name(value: object, place: Place) -> str | None:
    """The name of a service's own group: words, but no slash, since scopes are written `service/group`."""
    if isinstance(value, str) and "/" in value:
        place.refuse("a text without '/'", value)
        return None
    return text(value, place)


def check(value: object, place: Place) -> str | None:
    """`node/check`."""
    if isinstance(value, str) and value.count("/") == 1 and all(map(_NAME.fullmatch, value.split("/"))):
        return value
    place.refuse(f'a check, written "node/check"; each of {_NAME_RULE}', value)
    return None


def flag(value: object, place: Place) -> bool | None:
    """Yes or no, as `true` or `false`."""
    if isinstance(value, bool):
        return value
    place.refuse("true or false", value)
    return None


def whole(least: int, most: int) -> Reading[int]:
    """A whole number within bounds."""

    def read(value: object, place: Place) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        place.refuse(f"a whole number from {least} to {most}", value)
        return None

    return read


def percent(value: object, place: Place) -> Fraction | None:
    """A percentage, exact as it is written."""
    number = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(number, Decimal) and number.is_finite() and 0 < number <= 100:
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -PERCENT_DECIMALS:
            return Fraction(number)
    place.refuse(f"a number above 0 and up to 100, with at most {PERCENT_DECIMALS} decimals", value)
    return None


def one_of(words: Iterable[str]) -> Reading[str]:
    """One of the words given."""
    known = tuple(words)

    def read(value: object, place: Place) -> str | None:
        if isinstance(value, str) and value in known:
            return value
        hint = resembling(value, known) if isinstance(value, str) else ""
        place.refuse(f"one of {', '.join(known)}{hint}", value)
        return None

    return read


def array(entry: Reading[T], least: int = 0) -> Reading[tuple[T, ...]]:
    """An array whose entries read as `entry`; None if any of them is wrong."""

    def read(value: object, place: Place) -> tuple[T, ...] | None:
        if not isinstance(value, list) or not least <= len(value) <= LIST_ENTRIES:
            place.refuse("an array" if not least else f"an array of {least} or more", value)
            return None
        entries = [entry(one, place.item(f"#{number}")) for number, one in enumerate(value, start=1)]
        right = tuple(one for one in entries if one is not None)
        return right if len(right) == len(entries) else None

    return read


def distinct(entry: Reading[T], least: int = 0) -> Reading[tuple[T, ...]]:
    """An array in which nothing stands twice."""

    def read(value: object, place: Place) -> tuple[T, ...] | None:
        entries = array(entry, least)(value, place)
        for number, one in enumerate(entries or (), start=1):
            if one in (entries or ())[: number - 1]:
                place.item(f"#{number}").refuse("each may be listed once", one)
                return None
        return entries

    return read
