"""Where past outages are imported from pages and the API: reads a file, asks what was observed, and enters it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from detak_collector.decisions.proposal import DECLARATION
from detak_collector.decisions.recording import Step
from detak_collector.deriving.process import NotDerivedError
from detak_collector.downtime.intervals import Intervals
from detak_collector.past.batch import EVENTS, Batch, Planned, approvals, batches, plan, rejections, withdrawals
from detak_collector.past.observed import ObservedSheet, read_observed
from detak_collector.past.outages import Found, read_outages, refuse_observed
from detak_collector.report.tables import local_text
from detak_collector.store.base import StoreError
from detak_collector.web.session import Person
from detak_collector.web.sheet import EffectSheet, Wanted
from detak_collector.web.work.exclusions_desk import EFFECT_S, Desk
from detak_collector.web.work.exclusions_effect import Effect, read_effect
from detak_collector.web.work.past_wish import PastImport

VERBS = {"approve": "approves", "reject": "rejects", "withdraw": "withdraws"}


class UnknownNowError(Exception):
    """What was observed cannot be derived at this moment."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file comes to."""

    found: Found
    planned: Planned

    @property
    def left(self) -> dict[str, int]:
        """How many outages or rows are not proposed, by why not."""
        found = self.found
        told = {"known": self.planned.known, "filtered": found.filtered, "others": found.others, "empty": found.empty}
        return {why: number for why, number in told.items() if number}


@dataclass(slots=True)
class PastDesk(Desk):
    """One collector's."""

    async def batches(self) -> list[Batch]:
        """All imports, the latest first."""
        register = (await self.known()).register
        return list(reversed(await asyncio.to_thread(batches, register)))

    async def named(self, name: str) -> Batch | None:
        """The import of that name."""
        return next((one for one in await self.batches() if one.name == name), None)

    async def look(self, wish: PastImport) -> Looked:
        """What the file comes to; raises CatalogueError, AskedError or UnknownNowError."""
        rules, register, source = await self.rules(), (await self.known()).register, wish.source
        zone, mapping = ZoneInfo(rules.catalogue.timezone), wish.read_as()
        wanted = wish.asked.wanted([one.id for one in rules.catalogue.services], zone)
        found = await asyncio.to_thread(read_outages, wish.content, source.file, mapping, wanted, self.now())
        observed = await self._observed(found)
        refuse_observed(found, source.file, lambda *span: observed[span], lambda utc: local_text(utc, zone))
        return Looked(found, await asyncio.to_thread(plan, register, found.outages, source, wish.document))

    async def decide(self, batch: Batch, action: str, reason: str, document: str, person: Person) -> int:
        """Approves, rejects or withdraws the whole of it; how many steps that were.

        Raises RefusedError or ElsewhereError.
        """
        names = await self.enter(_steps(batch, action, reason, document), person)
        said = f"{VERBS[action]} the import {batch.name}: {len(names)} of {len(batch.proposed)} outages"
        self.audit(f"{DECLARATION}-{EVENTS[action]}", batch.name, person, said)
        return len(names)

    def tell_imported(self, wish: PastImport, number: int, person: Person) -> None:
        """For the audit trail, once it is entered."""
        source = wish.source
        said = f"proposes {number} past outages of {source.file}, import {source.name}"
        self.audit(f"{DECLARATION}-imported", source.name, person, said)

    async def without(self, batch: Batch) -> Effect | None:
        """What the figures would be without what of it is in force; None where that cannot be derived now."""
        names, rules = {one.name for one in batch.in_force}, await self.rules()
        gone = sorted((one for one in rules.declarations if one.id in names), key=lambda one: (one.id, one.begin))
        if not gone:
            return Effect()
        content = await self._derived(EffectSheet(tuple(gone), ()))
        return None if content is None else await asyncio.to_thread(read_effect, content)

    async def _observed(self, found: Found) -> dict[tuple[str, int, int], Intervals]:
        spans = tuple(dict.fromkeys((one.service, one.begin, one.end) for one in found.outages))
        if not spans:
            return {}
        sheet = ObservedSheet(spans)
        content = await self._derived(sheet)
        if content is None:
            raise UnknownNowError
        return read_observed(sheet, content)

    async def _derived(self, sheet: Wanted) -> bytes | None:
        try:
            async with asyncio.timeout(EFFECT_S):
                drawn = await self.sheets.get(sheet)
        except (TimeoutError, NotDerivedError, StoreError):
            return None
        return None if drawn is None else drawn.page.plain


def _steps(batch: Batch, action: str, reason: str, document: str) -> list[Step]:
    match action:
        case "approve":
            return approvals(batch, reason, document)
        case "reject":
            return rejections(batch, reason, document)
        case _:
            return withdrawals(batch, reason, document)
