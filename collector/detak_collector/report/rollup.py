"""Several organisations' bundles in one table, each checked, and what they come to together. Pure.

The figure of all is the ratio of their sums; the plain mean of their figures stands beside it and decides nothing.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from typing import Any

import msgspec

from detak_collector.downtime.figure import Totals, summed
from detak_collector.report.delimited import plain_row
from detak_collector.report.numbers import decimal_text, iso_utc

PLACES = 12
FIELDS = (
    "file", "sound", "organisation", "period", "from", "to", "as_of", "percent", "counted_ms", "certain_ms",
    "possible_ms", "service_time_ms", "coverage", "target_percent", "verdict", "proof", "services", "collector",
    "ledger", "result_digest", "wrong",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """What a sound bundle comes to. `services` is how many count."""

    totals: Totals
    target_percent: Fraction
    services: int


@dataclass(frozen=True, slots=True)
class Member:
    """One bundle. Without a `figure` it is not sound, or cannot be read: `wrong` says why."""

    file: str
    organisation: str = ""
    period: str = ""
    begin: int = 0
    end: int = 0
    as_of: int = 0
    collector: str = ""
    ledger: str = ""
    digest: str = ""
    figure: Figure | None = None
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rollup:
    """All of them, in the order in which they were given."""

    members: tuple[Member, ...]

    @property
    def sound(self) -> list[tuple[Member, Figure]]:
        """Those that enter the figure of all."""
        return [(one, one.figure) for one in self.members if one.figure is not None]

    @property
    def is_sound(self) -> bool:
        """Whether all of them do."""
        return len(self.sound) == len(self.members)

    @property
    def totals(self) -> Totals:
        """Their sums."""
        return summed(figure.totals for _, figure in self.sound)

    @property
    def mean(self) -> Fraction | None:
        """The plain mean of their figures; None where there is none."""
        known = [percent for _, figure in self.sound if (percent := figure.totals.percent) is not None]
        return sum(known, Fraction(0)) / len(known) if known else None

    def clashes(self) -> list[str]:
        """Why these bundles make no table: periods that are not one, or a bundle that stands in it twice."""
        known = [one for one in self.members if one.period]
        found = []
        for at, one in enumerate(known):
            if one.period != known[0].period:
                found.append(f"{one.file}: is of {one.period}, and {known[0].file} of {known[0].period}")
            found += [
                f"{one.file}: {one.organisation} of this collector stands in {other.file} already"
                for other in known[:at]
                if (one.organisation, one.collector) == (other.organisation, other.collector)
            ]
        return found


def rollup_json(rollup: Rollup) -> bytes:
    """Everything, for programs."""
    told = {
        "organisations": [_member(one) for one in rollup.members],
        "all": {
            "organisations": len(rollup.sound),
            "left_out": len(rollup.members) - len(rollup.sound),
            "mean_of_organisations": _exact(rollup.mean),
            **_totals(rollup.totals),
        },
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def rollup_csv(rollup: Rollup) -> bytes:
    """A row for each bundle."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS)
    writer.writeheader()
    for one in rollup.members:
        row = {name: value for name, value in _member(one).items() if name in FIELDS}
        writer.writerow(plain_row({**row, "wrong": "; ".join(one.wrong)}))
    return out.getvalue().encode()


def _member(one: Member) -> dict[str, Any]:
    known = bool(one.period)
    told: dict[str, Any] = {
        "file": one.file,
        "sound": one.figure is not None,
        "organisation": one.organisation or None,
        "period": one.period or None,
        "from": iso_utc(one.begin) if known else None,
        "to": iso_utc(one.end) if known else None,
        "as_of": iso_utc(one.as_of) if known else None,
        "collector": one.collector or None,
        "ledger": one.ledger or None,
        "result_digest": one.digest or None,
        "wrong": list(one.wrong),
    }
    if one.figure is not None:
        totals, target = one.figure.totals, one.figure.target_percent
        told |= {
            **_totals(totals),
            "target_percent": _exact(target),
            "verdict": totals.verdict(target),
            "proof": totals.proof(target),
            "services": one.figure.services,
        }
    return told


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "percent": _exact(totals.percent),
        "counted_ms": totals.counted_ms,
        "certain_ms": totals.certain_ms,
        "possible_ms": totals.possible_ms,
        "service_time_ms": totals.service_time_ms,
        "coverage": _exact(totals.coverage),
    }


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else decimal_text(value, PLACES)
