"""The engine's frozen types as plain JSON values and back: exactly, strictly, with every size limited. Pure.

A field that has its default is left out. What is read must be of the declared type in every part; there is no guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from fractions import Fraction
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from detak_collector.downtime.intervals import EMPTY, Intervals

MOST_INT = 2**53
"""Of any number, in size: what JSON carries everywhere."""

MOST_CHARACTERS = 64 * 1024
"""Of any text, but for the files of a catalogue."""

T = TypeVar("T")
Decoder = Callable[[Any, str], Any]


class MisfitError(ValueError):
    """A value is not of its type; the text says where and what was expected."""


def whole(value: object) -> dict[str, Any]:
    """A record with every field, those too that have their default."""
    return {one.name: plain(getattr(value, one.name)) for one in fields(cast("Any", value))}


def plain(value: object) -> Any:  # noqa: ANN401 - what JSON holds
    """A value as JSON holds it."""
    match value:
        case None | bool() | int() | str():
            return value
        case Fraction():
            return f"{value.numerator}/{value.denominator}"
        case Intervals():
            return [list(part) for part in value]
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case tuple():
            return [plain(one) for one in value]
        case _ if is_dataclass(value):
            return {
                one.name: plain(found) for one in fields(value) if (found := getattr(value, one.name)) != _default(one)
            }
        case _:
            raise TypeError(f"a bundle holds no {type(value).__name__}")


def read(kind: type[T], value: object, place: str) -> T:
    """The value of that type; raises MisfitError, whose text begins with `place`."""
    found: T = _decoder(cast("Any", kind))(value, place)
    return found


def _default(one: Field[object]) -> object:
    return one.default if one.default_factory is MISSING else one.default_factory()


@cache
def _decoder(kind: Any) -> Decoder:  # noqa: ANN401 - any type expression
    """What reads a type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if origin is UnionType:
        return _optional(_decoder(next(one for one in arguments if one is not type(None))))
    if origin is tuple:
        return _sequence(arguments)
    if origin is Mapping:
        return _mapping(_decoder(arguments[1]))
    if is_dataclass(kind):
        return _record(kind)
    return _row(kind)


def _integer(value: object, place: str) -> int:
    if type(value) is not int or not -MOST_INT <= value <= MOST_INT:
        raise MisfitError(f"{place}: must be a whole number of at most {MOST_INT}")
    return value


def _text(value: object, place: str) -> str:
    if type(value) is not str or len(value) > MOST_CHARACTERS or "\0" in value:
        raise MisfitError(f"{place}: must be a text of at most {MOST_CHARACTERS} characters without NUL")
    return value


def _flag(value: object, place: str) -> bool:
    if type(value) is not bool:
        raise MisfitError(f"{place}: must be true or false")
    return value


def _fraction(value: object, place: str) -> Fraction:
    above, slash, below = _text(value, place).partition("/")
    if not slash or not (above.removeprefix("-").isdecimal() and below.isdecimal()) or len(above + below) > 100:
        raise MisfitError(f"{place}: must be a fraction such as 1/8")
    if int(below) == 0:
        raise MisfitError(f"{place}: divides by nothing")
    return Fraction(int(above), int(below))


def _intervals(value: object, place: str) -> Intervals:
    pairs = _decoder(tuple[tuple[int, int], ...])(value, place)
    found = Intervals.of(pairs)
    if found.parts != pairs:
        raise MisfitError(f"{place}: must be stretches of time in order, apart from each other")
    return found or EMPTY


_SIMPLE: dict[Any, Decoder] = {
    int: _integer, str: _text, bool: _flag, Fraction: _fraction, Intervals: _intervals,
}  # fmt: skip


def _optional(inner: Decoder) -> Decoder:
    return lambda value, place: None if value is None else inner(value, place)


def _sequence(arguments: tuple[Any, ...]) -> Decoder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        inner = _decoder(arguments[0])

        def every(value: object, place: str) -> tuple[Any, ...]:
            if type(value) is not list:
                raise MisfitError(f"{place}: must be an array")
            return tuple([inner(one, place) for one in value])

        return every
    inners = [_decoder(one) for one in arguments]

    def each(value: object, place: str) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != len(inners):
            raise MisfitError(f"{place}: must be an array of {len(inners)}")
        return tuple([one(part, place) for one, part in zip(inners, value, strict=True)])

    return each


def _mapping(inner: Decoder) -> Decoder:
    def every(value: object, place: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise MisfitError(f"{place}: must be an object")
        return {_text(key, place): inner(one, f"{place}.{key[:80]}") for key, one in value.items()}

    return every


def _record(kind: Any) -> Decoder:  # noqa: ANN401 - a dataclass
    hints = get_type_hints(kind)
    inners = {one.name: _decoder(hints[one.name]) for one in fields(kind)}
    required = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}

    def made(value: object, place: str) -> object:
        if type(value) is not dict:
            raise MisfitError(f"{place}: must be an object")
        missing, unknown = required - value.keys(), value.keys() - inners.keys()
        if missing or unknown:
            wrong = f"lacks {min(missing)}" if missing else f"has the unknown key {min(unknown)[:80]!r}"
            raise MisfitError(f"{place}: {wrong}")
        return kind(**{name: inners[name](one, f"{place}.{name}") for name, one in value.items()})

    return made


def _row(kind: type) -> Decoder:
    """A named tuple, as an array."""
    parts = _sequence(tuple(get_type_hints(kind).values()))
    return lambda value, place: kind(*parts(value, place))
