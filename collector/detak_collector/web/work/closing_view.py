"""What the list of periods shows of each, and who may do what with one now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.accounts.roles import Right
from detak_collector.closing.examined import Examined
from detak_collector.closing.seals import Seal, Seals, SealState
from detak_collector.closing.terms import SealTerms
from detak_collector.decisions.persons import same_person
from detak_collector.downtime.periods import Period, PeriodError, local_year, parse_period
from detak_collector.translation.language import mark
from detak_collector.web.session import Person

STATES = {
    "running": mark("still running"),
    "settling": mark("over, evidence may still come"),
    "open": mark("open"),
    "pending": mark("waits for approval"),
    "sealed": mark("sealed"),
    "restated": mark("restated"),
}
SEAL_STATES = {
    SealState.PENDING: mark("waits for approval"),
    SealState.IN_FORCE: mark("in force"),
    SealState.RESTATED: mark("restated"),
    SealState.REJECTED: mark("rejected"),
    SealState.TAKEN_BACK: mark("taken back"),
    SealState.LAPSED: mark("lapsed"),
}
WEIGHTS = {"forbids": mark("no seal"), "hinders": mark("hinders"), "told": mark("to know")}
FIRST_YEAR = 1971
CLOSABLE = (4, 7)
"""How long the names of years, and of months, quarters and halves are."""


@dataclass(frozen=True, slots=True)
class Row:
    """A period, how it stands, and the seal that is in force or waits."""

    period: Period
    state: str
    seal: Seal | None = None
    pending: Seal | None = None


def closable(name: str, zone: tzinfo, now: int) -> Period | None:
    """The month, quarter, half or year of this name; None where it names none of these."""
    if len(name) > max(CLOSABLE) or name.endswith("ytd"):
        return None
    try:
        return parse_period(name, zone, now)
    except PeriodError:
        return None


def row_of(period: Period, seals: Seals, now: int, terms: SealTerms) -> Row:
    """How a period stands."""
    seal, pending = seals.in_force(period), seals.pending(period)
    if pending is not None:
        state = "pending"
    elif seal is not None:
        state = "restated" if seal.is_restatement else "sealed"
    elif now < period.end:
        state = "running"
    else:
        state = "settling" if now < period.end + terms.settle_ms else "open"
    return Row(period, state, seal, pending)


def rows_of(year: int, seals: Seals, now: int, zone: tzinfo, terms: SealTerms) -> list[Row]:
    """The year, its months that have begun, and of its quarters and halves those that are sealed or wait to be."""
    parts = [f"{year}-{part}" for part in ("S1", "S2", "Q1", "Q2", "Q3", "Q4")]
    names = [str(year), *parts, *(f"{year}-{month:02}" for month in range(12, 0, -1))]
    rows = [row_of(parse_period(name, zone, now), seals, now, terms) for name in names]
    return [
        one
        for one in rows
        if one.period.begin < now and (one.period.name not in parts or one.seal is not None or one.pending is not None)
    ]


def years_beside(year: int, zone: tzinfo, now: int) -> tuple[int | None, int | None]:
    """The years before and after it that can be asked for."""
    return (year - 1 if year > FIRST_YEAR else None), (year + 1 if year < local_year(now, zone) else None)


def acts_of(row: Row, examined: Examined | None, person: Person | None) -> tuple[str, ...]:
    """What this person may do with the period now."""
    if person is None:
        return ()
    pending = row.pending
    if pending is not None:
        if same_person(person.account.name, pending.author):
            return ("take-back",)
        return ("approve", "reject") if Right.APPROVE in person.rights else ()
    if Right.PROPOSE not in person.rights or examined is None or examined.body is None or not examined.is_over:
        return ()
    if row.seal is None:
        return ("seal",)
    return ("restate",) if examined.services or examined.sealed != examined.figure else ()


def history_of(period: Period, seals: Seals) -> list[Seal]:
    """All seals and restatements of the period, the latest first."""
    mine = (one for one in seals.all if (one.body.begin, one.body.end) == (period.begin, period.end))
    return list(reversed(list(mine)))
