"""The process that derives boards and draws the page: `python -m detak_collector.deriving.worker`, at low priority.

It is started by a serving collector, speaks with it over its standard input and output, and ends with it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import queue
import signal
import threading
import traceback
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from detak_collector.annotations.known import KnownAnnotations
from detak_collector.annotations.on_board import annotated
from detak_collector.board.glance import glance_of
from detak_collector.clocks import Reading
from detak_collector.closing.examined import ClosingSheet, examined_json
from detak_collector.closing.past import with_past
from detak_collector.closing.sealed_view import KnownSeals, SealedView
from detak_collector.deriving.filling import Filling
from detak_collector.deriving.messages import (
    LENGTH,
    Drawn,
    Errand,
    Failed,
    Filled,
    FillOrder,
    Message,
    Order,
    Outcome,
    Refused,
    SheetOrder,
    Start,
    packed,
    unpacked,
)
from detak_collector.deriving.stored import MonthsKeptElsewhere, NumberedElsewhere, ReadingDatabase, StoredFacts
from detak_collector.figures import Figures
from detak_collector.past.observed import ObservedSheet, observed_json
from detak_collector.records import Records
from detak_collector.rules import Rules
from detak_collector.store.as_of import known_since
from detak_collector.store.base import StoreError, StoreUnavailableError
from detak_collector.store.entries import SqlEntries
from detak_collector.store.history import SqlHistory
from detak_collector.store.metrics import read as read_metrics
from detak_collector.store.place import StorePlace
from detak_collector.store.registry import SqlRegistry
from detak_collector.stored_months import View
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES, Renderer
from detak_collector.web.sheet import DrawnSheet
from detak_collector.web.sheet_maker import SheetMaker, Sources

FIRST_TO_GO = "500"
"""Where memory runs out the kernel ends this process, which is started again, and not the one that has evidence."""

SELDOM = (20_000, 20, 100)
"""When garbage is looked for. Evidence makes no cycles, and looking through it takes half as long as reading it."""

PR_SET_PDEATHSIG = 1


class Line:
    """To the serving process. Once that has ended, or has closed the line, this process ends too, whatever it does."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def hear(self) -> Message:
        """The next message."""
        return self._heard.get()

    def say(self, message: Message) -> None:
        """Sends one."""
        try:
            self._outgoing.write(packed(message))
            self._outgoing.flush()
        except OSError:
            os._exit(0)

    def ask(self, errand: Errand) -> Outcome:
        """Has the serving process write; raises StoreError as the store does there."""
        self.say(errand)
        outcome = self.hear()
        if isinstance(outcome, Refused):
            raise (StoreUnavailableError if outcome.is_for_now else StoreError)(outcome.text)
        assert isinstance(outcome, int | tuple)
        return outcome

    def _listen(self) -> None:
        try:
            while len(head := self._incoming.read(LENGTH.size)) == LENGTH.size:
                body = self._incoming.read(*LENGTH.unpack(head))
                self._heard.put(unpacked(body))
        finally:
            os._exit(0)


class Deriving:
    """One store's figures, as of the moment and under the rules of each order."""

    def __init__(self, line: Line, place: StorePlace) -> None:
        database = ReadingDatabase(place.database())
        register = NumberedElsewhere(database, line.ask)
        records = Records(register, SqlHistory(database))
        self._figures = Figures(
            StoredFacts(database), MonthsKeptElsewhere(database, line.ask), SqlRegistry(database),
            self._rules_now, self._clock, records,
        )  # fmt: skip
        past = Figures(
            StoredFacts(database), MonthsKeptElsewhere(database, line.ask), SqlRegistry(database),
            lambda: with_past(self._rules_now(), database), self._clock, records,
        )  # fmt: skip
        self._figures.under_seals(SealedView(KnownSeals(SqlEntries(database)), past.derived))
        self._filling = Filling(
            StoredFacts(database), MonthsKeptElsewhere(database, line.ask), self._rules_now, self._clock,
            partial(known_since, database),
        )  # fmt: skip
        self._register, self._annotations = register, KnownAnnotations(database)
        assets = Assets(STATIC, TEMPLATES)
        self._draw = Renderer(assets).snapshots
        metrics = partial(read_metrics, database)

        def examine(sheet: ClosingSheet | ObservedSheet, rules: Rules) -> bytes:
            if isinstance(sheet, ObservedSheet):
                return observed_json(View(StoredFacts(database), rules, self._clock()), sheet)
            return examined_json(database, self._figures, self._clock().utc, sheet, with_past(rules, database))

        sources = Sources(self._figures, register, metrics, self._rules_now, lambda: self._clock().utc, examine)
        self._sheets = SheetMaker(sources, assets)
        self._rules: Rules | None = None
        self._now: Reading | None = None

    def follow(self, order: Order | SheetOrder | FillOrder) -> Drawn | DrawnSheet | Filled | Failed:
        """Does what it says; whatever fails is told, and the next order finds everything as it was."""
        self._now, self._rules = order.now, order.rules or self._rules
        try:
            match order:
                case SheetOrder():
                    return self._sheets.draw(order.sheet)
                case FillOrder():
                    return Filled(self._filling.step(only_look=order.only_look))
                case Order():
                    return self._drawn(order)
        except StoreError as error:
            return Failed(str(error), "")
        except Exception as error:  # noqa: BLE001 - told to the serving process, which logs it
            return Failed(f"{type(error).__name__}: {error}", traceback.format_exc())

    def _drawn(self, order: Order) -> Drawn:
        board = annotated(self._figures.board_now(order.leisure), self._annotations.told(), self._register.lasting)
        if order.alarms is None:
            return Drawn(glance_of(board), None)
        shown = replace(board, alarms=order.alarms)
        return Drawn(glance_of(board), self._draw(shown, order.languages, apart=order.apart))

    def _rules_now(self) -> Rules:
        assert self._rules is not None, "the first order has rules"
        return self._rules

    def _clock(self) -> Reading:
        assert self._now is not None, "an order has its moment"
        return self._now


def main() -> None:
    """Follows orders until the serving process has ended."""
    line = _line()
    _take_the_back_seat()
    start = line.hear()
    assert isinstance(start, Start)
    deriving = Deriving(line, start.place)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    while True:
        order = line.hear()
        assert isinstance(order, Order | SheetOrder | FillOrder)
        line.say(deriving.follow(order))


def _line() -> Line:
    """Standard input and output, which nothing else in this process gets to use."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return Line(incoming, outgoing)


def _take_the_back_seat() -> None:
    """Signals meant for the serving process are left to it, its end is the end of this one, and memory is its first."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Also where this process is stopped, and so cannot see its line closed.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")


if __name__ == "__main__":
    main()
