"""What a disposal rests on: that what is kept of its months is what their seals hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detak_collector.closing.account import account_of
from detak_collector.closing.seals import Seal
from detak_collector.commands.closing_desk import ClosingDesk
from detak_collector.decisions.recording import RefusedError
from detak_collector.downtime.intervals import Interval
from detak_collector.retention.reach import covering


def refuse_overtaken(at: ClosingDesk, until: int) -> None:
    """Raises RefusedError where a seal of that time holds another figure than its evidence comes to by now.

    One that this version of the program does not come to at all is none of these: its figure stands as it is.
    """
    for seal in _bearing(at, until):
        if _is_as_sealed(at, seal):
            continue
        then = account_of(at.figures.derived(seal.period, seal.body.as_of))
        if then.digest == seal.body.digest:
            name = seal.body.period
            raise RefusedError(f"{name} is sealed, no. {seal.label}, and comes to another figure by what came later: "
                               f"`detak-collector restate {name}` comes before its evidence goes")  # fmt: skip


def known_since(at: ClosingDesk, cells: Iterable[Interval]) -> dict[Interval, int]:
    """Of each month that comes to what its seal holds, up to when evidence was used for that."""
    seals = at.seals()
    same: dict[str, bool] = {}
    found = {}
    for cell in cells:
        seal = covering(seals, cell)
        if seal is None:
            continue
        if seal.label not in same:
            same[seal.label] = _is_as_sealed(at, seal)
        if same[seal.label]:
            found[cell] = seal.body.as_of
    return found


def _bearing(at: ClosingDesk, until: int) -> Iterator[Seal]:
    return (one for one in at.seals().standing() if one.body.begin < until)


def _is_as_sealed(at: ClosingDesk, seal: Seal) -> bool:
    return account_of(at.figures.derived(seal.period)).digest == seal.body.digest
