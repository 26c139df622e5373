"""The serving process's side: starts the deriving one, gives it orders one at a time, and does its writing.

Whatever becomes of that process costs the page and news of outages, for a while, and never evidence.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

from detak_collector.board.running import LEISURE
from detak_collector.clocks import Clock, Reading
from detak_collector.deriving.life import Patience, Signs, how_it_ended, is_running, started_behind
from detak_collector.deriving.messages import (
    LENGTH,
    Drawn,
    Errand,
    Failed,
    Filled,
    FillOrder,
    Message,
    Note,
    Number,
    Order,
    Outcome,
    Put,
    Refused,
    SheetOrder,
    Start,
    packed,
    unpacked,
)
from detak_collector.operating.logs import fields
from detak_collector.rules import Rules
from detak_collector.store.base import StoreError, StoreUnavailableError
from detak_collector.store.derived import SqlDerived
from detak_collector.store.place import StorePlace
from detak_collector.store.remembered import OutageRegister
from detak_collector.web.sheet import DrawnSheet, Wanted

Asked = Order | SheetOrder | FillOrder

COMMAND = (sys.executable, "-P", "-m", "detak_collector.deriving.worker")

_log = logging.getLogger(__name__)


class NotDerivedError(Exception):
    """There is no board as of now; the text says why."""


class _LostError(Exception):
    """The process has ended, or does not go on."""


@dataclass(frozen=True, slots=True)
class Writer:
    """What the deriving process has done for it; in a thread, since it waits for the disk."""

    derived: SqlDerived
    outages: OutageRegister

    def do(self, errand: Errand) -> Outcome | Refused:
        """Does it as the store would."""
        try:
            match errand:
                case Note(since):
                    return self.derived.note(since)
                case Put(months, mark):
                    return self.derived.put(months, mark)
                case Number(found, window, now):
                    return self.outages.number(found, window, now)
        except StoreError as error:
            return Refused(str(error), isinstance(error, StoreUnavailableError))


@dataclass(slots=True)
class Boards:
    """Boards from a process of its own. It is started with the first order, and again whenever it is not there.

    `rules` are asked in a thread; it is told of them where they are another object than before.
    """

    place: StorePlace
    writer: Writer
    rules: Callable[[], Rules]
    clock: Clock
    patience: Patience = field(default_factory=Patience)
    command: tuple[str, ...] = COMMAND
    trouble: str = field(default="", init=False)
    """Why there is no board as of now; empty where there is."""
    derived_utc: int | None = field(default=None, init=False)
    """The moment of the latest board."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _child: Process | None = field(default=None, init=False)
    _rules_there: Rules | None = field(default=None, init=False)
    _losses: int = field(default=0, init=False)
    _not_before: float = field(default=0.0, init=False)

    async def derived(
        self,
        leisure: int = LEISURE,
        alarms: tuple[str, ...] | None = None,
        languages: Collection[str] = (),
        *,
        apart: bool = False,
    ) -> Drawn:
        """The board as of now at a glance, and with `alarms` the page that shows them; raises NotDerivedError.

        It is drawn in these languages. `apart`: with what is public drawn a second time, by itself.
        """
        wanted = tuple(sorted(languages))
        async with self._turn:
            try:
                drawn = await self._ordered(lambda now, rules: Order(now, leisure, rules, alarms, apart, wanted))
            except NotDerivedError as error:
                self.trouble = str(error)
                raise
            assert isinstance(drawn, Drawn)
            self.trouble, self.derived_utc, self._losses = "", drawn.glance.now, 0
            return drawn

    async def sheet(self, sheet: Wanted) -> DrawnSheet:
        """A page by itself as of now; raises NotDerivedError."""
        async with self._turn:
            drawn = await self._ordered(lambda now, rules: SheetOrder(now, rules, sheet))
            assert isinstance(drawn, DrawnSheet)
            self._losses = 0
            return drawn

    async def fill(self, *, only_look: bool = False) -> bool:
        """Keeps a few closed months that nobody has asked for; whether there may be more. Raises NotDerivedError.

        `only_look`: keeps none, and tells whether there is any.
        """
        async with self._turn:
            filled = await self._ordered(lambda now, rules: FillOrder(now, rules, only_look))
            assert isinstance(filled, Filled)
            self._losses = 0
            return filled.more

    def another(self) -> Boards:
        """The same in a process of its own, so that what takes long there delays nothing here."""
        return Boards(self.place, self.writer, self.rules, self.clock, self.patience, self.command)

    async def close(self) -> None:
        """Ends the process."""
        async with self._turn:
            await self._end()

    @property
    def pid(self) -> int | None:
        """The process, where there is one."""
        return None if self._child is None else self._child.pid

    async def _ordered(self, order: Callable[[Reading, Rules | None], Asked]) -> Drawn | DrawnSheet | Filled:
        try:
            child = await self._started()
            rules = await asyncio.to_thread(self.rules)
            made = order(self.clock(), None if rules is self._rules_there else rules)
            self._rules_there = rules
            answer = await self._answered(child, made)
        except (_LostError, OSError) as error:
            raise NotDerivedError(await self._lost(error)) from None
        except BaseException:
            # What it would still say belongs to nobody.
            await self._end()
            raise
        if isinstance(answer, Failed):
            raise _told(answer)
        return answer

    async def _started(self) -> Process:
        if self._child is not None and _is_there(self._child):
            return self._child
        if self._child is not None:
            self.trouble = await self._lost(_LostError())
        if asyncio.get_running_loop().time() < self._not_before:
            raise NotDerivedError(self.trouble)
        self._child = await started_behind(self.command)
        self._rules_there = None
        await self._say(self._child, Start(self.place))
        return self._child

    async def _answered(self, child: Process, order: Asked) -> Drawn | DrawnSheet | Filled | Failed:
        """Its answer to the order, once all its errands are done."""
        message: Message = order
        while True:
            await self._say(child, message)
            answer = await self._heard(child)
            if isinstance(answer, Drawn | DrawnSheet | Filled | Failed):
                return answer
            assert isinstance(answer, Note | Put | Number)
            message = await asyncio.to_thread(self.writer.do, answer)

    async def _say(self, child: Process, message: Message) -> None:
        assert child.stdin is not None
        child.stdin.write(packed(message))
        async with asyncio.timeout(self.patience.idle_s):
            await child.stdin.drain()

    async def _heard(self, child: Process) -> Message:
        """Its next message; raises _LostError where it has ended, or does nothing."""
        signs, hearing = Signs.of(child.pid), asyncio.create_task(_received(child))
        begun = asyncio.get_running_loop().time()
        try:
            while True:
                done, _ = await asyncio.wait({hearing}, timeout=self.patience.idle_s)
                if done:
                    return hearing.result()
                before, signs = signs, Signs.of(child.pid)
                took_s = asyncio.get_running_loop().time() - begun
                if signs.cpu_s - before.cpu_s < self.patience.least_cpu_s or took_s > self.patience.most_s:
                    raise _LostError(f"has said nothing for {took_s:.0f} s")
        except asyncio.IncompleteReadError:
            raise _LostError from None
        finally:
            hearing.cancel()

    async def _lost(self, error: Exception) -> str:
        """Ends what is left of it, and says what became of it; the next one may wait for its turn."""
        child = self._child
        await self._end()
        why = f"could not be started: {error}" if child is None else how_it_ended(child.returncode)
        if isinstance(error, _LostError) and str(error):
            why = str(error)
        wait_s = self.patience.before_another(self._losses)
        self._losses += 1
        self._not_before = asyncio.get_running_loop().time() + wait_s
        again = f"it is started again in {wait_s:.0f} s" if wait_s else "it is started again"
        _log.warning("the process that derives the page %s: %s", why, again, extra=fields(event="page-process"))
        return f"the process that derives the page {why}"

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        child.stdin.close()
        try:
            async with asyncio.timeout(self.patience.end_s):
                await child.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def _is_there(child: Process) -> bool:
    """Whether it has not ended: the kernel knows of that before its end has been read here."""
    assert child.stdout is not None
    return child.returncode is None and not child.stdout.at_eof() and is_running(child.pid)


async def _received(child: Process) -> Message:
    assert child.stdout is not None
    head = await child.stdout.readexactly(LENGTH.size)
    body = await child.stdout.readexactly(*LENGTH.unpack(head))
    try:
        # In a thread: a page is unpacked without the interpreter.
        return await asyncio.to_thread(unpacked, body)
    except (pickle.UnpicklingError, AttributeError, ImportError, TypeError) as error:
        raise _LostError(f"is another version: restart the collector ({error})") from error


def _told(failed: Failed) -> NotDerivedError:
    error = NotDerivedError(failed.text)
    if failed.details:
        error.add_note(failed.details)
    return error
