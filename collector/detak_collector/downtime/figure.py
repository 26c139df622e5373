"""From accounts to the figure: exact sums, ratio of sums, bounds, coverage, verdict and how firm it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction

from detak_collector.downtime.accounts import REASONS, Account
from detak_collector.downtime.intervals import Intervals

NOT_OBSERVED = "not observed"


@dataclass(frozen=True, slots=True)
class Totals:
    """Milliseconds of one service, or of all that count, over one period. Totals add up; percentages never do."""

    counted_ms: int = 0
    certain_ms: int = 0
    possible_ms: int = 0
    gross_ms: int = 0
    excluded_ms: Mapping[str, int] | None = None
    service_time_ms: int = 0
    unobserved_ms: int = 0
    presumed_ms: int = 0
    degraded_ms: int = 0

    def __add__(self, other: Totals) -> Totals:
        return summed((self, other))

    def ratio(self, part_ms: int) -> Fraction | None:
        """100 x part / service time, exact; None without service time."""
        return Fraction(100 * part_ms, self.service_time_ms) if self.service_time_ms else None

    @property
    def percent(self) -> Fraction | None:
        """The figure, exact."""
        return self.ratio(self.counted_ms)

    @property
    def coverage(self) -> Fraction | None:
        """The share of service time that was really observed."""
        return 1 - Fraction(self.unobserved_ms, self.service_time_ms) if self.service_time_ms else None

    def verdict(self, target_percent: Fraction) -> str | None:
        """`met` or `missed`, by the unrounded figure: what programs read; people are told the `standing`."""
        percent = self.percent
        if percent is None:
            return None
        return "met" if percent <= target_percent else "missed"

    def standing(self, target_percent: Fraction) -> str | None:
        """The verdict; NOT_OBSERVED where nobody watched and nothing was counted, since `met` would praise silence.

        Not where it is proven all the same: where all the time was excluded.
        """
        if self.coverage == 0 and not self.counted_ms and self.proof(target_percent) != "met":
            return NOT_OBSERVED
        return self.verdict(target_percent)

    def proof(self, target_percent: Fraction) -> str | None:
        """How firm the verdict is: `met` even if all possible time was down, `missed` by certain time alone."""
        most, least = self.ratio(self.possible_ms), self.ratio(self.certain_ms)
        if most is None or least is None:
            return None
        if most <= target_percent:
            return "met"
        return "missed" if least > target_percent else "undecided"

    def remaining_ms(self, target_percent: Fraction) -> int:
        """How much more may be counted before the target is missed; negative beyond it."""
        return int(target_percent * self.service_time_ms // 100) - self.counted_ms


def totals(account: Account, where: Intervals) -> Totals:
    """What the account holds inside `where`, a period or the part of it that enters the figure."""
    service_time = account.service_time & where
    return Totals(
        counted_ms=(account.net.counted & where).total,
        certain_ms=min((certain & where).total for certain, _ in account.variants),
        possible_ms=max((possible & where).total for _, possible in account.variants),
        gross_ms=(account.gross.counted & where).total,
        excluded_ms={reason: (account.left[reason] & where).total for reason in REASONS},
        service_time_ms=service_time.total,
        unobserved_ms=((account.unobserved | account.presumed) & service_time).total,
        presumed_ms=(account.presumed & where).total,
        degraded_ms=(account.degraded & service_time).total,
    )


def summed(parts: Iterable[Totals]) -> Totals:
    """The sum of totals; of none, all zero."""
    every = list(parts)
    return Totals(
        **{name: sum([getattr(one, name) for one in every]) for name in _SUMS},
        excluded_ms={
            reason: sum([one.excluded_ms.get(reason, 0) for one in every if one.excluded_ms]) for reason in REASONS
        },
    )


_SUMS = tuple(one.name for one in fields(Totals) if one.name != "excluded_ms")
