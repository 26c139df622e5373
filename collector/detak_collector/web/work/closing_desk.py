"""Where people close periods from pages and the API: asks what is so, enters seals, disputes and what is decided.

It decides nothing: `closing` does, in the transaction that writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TypeVar

from msgspec import structs

from detak_collector.closing.bodies import Answer, DisputeBody
from detak_collector.closing.disputes import Dispute, Disputes
from detak_collector.closing.examined import ClosingSheet, Examined, read_examined
from detak_collector.closing.gathering import disputes_of, seals_of
from detak_collector.closing.recording import Ruling, answer_dispute, decide_seal, enter_dispute, enter_seal
from detak_collector.closing.seals import Seal, Seals
from detak_collector.closing.timestamping import stamped
from detak_collector.closing.touched import people_lines, told_people
from detak_collector.deriving.process import NotDerivedError
from detak_collector.downtime.numbering import Known as KnownOutage
from detak_collector.downtime.periods import Period
from detak_collector.store.base import StoreError
from detak_collector.web.session import Person
from detak_collector.web.work.exclusions_desk import EFFECT_S, Desk, author_of

PROGRAM = version("detak-collector")

R = TypeVar("R")


@dataclass(slots=True)
class ClosingDesk(Desk):
    """One collector's."""

    async def seals(self) -> Seals:
        """All seals as the log has them."""
        return await asyncio.to_thread(lambda: self._read_with(seals_of))

    async def disputes(self) -> Disputes:
        """The same of disputes."""
        return await asyncio.to_thread(lambda: self._read_with(disputes_of))

    async def examined(self, spoken: str, period: str) -> Examined | None:
        """What keeps a period open; None where it cannot be derived now."""
        mark = await asyncio.to_thread(self.people.store.entries.mark)
        sheet = ClosingSheet(spoken, period, self.people.config().seal, PROGRAM, mark)
        try:
            async with asyncio.timeout(EFFECT_S):
                drawn = await self.sheets.get(sheet)
        except (TimeoutError, NotDerivedError, StoreError):
            return None
        return None if drawn is None else await asyncio.to_thread(read_examined, drawn.page.plain)

    async def ask(self, examined: Examined, reason: str, person: Person) -> Seal:
        """Enters the seal or restatement that was examined; raises RefusedError, ElsewhereError or TimestampError."""
        assert examined.body is not None, "there is one where it may be asked for"
        head = await asyncio.to_thread(self._head)
        body = examined.body
        period = Period(body.period, body.begin, body.end)
        told = [] if body.restates is None else await asyncio.to_thread(self._recipients, period)
        made = structs.replace(body, head=head, reason=reason, touched=[*body.touched, *told])
        place = self.people.config().seal.timestamps
        if place is not None:
            made = structs.replace(made, timestamp=await asyncio.to_thread(stamped, place, made))
        author, now = author_of(person), self.now()
        return await self._write(lambda: enter_seal(self.people.store.database, made, author, now))

    async def decide(self, ruling: Ruling, person: Person) -> Seal:
        """Enters what is decided on a pending one; raises RefusedError or ElsewhereError."""
        author, now = author_of(person), self.now()
        made = await self._write(lambda: decide_seal(self.people.store.database, ruling, author, now))
        await asyncio.to_thread(self._head)
        return made

    async def outage(self, number: int) -> KnownOutage | None:
        """The outage that has this number now; None where there is none."""
        return await asyncio.to_thread(self._outage, number)

    async def dispute(self, body: DisputeBody, person: Person) -> Dispute:
        """Enters a dispute; raises RefusedError or ElsewhereError."""
        author, now = author_of(person), self.now()
        return await self._write(lambda: enter_dispute(self.people.store.database, body, author, now))

    async def answer(self, number: int, verdict: Answer, reason: str, person: Person) -> Dispute:
        """Enters the answer to one; raises RefusedError or ElsewhereError."""
        author, now, database = author_of(person), self.now(), self.people.store.database
        return await self._write(lambda: answer_dispute(database, number, verdict, reason, author, now))

    def _read_with(self, read: Callable[..., R]) -> R:
        with self.people.store.database.reading() as connection:
            return read(connection)

    def _head(self) -> str:
        return str(self.people.store.ledger.brought_on(self.now()))

    def _recipients(self, period: Period) -> list[str]:
        letters = self.people.store.outbox.listing(0)
        return people_lines(told_people(letters, period, self.people.zone(), self.now()))

    def _outage(self, number: int) -> KnownOutage | None:
        known = self.people.store.outages.known(number)
        while known is not None and known.merged_into is not None:
            known = self.people.store.outages.known(known.merged_into)
        return known
