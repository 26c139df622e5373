"""What is remembered and what people entered, added to a derived result: numbers, rulings, published figures, stories.

It never changes a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from detak_collector.annotations.known import TellsOfOutages
from detak_collector.board.board import Board, OutageState
from detak_collector.clocks import Reading
from detak_collector.downtime.derive import Result, with_incidents
from detak_collector.downtime.history import in_force
from detak_collector.downtime.incidents import orders_of
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.numbering import FOREVER, Found, cut
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.periods import local_year
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.remembered import OutageRegister, PublishedFigures


@dataclass(frozen=True, slots=True)
class Records:
    """The seams that results are completed from. Without `annotations` nothing is told that people wrote of outages."""

    outages: OutageRegister
    history: PublishedFigures
    annotations: TellsOfOutages | None = None

    def complete(self, result: Result, now: Reading) -> Result:
        """The result as it stands now: each outage has its number, from now on for good."""
        found = _found(result)
        return self._told(result, found, _numbered(self.outages, found, _window(result), now))

    def recall(self, result: Result) -> Result:
        """The result of an earlier moment: an outage has its number where it got one, and none is given away."""
        found = _found(result)
        return self._told(result, found, self.outages.recall(found, _window(result)))

    def _told(self, result: Result, found: Sequence[Found], numbers: Sequence[int | None]) -> Result:
        known = dict(zip(((one.service, one.begin) for one in found), numbers, strict=True))
        rulings = [one for one in self.outages.rulings() if one.ruled_at <= result.as_of]
        year = local_year(result.period.begin, result.case.zone)
        published = tuple(one for one in in_force(self.history.entries(), result.as_of) if one.year < year)
        orders = orders_of(rulings, self.outages.merged())
        told = replace(with_incidents(result, known, orders), published=published)
        if self.annotations is None:
            return told
        stories = self.annotations.told(result.as_of).stories()
        written = {key: stories[number] for key, number in known.items() if number is not None and number in stories}
        return replace(told, stories=written)


class LatestNumbers:
    """The numbers of the outages on a page that is drawn again and again; the register is asked when one is news."""

    def __init__(self, register: OutageRegister) -> None:
        self._register = register
        self._known: dict[tuple[str, int], tuple[int | None, int | None]] = {}

    def on(self, board: Board, outages: Callable[[], Iterable[Outage]], now: Reading) -> Board:
        """The board with its outages numbered. `outages` gives all since the first of them began, of every service."""
        shown = (*board.running, *board.recent, *board.lately)
        news = [one for one in shown if not self._is_known(one)]
        if news:
            self._ask(min(one.begin for one in news), outages(), now)
        self._known = {_key(one): (one.end, self._known[_key(one)][1]) for one in shown}
        return replace(
            board,
            running=self._with_numbers(board.running),
            recent=self._with_numbers(board.recent),
            lately=self._with_numbers(board.lately),
        )

    def _with_numbers(self, outages: Sequence[OutageState]) -> tuple[OutageState, ...]:
        return tuple(replace(one, number=self._known[_key(one)][1]) for one in outages)

    def _is_known(self, one: OutageState) -> bool:
        end, number = self._known.get(_key(one), (None, None))
        return number is not None and end == one.end

    def _ask(self, since: int, outages: Iterable[Outage], now: Reading) -> None:
        window = (since, FOREVER)
        found = cut((_as_found(one) for one in outages), window)
        numbers = _numbered(self._register, found, window, now)
        for one, number in zip(found, numbers, strict=True):
            self._known[one.service, one.begin] = (None if one.running else one.end, number)


def _numbered(
    register: OutageRegister, found: Sequence[Found], window: Interval, now: Reading
) -> tuple[int | None, ...]:
    """The numbers of the outages; where the store cannot keep any now, a new one has none yet."""
    try:
        return register.number(found, window, now)
    except StoreUnavailableError:
        return register.recall(found, window)


def _key(one: OutageState) -> tuple[str, int]:
    return one.service_id, one.begin


def _found(result: Result) -> list[Found]:
    return [_as_found(outage) for one in result.services for outage in one.outages]


def _as_found(outage: Outage) -> Found:
    return Found(outage.service, outage.begin, outage.end, outage.running)


def _window(result: Result) -> Interval:
    """What the result sees: its period, or all time since its begin where it reaches up to its moment."""
    return result.period.begin, FOREVER if result.as_of <= result.period.end else result.period.end
