"""/notes: words to those who look at the status page, about an outage or about none. The forms decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from aiohttp import web

from detak_collector.annotations import drafts, recording
from detak_collector.annotations.faults import FaultsError
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.work.annotations import reader, sign_in_first, telling, work_page, writer
from detak_collector.web.work.annotations_desk import Desk, speaker
from detak_collector.web.work.annotations_fields import read_form
from detak_collector.web.work.annotations_view import NOTHING_REFUSED, Refused
from detak_collector.web.work.annotations_words import shared_values

LISTED = 100


@dataclass(frozen=True, slots=True)
class NotePages:
    """The page of all notes."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/notes", self.notes),
            web.post("/notes", self.say),
            web.post("/notes/retracted", self.retract),
        ]

    async def notes(self, request: web.Request) -> web.StreamResponse:
        """Those that stand, and a form for another."""
        may_see, person = await reader(self.desk, request)
        return await self._shown(request, person) if may_see else sign_in_first(request)

    async def say(self, request: web.Request) -> web.StreamResponse:
        """Puts a note about no outage on the status page."""
        self.desk.people.require()
        brought = await read_form(request, self.desk.people.gate)
        person = await writer(self.desk, request)
        try:
            draft = drafts.note_drafted(brought.get("audience") == "public", brought.get("id"), brought.get("en"))
        except FaultsError as error:
            return await self._shown(request, person, Refused("note", error.faults, fields=brought.fields), 422)
        said = await self.desk.enter(
            partial(recording.say, self.desk.database, draft, speaker(person), self.desk.now_utc)
        )
        self.desk.audit("note-written", person, f"note {said.id[:8]} written", 0)
        return go_to("./notes?notice=noted")

    async def retract(self, request: web.Request) -> web.StreamResponse:
        """Takes one back."""
        self.desk.people.require()
        brought = await read_form(request, self.desk.people.gate)
        person = await writer(self.desk, request)
        enter = partial(recording.retract, self.desk.database, brought.get("note"), speaker(person), self.desk.now_utc)
        try:
            taken = await self.desk.enter(enter)
        except FaultsError as error:
            return await self._shown(request, person, Refused("retract", error.faults), 422)
        self.desk.audit("note-retracted", person, f"note {taken.id[:8]} taken back", 0)
        return go_to("../notes?notice=retracted")

    async def _shown(
        self, request: web.Request, person: Person | None, refused: Refused = NOTHING_REFUSED, status: int = 200
    ) -> web.Response:
        tell, told = telling(self.desk, request), await self.desk.told()
        standing = list(reversed(told.notes))
        return work_page(
            self.desk, request, person, "work/notes.html", tell, status,
            title=tell.language.say("Notes for the status page"), standing=standing[:LISTED],
            where=refused.where, faults=refused.words(tell.language), fields=refused.fields,
            most={"note": drafts.MOST_NOTE}, **shared_values(tell),
        )  # fmt: skip
