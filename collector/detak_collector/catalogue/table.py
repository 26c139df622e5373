"""One table of a file: each key is asked for by name, and what nobody asked for is refused as unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, overload

from detak_collector.catalogue.place import Place, resembling

T = TypeVar("T")
D = TypeVar("D")

LABEL_CHARACTERS = 64

Reading = Callable[[object, Place], T | None]
"""Turns a raw value into what it means; where it means nothing, notes why at the place and gives None."""


class Table:
    """The keys of one table, and the place where it stands."""

    def __init__(self, content: Mapping[str, object], place: Place) -> None:
        self.content = content
        self.place = place
        self._known: list[str] = []

    def raw(self, key: str) -> object:
        """The value as it was written, None where there is none."""
        if key not in self._known:
            self._known.append(key)
        return self.content.get(key)

    @overload
    def required(self, key: str, reading: Reading[T]) -> T | None: ...
    @overload
    def required(self, key: str, reading: Reading[T], default: D) -> T | D: ...
    def required(self, key: str, reading: Reading[T], default: object = None) -> object:
        """The value of a key that must be there; `default` stands in where it is missing or wrong, and was refused."""
        if self.raw(key) is None:
            self.place.key(key).refuse("required")
        return self.optional(key, reading, default)

    @overload
    def optional(self, key: str, reading: Reading[T]) -> T | None: ...
    @overload
    def optional(self, key: str, reading: Reading[T], default: D) -> T | D: ...
    def optional(self, key: str, reading: Reading[T], default: object = None) -> object:
        """The value of a key, or `default` where it is missing or wrong."""
        value = self.raw(key)
        read = None if value is None else reading(value, self.place.key(key))
        return default if read is None else read

    def tables(self, key: str, label: str | None = None) -> list[Table]:
        """The tables of an array such as [[service]], each named by its number or its unique key `label`."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.place.key(key).refuse("an array of tables, each in double brackets", value)
            return []
        return list(_labelled(value, self.place.key(key), label))

    def finish(self) -> None:
        """Refuse every key that nobody asked for."""
        for key in self.content:
            if key not in self._known:
                hint = resembling(key, self._known) or f"; known here are {', '.join(sorted(self._known))}"
                self.place.key(key).refuse(f"unknown key{hint}", self.content[key])


def table(value: object, place: Place, expected: str = "a table") -> Table | None:
    """The table at this place."""
    if isinstance(value, dict):
        return Table(value, place)
    place.refuse(expected, value)
    return None


def _labelled(values: list[object], place: Place, label: str | None) -> Iterator[Table]:
    """The tables among `values`. One whose label is missing, strange or taken is named by its number."""
    taken: set[str] = set()
    for number, value in enumerate(values, start=1):
        found = table(value, place.item(f"#{number}"))
        if found is None:
            continue
        name = found.content.get(label) if label else None
        if name in taken:
            found.place.key(str(label)).refuse(f"each {label} may be used once", name)
        elif isinstance(name, str) and name.isprintable() and 0 < len(name) <= LABEL_CHARACTERS:
            taken.add(name)
            found = Table(found.content, place.item(name))
        yield found
