"""What a change concerns beside the figure: the seals of its time, and who was told of it. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo

from detak_collector.closing.seals import Seals
from detak_collector.decisions.corrections import Corrections
from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.periods import Period, PeriodError
from detak_collector.mail.letter import Letter, Standing
from detak_collector.mail.periods import summary_period

SUMMARY = "summary"
"""The purpose of such a mail."""

ARRIVED = frozenset({Standing.HANDED_OVER, Standing.SENT, Standing.UNSURE})


def told_people(letters: Iterable[Letter], period: Period, zone: tzinfo, now: int) -> dict[str, list[str]]:
    """Who was mailed a summary of a period that holds time of this one: the addresses, by the summary's period."""
    found: dict[str, set[str]] = {}
    for one in letters:
        if one.purpose == SUMMARY and one.standing in ARRIVED:
            name = one.title.partition(" ")[0]
            if _overlaps(name, period, zone, now):
                found.setdefault(name, set()).add(one.recipient)
    return {name: sorted(found[name]) for name in sorted(found)}


def _overlaps(name: str, period: Period, zone: tzinfo, now: int) -> bool:
    try:
        other = summary_period(name, zone, now)
    except PeriodError:
        return False
    return other.begin < period.end and period.begin < other.end


def people_lines(people: Mapping[str, Sequence[str]]) -> list[str]:
    """How many that were, as lines that stay on record: these hold no address."""
    return [
        f"{len(addresses)} recipient{'' if len(addresses) == 1 else 's'} of the summary of {name} got another figure"
        for name, addresses in people.items()
    ]


def sealed_lines(seals: Seals, before: Corrections, after: Corrections) -> Iterator[str]:
    """The seals that hold time of which two sets of corrections say different things, as lines for people."""
    differing = _in_force(before) ^ _in_force(after)
    for one in seals.standing():
        if any(one.overlaps(each.begin, each.end) for each in differing):
            period = one.body.period
            yield (f"{period} is sealed, no. {one.label}: its figure stays as it is, until `detak-collector restate "
                   f"{period}` and another person's approval")  # fmt: skip


def _in_force(every: Corrections) -> set[Correction]:
    return {one for one in (*every.exclusions, *every.declarations) if one.in_force}
