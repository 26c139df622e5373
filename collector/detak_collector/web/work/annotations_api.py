"""What the pages about outages do, for programs: annotate, acknowledge, attach, note, rule. No decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.annotations import drafts, recording
from detak_collector.annotations.faults import FaultsError, MeanwhileError, UnknownOutageError
from detak_collector.annotations.kinds import MOST_BYTES
from detak_collector.annotations.on_board import standing
from detak_collector.web.session import Person
from detak_collector.web.work import annotations_json as told
from detak_collector.web.work.annotations import reader
from detak_collector.web.work.annotations_desk import Desk, number_of, speaker
from detak_collector.web.work.annotations_files import FilePages
from detak_collector.web.work.annotations_json import (
    AcknowledgementSent,
    AnnotationSent,
    NoteSent,
    RulingSent,
)
from detak_collector.web.work.exclusions_json import (
    RefusedRequest,
    WrongField,
    answered,
    body_of,
    content_of,
    problem,
)

BYTES = "application/octet-stream"
SIGN_IN = "Sign in, or bring a token."
NOT_ALLOWED = "Operators and approvers write here, and tokens of theirs with the scope annotate."
NO_PEOPLE = "People do not sign in at this collector, so nothing is entered here."

Seen = Callable[[web.Request], Awaitable[web.Response]]
Entered = Callable[[web.Request, Person], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class AnnotationApi:
    """The endpoints."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        seen, entered = partial(partial, self._seen), partial(partial, self._entered)
        return [
            web.get("/api/v1/outages/{number}/annotations", seen(self.outage)),
            web.post("/api/v1/outages/{number}/annotations", entered(self.annotate)),
            web.post("/api/v1/outages/{number}/acknowledgements", entered(self.acknowledge)),
            web.post("/api/v1/outages/{number}/attachments", entered(self.attach)),
            web.delete("/api/v1/outages/{number}/attachments/{digest}", entered(self.detach)),
            web.get("/api/v1/attachments/{digest}", seen(self.attachment)),
            web.get("/api/v1/notes", self.notes),
            web.post("/api/v1/notes", entered(self.say)),
            web.delete("/api/v1/notes/{note}", entered(self.retract)),
            web.get("/api/v1/incidents/rulings", seen(self.rulings)),
            web.post("/api/v1/incidents/rulings", entered(self.rule)),
        ]

    async def _seen(self, work: Seen, request: web.Request) -> web.Response:
        may_see, person = await reader(self.desk, request)
        if not may_see:
            return problem(401 if person is None else 403, SIGN_IN if person is None else NOT_ALLOWED)
        return await _guarded(partial(work, request))

    async def _entered(self, work: Entered, request: web.Request) -> web.Response:
        """Another site's page may not have a browser enter anything."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return problem(403, "This came from another site.")
        if self.desk.people.terms() is None:
            return problem(404, NO_PEOPLE)
        person = await self.desk.people.gate.person(request)
        if person is None:
            return problem(401, SIGN_IN)
        if Right.ANNOTATE not in person.rights:
            return problem(403, NOT_ALLOWED)
        return await _guarded(partial(work, request, person))

    async def outage(self, request: web.Request) -> web.Response:
        """All that was said of one outage."""
        found = await self.desk.outage(number_of(request))
        said = found.told
        document = told.told_of(
            found.known, said.versions,
            acknowledgements=[told.acknowledgement(one) for one in said.acknowledgements],
            attachments=[told.attachment(one) for one in said.files],
            notes=[told.note(one) for one in said.notes],
        )  # fmt: skip
        return answered(request, document)

    async def annotate(self, request: web.Request, person: Person) -> web.Response:
        """Saves a version."""
        draft = told.drafted(await body_of(request, AnnotationSent))
        number = number_of(request)
        enter = partial(recording.annotate, self.desk.database, number, draft, speaker(person), self.desk.now_utc)
        said = await self.desk.enter(enter)
        versions = (await self.desk.outage(number)).told.versions
        self.desk.audit("outage-annotated", person, f"outage {said.body.outage}: annotated", said.body.outage)
        place = next(at for at, one in enumerate(versions, 1) if one.id == said.id)
        return answered(request, told.annotation(said, place), 201)

    async def acknowledge(self, request: web.Request, person: Person) -> web.Response:
        """Says that he knows of it."""
        sent = await body_of(request, AcknowledgementSent)
        text = drafts.line_drafted("note", sent.note, drafts.MOST_ACKNOWLEDGEMENT)
        enter = partial(
            recording.acknowledge, self.desk.database, number_of(request), text, speaker(person), self.desk.now_utc
        )
        said = await self.desk.enter(enter)
        self.desk.audit("outage-acknowledged", person, f"outage {said.body.outage}: acknowledged", said.body.outage)
        return answered(request, told.acknowledgement(said), 201)

    async def attach(self, request: web.Request, person: Person) -> web.Response:
        """Keeps a file, which is the body."""
        file = recording.File(request.query.get("name", ""), await content_of(request, BYTES, MOST_BYTES))
        enter = partial(
            recording.attach, self.desk.database, number_of(request), file, speaker(person), self.desk.now_utc
        )
        said = await self.desk.enter(enter)
        text = f"outage {said.body.outage}: file attached: {said.body.name}"
        self.desk.audit("file-attached", person, text, said.body.outage)
        return answered(request, told.attachment(said), 201)

    async def detach(self, request: web.Request, person: Person) -> web.Response:
        """Enters that a file does not belong to the outage any more."""
        number, digest = number_of(request), request.match_info["digest"]
        enter = partial(recording.detach, self.desk.database, number, digest, speaker(person), self.desk.now_utc)
        said = await self.desk.enter(enter)
        text = f"outage {said.body.outage}: file detached: {said.body.name}"
        self.desk.audit("file-detached", person, text, said.body.outage)
        return web.Response(status=204, headers={"Cache-Control": "no-store"})

    async def attachment(self, request: web.Request) -> web.Response:
        """The bytes of an attachment."""
        return await FilePages(self.desk).answer(request.match_info["digest"])

    async def notes(self, request: web.Request) -> web.Response:
        """The notes: all for who has signed in, for others those for everybody that stand on the status page now."""
        may_see, _ = await reader(self.desk, request)
        every = await self.desk.told()
        if may_see:
            return answered(request, {"items": [told.note(one) for one in reversed(every.notes)]})
        shown = await asyncio.to_thread(standing, every, self.desk.people.store.outages.lasting, self.desk.now_utc)
        public = [told.note(one, with_name=False) for _, one in reversed(shown) if one.body.public]
        return answered(request, {"items": public})

    async def say(self, request: web.Request, person: Person) -> web.Response:
        """Puts a note on the status page."""
        sent = await body_of(request, NoteSent)
        draft = drafts.note_drafted(sent.public, sent.id, sent.en, sent.outage)
        said = await self.desk.enter(
            partial(recording.say, self.desk.database, draft, speaker(person), self.desk.now_utc)
        )
        self.desk.audit("note-written", person, f"note {said.id[:8]} written", said.body.outage or 0)
        return answered(request, told.note(said), 201)

    async def retract(self, request: web.Request, person: Person) -> web.Response:
        """Takes a note back."""
        handle = request.match_info["note"]
        enter = partial(recording.retract, self.desk.database, handle, speaker(person), self.desk.now_utc)
        taken = await self.desk.enter(enter)
        self.desk.audit("note-retracted", person, f"note {taken.id[:8]} taken back", taken.body.outage or 0)
        return web.Response(status=204, headers={"Cache-Control": "no-store"})

    async def rulings(self, request: web.Request) -> web.Response:
        """All rulings on incidents."""
        every = await asyncio.to_thread(self.desk.people.store.outages.rulings)
        return answered(request, {"items": told.rulings(every)})

    async def rule(self, request: web.Request, person: Person) -> web.Response:
        """Enters a ruling."""
        sent = await body_of(request, RulingSent)
        told.require_whole(sent)
        reason = drafts.line_drafted("reason", sent.reason, drafts.MOST_CAUSE, required=True)
        asked = told.ruling(sent, reason, person.account.name, self.desk.now_utc)
        kept = await self.desk.rule(asked)
        self.desk.audit("incident-ruled", person, f"ruling {kept.id}: {kept.kind}: {kept.reason}", 0)
        every = await asyncio.to_thread(self.desk.people.store.outages.rulings)
        (found,) = [one for one in told.rulings(every) if one["ruling"] == kept.id]
        return answered(request, found, 201)


async def _guarded(work: Callable[[], Awaitable[web.Response]]) -> web.Response:
    """The answer, or why there is none, as a problem."""
    try:
        return await work()
    except RefusedRequest as refused:
        return refused.answer
    except UnknownOutageError as error:
        return problem(404, str(error))
    except MeanwhileError:
        return problem(409, "Somebody has written a newer version meanwhile: read it, and send yours again.")
    except FaultsError as error:
        errors = tuple(
            WrongField(one.where, one.text.format(**one.named) if one.named else one.text) for one in error.faults
        )
        return problem(422, "Nothing is entered: something in it is not right.", errors)
    except web.HTTPNotFound as error:
        return problem(404, (error.text or "There is no such thing.").strip())
