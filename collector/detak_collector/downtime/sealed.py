"""What a result says of the seal of its period: the figure that stands, and what later facts would make of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from detak_collector.downtime.figure import Totals


@dataclass(frozen=True, slots=True)
class Disposed:
    """That the evidence from before `until` was disposed of, under which number and document, and when."""

    label: str
    document: str
    at: int
    until: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """The seal in force. `label` is its number, `figure` what it holds, `head` the ledger's at that moment.

    `restates` is the number that it took the place of. `now` are the totals by all that is known now, None where they
    are those of the seal. `reproduced`: the result beside it is that of the seal; else this program does not come to
    it, and the figure of the seal is the one that stands. `disposed`: that what it rests on is not there any more.
    """

    period: str
    label: str
    by: str
    approved_by: str | None
    at: int
    as_of: int
    head: str
    figure: Totals
    target_percent: Fraction
    restates: str | None = None
    now: Totals | None = None
    reproduced: bool = True
    disposed: Disposed | None = None

    @property
    def is_overtaken(self) -> bool:
        """Whether later facts would make another figure of it: only a restatement does."""
        return self.now is not None

    @property
    def difference_ms(self) -> int:
        """What later facts would add to the counted time."""
        return 0 if self.now is None else self.now.counted_ms - self.figure.counted_ms
