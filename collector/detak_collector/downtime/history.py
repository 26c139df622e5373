"""Published figures of earlier years, which the trend shows beside the derived ones: entered, never computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Published:
    """One entry. Percentages are exact; `entered_at` is UTC milliseconds; `id` counts entries in order."""

    id: int
    year: int
    percent: Fraction
    target_percent: Fraction | None
    document: str
    note: str
    entered_by: str
    entered_at: int

    @property
    def verdict(self) -> str | None:
        """`met` or `missed` by the target that was published with it; None without one."""
        if self.target_percent is None:
            return None
        return "met" if self.percent <= self.target_percent else "missed"


def in_force(entries: Iterable[Published], as_of: int) -> tuple[Published, ...]:
    """Of each year the latest entry made by `as_of`, in order of years: an entry corrects those before it."""
    latest = {one.year: one for one in sorted(entries, key=lambda one: one.id) if one.entered_at <= as_of}
    return tuple(latest[year] for year in sorted(latest))
