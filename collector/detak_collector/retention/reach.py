"""How far evidence may be disposed of, month after month, and what keeps the next one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from detak_collector.closing.disputes import Disputes
from detak_collector.closing.seals import Seal, Seals, SealState
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import months
from detak_collector.translation.saying import saying


@dataclass(frozen=True, slots=True)
class Reach:
    """The whole months that may go, those from before what is whole now left out, and why it is no more of them."""

    cells: tuple[Interval, ...]
    why: str

    @property
    def until(self) -> int | None:
        """The end of the last of them; None where none may go."""
        return self.cells[-1][1] if self.cells else None


@dataclass(frozen=True, slots=True)
class Ground:
    """What it is decided by. `since`: from when on there is evidence, None where there is none.

    `scheduled`: up to when it need not be kept, None where all has to be.
    """

    since: int | None
    scheduled: int | None
    seals: Seals
    disputes: Disputes
    zone: tzinfo


def reach(ground: Ground) -> Reach:
    """How far it goes."""
    if ground.scheduled is None:
        return Reach(
            (), saying("collector.toml keeps all evidence for ever: `evidence_years` in [retention] sets how long")
        )
    if ground.since is None:
        return Reach((), saying("there is no evidence"))
    found: list[Interval] = []
    for cell in months(ground.since, max(ground.since, ground.scheduled) + 1, ground.zone):
        why = _kept(ground, cell)
        if why:
            return Reach(tuple(found), why)
        found.append(cell)
    raise AssertionError(ground.scheduled)


def _kept(ground: Ground, cell: Interval) -> str:
    """Why a month is kept; empty where it may go."""
    assert ground.scheduled is not None
    name = month_name(cell[0], ground.zone)
    if cell[1] > ground.scheduled:
        return saying(
            "by `evidence_years` in [retention] of collector.toml evidence from {month} on is kept", month=name
        )
    if covering(ground.seals, cell) is None:
        return saying(
            "{month} is not sealed: `detak-collector seal --check {month}` tells what keeps it open", month=name
        )
    waiting = next((one for one in ground.seals.all if _waits(one, cell)), None)
    if waiting is not None:
        return saying("{seal} waits for its approval", seal=waiting.said)
    dispute = next((one for one in ground.disputes.open() if one.overlaps(*cell)), None)
    if dispute is None:
        return ""
    return saying(
        "outage {outage} in {month} is disputed, no. {number}",
        outage=str(dispute.body.outage), month=name, number=str(dispute.number),
    )  # fmt: skip


def covering(seals: Seals, cell: Interval) -> Seal | None:
    """The seal in force that holds the whole month: of several the one of the shortest period."""
    found = [one for one in seals.standing() if one.body.begin <= cell[0] and cell[1] <= one.body.end]
    return min(found, key=lambda one: one.body.end - one.body.begin, default=None)


def _waits(seal: Seal, cell: Interval) -> bool:
    return seal.state is SealState.PENDING and seal.overlaps(*cell)


def month_name(begin: int, zone: tzinfo) -> str:
    """Such as 2021-03."""
    return f"{datetime.fromtimestamp(begin / 1_000, zone):%Y-%m}"
