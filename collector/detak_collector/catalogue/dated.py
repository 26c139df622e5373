"""Values that may change on given dates: one value for always, or entries with `from` and `until`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Literal, TypeVar

from detak_collector.catalogue.moments import Zone
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.table import Reading, Table, table
from detak_collector.downtime.catalogue import Dated

T = TypeVar("T")

Reach = Literal["always", "without gaps", "anywhen"]
"""When such a value must be in force: at every date, from its first to its last, or as its user decides."""

Window = tuple[int | None, int | None]


def window(entry: Table, zone: Zone) -> Window:
    """The time from `from` (inclusive) until `until` (exclusive) of one entry; None is open."""
    since = entry.optional("from", zone.moment)
    until = entry.optional("until", zone.moment)
    if since is not None and until is not None and since >= until:
        entry.place.key("until").refuse(f"later than from, which is {zone.said(since)}", entry.content["until"])
    return since, until


def overlap(one: Window, other: Window) -> bool:
    """Whether two windows share any time."""
    return (one[0] is None or other[1] is None or one[0] < other[1]) and (
        other[0] is None or one[1] is None or other[0] < one[1]
    )


@dataclass(frozen=True, slots=True)
class Scalars:
    """Readings of scalars that may be dated, by the dates of one zone."""

    zone: Zone

    def dated(self, reading: Reading[T], reach: Reach = "always") -> Reading[Dated[T]]:
        """One value, or an array of entries {value, from, until}."""

        def read(value: object, place: Place) -> Dated[T] | None:
            if isinstance(value, list):
                return _Entries(self.zone, reading, reach).read(value, place)
            one = reading(value, place)
            return None if one is None else Dated.always(one)

        return read


@dataclass(frozen=True, slots=True)
class _Entries(Generic[T]):
    zone: Zone
    reading: Reading[T]
    reach: Reach

    def read(self, values: list[object], place: Place) -> Dated[T] | None:
        """The entries in the order of their dates; None if any of them is wrong."""
        before = len(place.lines)
        if not values:
            place.refuse("a value, or an array of at least one entry", values)
            return None
        entries = [self._entry(value, place.item(f"#{number}")) for number, value in enumerate(values, start=1)]
        right = sorted(
            (entry for entry in entries if entry is not None), key=lambda entry: (entry[0] is not None, entry[0] or 0)
        )
        if len(place.lines) == before:
            self._check_order(right, place)
        return Dated(tuple(right)) if len(place.lines) == before else None

    def _entry(self, value: object, place: Place) -> tuple[int | None, int | None, T] | None:
        entry = table(value, place, "a table such as { value = …, from = 2026-07-01 }")
        if entry is None:
            return None
        read = entry.required("value", self.reading)
        since, until = window(entry, self.zone)
        entry.finish()
        return None if read is None else (since, until, read)

    def _check_order(self, entries: list[tuple[int | None, int | None, T]], place: Place) -> None:
        for (_, until, _), (since, _, _) in pairwise(entries):
            if until is None or since is None or since < until:
                place.say(f"two entries are in force at once from {self._said(since)}; `until` ends the one before")
            elif since > until and self.reach != "anywhen":
                place.say(
                    f"nothing is in force from {self.zone.said(until)} to {self.zone.said(since)};"
                    " `until` is exclusive: write the same date twice"
                )
        if self.reach == "always" and (entries[0][0] is not None or entries[-1][1] is not None):
            place.say("must be in force at every date; leave out `from` in the first entry and `until` in the last")

    def _said(self, since: int | None) -> str:
        return "the beginning" if since is None else self.zone.said(since)
