"""The pages on which an organisation begins with its past: the imports, one of them, a file and what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.catalogue.place import CatalogueError
from detak_collector.decisions.recording import RefusedError
from detak_collector.past.asking import AskedError
from detak_collector.past.batch import OWN, Batch
from detak_collector.translation.saying import mark
from detak_collector.web.forms import go_to
from detak_collector.web.people import People
from detak_collector.web.sheet_pages import Kept
from detak_collector.web.uploads import Limits, Upload, packed, read_upload, unpacked
from detak_collector.web.work.exclusions_desk import ElsewhereError
from detak_collector.web.work.exclusions_form import REQUIRED, Fault
from detak_collector.web.work.exclusions_setting import MOST_BYTES as MOST_FORM
from detak_collector.web.work.exclusions_setting import MOST_FIELDS, Setting
from detak_collector.web.work.exclusions_view import STATES
from detak_collector.web.work.exclusions_words import FOLLOWS, NO_MORE
from detak_collector.web.work.past_api import PastApi
from detak_collector.web.work.past_desk import Looked, PastDesk, UnknownNowError
from detak_collector.web.work.past_view import SHOWN, acts_of, missing, row_of, standing
from detak_collector.web.work.past_wish import FIELDS, LONGEST, MOST_BYTES, TOOLS, PastImport, wish_of

LIMITS = Limits(text=2 * MOST_BYTES, file=MOST_BYTES, read=4 * MOST_BYTES, parts=30)
LONGEST_REASON = 2_000
NO_FILE = mark("Choose a file.")
TOO_LONG = mark("This file is too long for a page; `detak-collector past import` takes it.")
UNKNOWN_NOW = mark("What was observed cannot be derived at this moment. Try again in a while.")
NO_SUCH = mark("There is no such import.") + "\n"
LEFT = {
    "known": mark("declared already"),
    "filtered": mark("rows left out by what is chosen"),
    "others": mark("rows of no service that is mapped"),
    "empty": mark("without length"),
}
NOTICES = {
    "proposed": mark("It is proposed, and takes effect once somebody else approves it."),
    "approve": mark("It is approved."),
    "reject": mark("It is rejected."),
    "withdraw": mark("What waited is taken back; the end of what is in force waits for somebody else's approval."),
}


def add_past(app: web.Application, people: People, sheets: Kept) -> None:
    """Adds the pages and the API; `sheets` is where what an import changes is derived."""
    desk = PastDesk(people, sheets)
    pages, api = PastPages(desk), PastApi(desk)
    app.add_routes(
        [
            web.get("/past", pages.listing),
            web.get("/past/import", pages.fresh),
            web.post("/past/import", pages.take),
            web.get("/past/{name}", pages.one),
            web.post("/past/{name}", pages.decide),
            web.get("/api/v1/past", api.listing),
            web.post("/api/v1/past", api.propose),
            web.get("/api/v1/past/{name}", api.one),
            web.post("/api/v1/past/{name}/decision", api.decide),
        ]
    )


@dataclass(frozen=True, slots=True)
class PastFile:
    """A file of outages; without content where there is none."""

    name: str = ""
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file was not taken; `file` is carried on, so that nobody has to choose it again to correct a field."""

    status: int = 200
    faults: Mapping[str, Fault] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    trouble: str = ""
    file: PastFile = PastFile()


class PastPages:
    """All of them."""

    def __init__(self, desk: PastDesk) -> None:
        self._desk = desk

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """Every import, the latest first."""
        at = await Setting.seen(self._desk, request)
        rows = [row_of(one) for one in await self._desk.batches()]
        may = at.person is not None and Right.PROPOSE in at.person.rights
        return at.page(
            "past.html", title=at.say("Imported outages"), rows=rows, states=STATES, may_propose=may, own=OWN
        )

    async def fresh(self, request: web.Request) -> web.StreamResponse:
        """Asks for a file."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        return self._form(at, {"tool": "zabbix"}, Refusal())

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Shows what a file would propose; proposes it once that was seen."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        form = await read_upload(request, self._desk.people.gate, LIMITS)
        file = _file_of(form)
        if not file.content or len(file.content) > MOST_BYTES:
            fault = Fault(TOO_LONG if file.content else NO_FILE)
            return self._form(at, form.fields, Refusal(422, {"file": fault}))
        try:
            return await self._taken(at, form, file)
        except AskedError as error:
            faults = {_field(error.field): Fault(str(error), is_told=True)}
            return self._form(at, form.fields, Refusal(422, faults, file=file))
        except CatalogueError as error:
            return self._form(at, form.fields, Refusal(422, problems=error.lines, file=file))
        except ElsewhereError as error:
            trouble = at.say(FOLLOWS, place=str(error) or "?")
        except UnknownNowError:
            trouble = at.say(UNKNOWN_NOW)
        except RefusedError:
            trouble = at.say(NO_MORE)
        return self._form(at, form.fields, Refusal(409, trouble=trouble, file=file))

    async def _taken(self, at: Setting, form: Upload, file: PastFile) -> web.StreamResponse:
        wish = wish_of(form.fields, file.name, file.content)
        looked = await self._desk.look(wish)
        if form.get("action") != "propose" or not looked.planned.drafts:
            return await self._preview(at, form.fields, wish, looked)
        names = await self._desk.enter(looked.planned.drafts, at.somebody)
        self._desk.tell_imported(wish, len(names), at.somebody)
        return go_to(f"{at.root}past/{wish.source.name}?notice=proposed")

    async def one(self, request: web.Request) -> web.StreamResponse:
        """One of them, how it stands in the figures, and what can be done with it."""
        at = await Setting.seen(self._desk, request)
        return await self._one(at, await self._found(request), {}, {})

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Approves, rejects, or withdraws all of it."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        fields = await at.read(MOST_FORM, MOST_FIELDS)
        batch, action = await self._found(request), fields.get("action", "")
        if action not in acts_of(batch, at.person):
            return await self._one(at, batch, fields, {}, 409, at.say(NO_MORE))
        reason, document = (fields.get(name, "").strip() for name in ("reason", "document"))
        faults = {name: Fault(REQUIRED) for name in missing(batch, action, reason, document)}
        if faults:
            return await self._one(at, batch, fields, faults, 422)
        try:
            await self._desk.decide(batch, action, reason[:LONGEST_REASON], document[:LONGEST], at.somebody)
        except RefusedError:
            return await self._one(at, await self._found(request), fields, {}, 409, at.say(NO_MORE))
        except ElsewhereError as error:
            return await self._one(at, batch, fields, {}, 409, at.say(FOLLOWS, place=str(error) or "?"))
        return go_to(f"./{batch.name}?notice={action}")

    async def _preview(self, at: Setting, fields: Mapping[str, str], wish: PastImport, looked: Looked) -> web.Response:
        drafts, effect = looked.planned.drafts, None
        if drafts:
            register, names = await self._desk.imagined(drafts, at.somebody)
            effect = await self._desk.effect(register, names)
        return at.page(
            "past-preview.html", title=at.say("What the file proposes"), effect=effect, looked=looked, left=LEFT,
            outages=looked.planned.outages[:SHOWN], packed=packed(wish.content), file_name=wish.source.file,
            fields={name: fields.get(name, "") for name in FIELDS}, source=wish.source,
        )  # fmt: skip

    async def _one(
        self, at: Setting, batch: Batch, fields: Mapping[str, str], faults: Mapping[str, Fault], status: int = 200,
        trouble: str = "",
    ) -> web.Response:  # fmt: skip
        desk, names = self._desk, [one.name for one in batch.pending]
        pending = await desk.effect((await desk.known()).register, names) if names else None
        return at.page(
            "past-import.html", status, title=at.say("Import {name}", name=batch.name), row=row_of(batch),
            states=STATES, shown=SHOWN, own=OWN, allowed=acts_of(batch, at.person), pending=pending,
            is_pending=bool(names), standing=await desk.without(batch) if batch.in_force else None,
            needs_document=bool(standing(batch)), faults=faults, trouble=trouble,
            form={name: fields.get(name, "") for name in ("reason", "document")},
            notice=NOTICES.get(at.request.query.get("notice", "")),
        )  # fmt: skip

    def _form(self, at: Setting, fields: Mapping[str, str], why: Refusal) -> web.Response:
        services = [(one.id, one.name.value_at(at.tell.now)) for one in at.rules.catalogue.services]
        return at.page(
            "past-form.html", why.status, title=at.say("Import outages of before"), faults=why.faults,
            trouble=why.trouble, problems=why.problems, form={name: fields.get(name, "") for name in FIELDS},
            file_name=why.file.name, packed=packed(why.file.content) if why.file.content else "",
            tools=[*TOOLS.items(), (OWN, at.say("a mapping of your own"))],
            services=[("", at.say("none")), *services],
        )  # fmt: skip

    async def _found(self, request: web.Request) -> Batch:
        batch = await self._desk.named(request.match_info["name"].casefold()[:20])
        if batch is None:
            raise web.HTTPNotFound(text=NO_SUCH)
        return batch


def _file_of(form: Upload) -> PastFile:
    """The file that was chosen, or else the one that the page carries."""
    if form.file is not None:
        return PastFile(form.file.name[:LONGEST], form.file.content)
    return PastFile(form.get("file_name")[:LONGEST], unpacked(form.get("packed"), MOST_BYTES))


def _field(asked: str) -> str:
    """Where on the form that stands."""
    return {"mapped": "map"}.get(asked, asked)
