"""Whether two stores come to the same figures: each month of each service is derived from both, and has to be equal."""

from __future__ import annotations

from collections.abc import Callable

from detak_collector.clocks import Reading
from detak_collector.downtime.calendars import unknown_hours, without_joint_leave
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import Period, months
from detak_collector.rules import Rules
from detak_collector.store.base import EvidenceStore
from detak_collector.stored_months import View


def months_known(store: EvidenceStore, rules: Rules, now_utc: int) -> list[Interval]:
    """The calendar months of which there is evidence."""
    since = store.known_since()
    return [] if since is None else list(months(since, now_utc, rules.zone))


def differing_months(
    one: EvidenceStore, other: EvidenceStore, rules: Rules, now: Reading, told: Callable[[], None]
) -> list[Interval]:
    """Those in which the two do not come to the same; `told` after each. Unknown joint leave counts as none."""
    whole_from = one.facts(now.utc, now.utc, now, frozenset()).whole_from
    cells = [cell for cell in months_known(one, rules, now.utc) if whole_from is None or whole_from <= cell[0]]
    if not cells:
        return []
    unknown = unknown_hours(rules.catalogue, cells[0][0], now.utc)
    rules = rules.with_catalogue(without_joint_leave(rules.catalogue, unknown))
    found = []
    for cell in cells:
        whole = Period("", cell[0], min(cell[1], now.utc))
        shares = [View(store, rules, now).services(whole, (whole.begin, whole.end)) for store in (one, other)]
        if shares[0] != shares[1]:
            found.append(cell)
        told()
    return found
