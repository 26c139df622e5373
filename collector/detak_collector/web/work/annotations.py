"""/outages/NUMBER: what people say of an outage. The forms decide nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.annotations import drafts, recording
from detak_collector.annotations.faults import FaultsError, MeanwhileError, UnknownOutageError
from detak_collector.downtime.incidents import MERGE, SPLIT, UNDO, Ruling
from detak_collector.translation import LANGUAGE_NAMES
from detak_collector.translation.language import language, mark
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.speaking import spoken_by
from detak_collector.web.telling import Telling
from detak_collector.web.uploads import Upload
from detak_collector.web.work.annotations_desk import Desk, Outage, may_write, number_of, speaker
from detak_collector.web.work.annotations_fields import read_form, typed_of
from detak_collector.web.work.annotations_view import NOTHING_REFUSED, NOTICES, Refused, outage_values

NO_OUTAGE = mark("No outage has this number.") + "\n"
NOT_ALLOWED = mark("Operators and approvers write here. An administrator gives these roles.") + "\n"
ODD_RULING = mark("Choose what is to be ruled, and name outages by their numbers.") + "\n"
MOST_MERGED = 50

Page = Callable[[web.Request, Person | None], Awaitable[web.StreamResponse]]
Change = Callable[[web.Request, Person, int, Upload], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class AnnotationPages:
    """The pages."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/outages/{number}", partial(self.seen, self.outage)),
            web.post("/outages/{number}/annotation", partial(self.changed, self.annotate)),
            web.post("/outages/{number}/acknowledgement", partial(self.changed, self.acknowledge)),
            web.post("/outages/{number}/files", partial(self.changed, self.files)),
            web.post("/outages/{number}/note", partial(self.changed, self.note)),
            web.post("/outages/{number}/incident", partial(self.changed, self.incident)),
        ]

    async def seen(self, page: Page, request: web.Request) -> web.StreamResponse:
        """The page for who may see it; others are led to where they sign in."""
        may_see, person = await reader(self.desk, request)
        if not may_see:
            return sign_in_first(request)
        try:
            return await page(request, person)
        except UnknownOutageError:
            raise web.HTTPNotFound(text=NO_OUTAGE) from None

    async def changed(self, change: Change, request: web.Request) -> web.StreamResponse:
        """What comes of a form; one that is not taken is shown again with what was typed."""
        self.desk.people.require()
        brought = await read_form(request, self.desk.people.gate)
        person = await writer(self.desk, request)
        try:
            return await change(request, person, number_of(request), brought)
        except UnknownOutageError:
            raise web.HTTPNotFound(text=NO_OUTAGE) from None

    async def outage(self, request: web.Request, person: Person | None) -> web.StreamResponse:
        """One outage."""
        return await self._shown(request, person, await self.desk.outage(number_of(request)))

    async def annotate(self, request: web.Request, person: Person, number: int, brought: Upload) -> web.StreamResponse:
        """Saves a version."""
        typed = typed_of(brought.fields)
        outage = await self.desk.outage(number)
        try:
            draft = drafts.drafted(typed, outage.known.begin, self.desk.rules().zone)
            enter = partial(recording.annotate, self.desk.database, number, draft, speaker(person), self.desk.now_utc)
            said = await self.desk.enter(enter)
        except FaultsError as error:
            refused = Refused("annotation", error.faults, typed)
            status = 409 if isinstance(error, MeanwhileError) else 422
            return await self._shown(request, person, await self.desk.outage(number), refused, status)
        self.desk.audit("outage-annotated", person, f"outage {said.body.outage}: annotated", said.body.outage)
        return done(said.body.outage, "saved", "annotation")

    async def acknowledge(
        self, request: web.Request, person: Person, number: int, brought: Upload
    ) -> web.StreamResponse:
        """Says that he knows of it."""
        try:
            text = drafts.line_drafted("note", brought.get("note"), drafts.MOST_ACKNOWLEDGEMENT)
            enter = partial(recording.acknowledge, self.desk.database, number, text, speaker(person), self.desk.now_utc)
            said = await self.desk.enter(enter)
        except FaultsError as error:
            return await self._refused(request, person, number, Refused("acknowledgement", error.faults), brought)
        self.desk.audit("outage-acknowledged", person, f"outage {said.body.outage}: acknowledged", said.body.outage)
        return done(said.body.outage, "acknowledged")

    async def files(self, request: web.Request, person: Person, number: int, brought: Upload) -> web.StreamResponse:
        """Takes a file, or word that one does not belong here any more."""
        by, now, gone = speaker(person), self.desk.now_utc, brought.get("withdraw")
        chosen = brought.file
        file = recording.File("", b"") if chosen is None else recording.File(chosen.name, chosen.content)
        try:
            if gone:
                said = await self.desk.enter(partial(recording.detach, self.desk.database, number, gone, by, now))
            else:
                said = await self.desk.enter(partial(recording.attach, self.desk.database, number, file, by, now))
        except FaultsError as error:
            return await self._refused(request, person, number, Refused("files", error.faults), brought)
        name = "file-detached" if gone else "file-attached"
        outage, what = said.body.outage, name.replace("-", " ")
        self.desk.audit(name, person, f"outage {outage}: {what}: {said.body.name}", outage)
        return done(said.body.outage, "detached" if gone else "attached", "files")

    async def note(self, request: web.Request, person: Person, number: int, brought: Upload) -> web.StreamResponse:
        """Puts a note about it on the status page."""
        try:
            draft = drafts.note_drafted(
                brought.get("audience") == "public", brought.get("id"), brought.get("en"), number
            )
            await self.desk.enter(partial(recording.say, self.desk.database, draft, speaker(person), self.desk.now_utc))
        except FaultsError as error:
            return await self._refused(request, person, number, Refused("note", error.faults), brought)
        self.desk.audit("note-written", person, f"outage {number}: note written", number)
        return done(number, "noted", "notes")

    async def incident(self, request: web.Request, person: Person, number: int, brought: Upload) -> web.StreamResponse:
        """Rules that outages belong together or not, or takes that back."""
        try:
            reason = drafts.line_drafted("reason", brought.get("reason"), drafts.MOST_CAUSE, required=True)
            kept = await self.desk.rule(_ruling(number, brought, reason, person, self.desk.now_utc))
        except FaultsError as error:
            return await self._refused(request, person, number, Refused("incident", error.faults), brought)
        self.desk.audit("incident-ruled", person, f"ruling {kept.id}: {kept.kind}: {kept.reason}", number)
        return done(number, "ruled", "incident")

    async def _refused(
        self, request: web.Request, person: Person, number: int, refused: Refused, brought: Upload
    ) -> web.StreamResponse:
        if any(one.where == "outage" for one in refused.faults):
            raise UnknownOutageError
        kept = Refused(refused.where, refused.faults, fields=brought.fields)
        return await self._shown(request, person, await self.desk.outage(number), kept, 422)

    async def _shown(
        self, request: web.Request, person: Person | None, outage: Outage, refused: Refused = NOTHING_REFUSED,
        status: int = 200,
    ) -> web.Response:  # fmt: skip
        tell, known = telling(self.desk, request), outage.known
        name = self.desk.service_name(known.service, known.begin)
        values = outage_values(outage, name, tell, refused, may_write=may_write(person))
        return work_page(self.desk, request, person, "work/outage.html", tell, status, **values)


def _ruling(number: int, brought: Upload, reason: str, person: Person, now: int) -> Ruling:
    by, action = person.account.name, brought.get("action")
    if action == MERGE:
        words = brought.get("outages").replace(",", " ").split()
        if len(words) > MOST_MERGED or not all(one.isascii() and one.isdigit() and len(one) < 16 for one in words):
            raise web.HTTPBadRequest(text=ODD_RULING)
        return Ruling(0, MERGE, tuple(sorted({number, *map(int, words)})), None, reason, by, now)
    if action == SPLIT:
        return Ruling(0, SPLIT, (number,), None, reason, by, now)
    undone = brought.get("undoes")
    if action == UNDO and undone.isascii() and undone.isdigit() and len(undone) < 16:
        return Ruling(0, UNDO, (), int(undone), reason, by, now)
    raise web.HTTPBadRequest(text=ODD_RULING)


async def reader(desk: Desk, request: web.Request) -> tuple[bool, Person | None]:
    """Whether who asks may see outages, and who he is; everybody may where people do not sign in."""
    if desk.people.terms() is None:
        return True, None
    person = await desk.people.gate.person(request)
    return person is not None and Right.SEE in person.rights, person


async def writer(desk: Desk, request: web.Request) -> Person:
    """Who asks, if he may write; raises HTTPForbidden."""
    person = await desk.people.gate.person(request)
    if person is None or not may_write(person):
        raise web.HTTPForbidden(text=NOT_ALLOWED)
    return person


def telling(desk: Desk, request: web.Request) -> Telling:
    """The reader's language, in the organisation's zone, now."""
    return Telling(language(spoken_by(request)), desk.rules().zone, desk.now_utc)


def work_page(
    desk: Desk, request: web.Request, person: Person | None, template: str, tell: Telling, status: int, **values: object
) -> web.Response:
    """A page of the work; a form that is refused is shown under its own address, and so leads back from there."""
    path = request.path.removeprefix("/")
    shared: dict[str, object] = {
        "tell": tell,
        "organisation": desk.rules().catalogue.organisation.value_at(tell.now - 1),
        "languages": LANGUAGE_NAMES,
        "address": path if request.method in {"GET", "HEAD"} else path.rpartition("/")[0] or path,
        "notice": NOTICES.get(request.query.get("notice", "")),
        "trouble": None,
        "may_write": may_write(person),
    }
    return desk.people.forms.page(request, template, person, status, **{**shared, **values})


def sign_in_first(request: web.Request) -> web.Response:
    """Leads to where people sign in, and back."""
    depth = len(request.path.split("/")) - 2
    return go_to(f"{'../' * depth or './'}sign-in?next={quote(request.path, safe='')}")


def done(number: int, notice: str, anchor: str = "") -> web.Response:
    """Leads back to the outage's page, from one of its forms."""
    return go_to(f"../{number}?notice={notice}" + (f"#{anchor}" if anchor else ""))
