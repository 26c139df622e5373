"""/admin/catalogue: the versions of services.toml, a check before one is taken, the second pair of eyes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.catalogue.change_words import change_words
from detak_collector.catalogue.versions import State
from detak_collector.decisions.persons import same_person
from detak_collector.translation.language import Language, language, mark
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.speaking import spoken_by
from detak_collector.web.work.admin_catalogue import CatalogueDesk, Checked, Verdict, WrongError
from detak_collector.web.work.admin_desk import RefusedError
from detak_collector.web.work.admin_pages import NOT_FOR_YOU, Administration
from detak_collector.web.work.admin_upload import uploaded

SEES = (Right.ADMINISTER, Right.APPROVE, Right.AUDIT)
DOES = (Right.ADMINISTER,)
DECIDES = (Right.APPROVE,)
MOST_SERVICES = 40
MOST_VERSIONS = 100
LONGEST_NUMBER = 9
STATES = {
    State.IN_FORCE: mark("in force"),
    State.WAS: mark("was in force"),
    State.HELD: mark("waits for an approver"),
    State.SUPERSEDED: mark("superseded"),
    State.REJECTED: mark("rejected"),
}
NOTICES = {
    "taken": mark("It is in force. Put it in place on the collector's machine too."),
    "held": mark("It is held until an approver agrees."),
    "approved": mark("It is approved, and in force within seconds."),
    "rejected": mark("It is rejected; what is in force stays so."),
}


class CataloguePages:
    """The list with its check, and each version."""

    def __init__(self, base: Administration, desk: CatalogueDesk) -> None:
        self._base = base
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/admin/catalogue", self.catalogue),
            web.post("/admin/catalogue", self.brought),
            web.get("/admin/catalogue/{number}", self.version),
            web.post("/admin/catalogue/{number}", self.decide),
            web.get("/admin/catalogue/{number}/file/{name}", self.file),
        ]

    async def catalogue(self, request: web.Request) -> web.StreamResponse:
        """The versions, the latest first."""
        person = await self._base.reader(request, SEES)
        return person if isinstance(person, web.Response) else await self._list(request, person)

    async def brought(self, request: web.Request) -> web.StreamResponse:
        """Another one, to be checked or taken."""
        self._base.desk.people.require()
        gate = self._base.desk.people.gate
        found = await uploaded(request, gate)
        person = await gate.person(request)
        if person is None:
            return self._base.elsewhere(request)
        if not person.rights & set(DOES):
            raise web.HTTPForbidden(text=NOT_FOR_YOU)
        try:
            if found.fields.get("action") != "take":
                checked = await self._desk.check(found.services, found.tables)
                return await self._list(request, person, checked=checked)
            digest, against = found.fields.get("digest", ""), found.fields.get("against", "")
            version = await self._desk.take(person, found.services, found.tables, digest=digest, against=against)
        except RefusedError as refused:
            return await self._list(request, person, typed=found.services or "", refused=refused)
        notice = "held" if version.since is None else "taken"
        return go_to(f"./catalogue/{version.number}?notice={notice}")

    async def version(self, request: web.Request) -> web.StreamResponse:
        """One of them."""
        person = await self._base.reader(request, SEES)
        return person if isinstance(person, web.Response) else await self._one(request, person)

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Approved, or rejected."""
        person, fields = await self._base.sent(request, DECIDES)
        if person is None:
            return self._base.elsewhere(request)
        told = (fields.get(name, "") for name in ("document", "reason", "proposed_by"))
        said = Verdict("approve" if fields.get("action") == "approve" else "reject", *told)
        number = _number(request)
        try:
            await self._desk.decide(person, number, said)
        except RefusedError as refused:
            return await self._one(request, person, said, refused)
        return go_to(f"./{number}?notice={'approved' if said.verdict == 'approve' else 'rejected'}")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file of a version, as it is."""
        person = await self._base.reader(request, SEES)
        if isinstance(person, web.Response):
            return person
        try:
            _, version = await self._desk.version(_number(request))
        except RefusedError:
            raise self._base.not_found() from None
        files = (await self._desk.texts(version)).files
        name = request.match_info["name"]
        if name not in files:
            raise web.HTTPNotFound(text=f"Files of this version: {', '.join(sorted(files))}.\n")
        headers = {"Cache-Control": "private, no-store", "Content-Disposition": "attachment"}
        return web.Response(text=files[name], content_type="text/plain", headers=headers)

    async def _list(
        self, request: web.Request, person: Person, *, checked: Checked | None = None, typed: str = "",
        refused: RefusedError | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        versions = await self._desk.versions()
        shown = list(reversed(versions.all))[:MOST_VERSIONS]
        return await self._base.page(
            request, "admin-catalogue.html", person, refused,
            title=self._base.say("Catalogue", request),
            versions=shown,
            states={one.number: STATES[versions.state(one)] for one in shown},
            checked=checked,
            typed=typed,
            wrong=refused.lines if isinstance(refused, WrongError) else (),
            notice=None,
            **_figures(request),
        )  # fmt: skip

    async def _one(
        self, request: web.Request, person: Person, said: Verdict | None = None, refused: RefusedError | None = None
    ) -> web.StreamResponse:  # fmt: skip
        try:
            versions, version = await self._desk.version(_number(request))
        except RefusedError:
            raise self._base.not_found() from None
        state = versions.state(version)
        effect, trouble = None, ""
        if state is State.HELD and refused is None:
            effect, trouble = await self._desk.effect(await self._desk.catalogue(version))
        return await self._base.page(
            request, "admin-version.html", person, refused,
            title=self._base.say("Version {number} of the catalogue", request, number=str(version.number)),
            version=version,
            state=STATES[state],
            is_in_force=state is State.IN_FORCE,
            is_held=state is State.HELD,
            is_own=bool(version.proposed_by) and same_person(version.proposed_by, person.account.name),
            may_decide=Right.APPROVE in person.rights,
            effect=effect,
            effect_trouble=trouble,
            typed=said or Verdict("approve"),
            notice=NOTICES.get(request.query.get("notice", "")),
            **_figures(request),
        )  # fmt: skip


def _figures(request: web.Request) -> Mapping[str, Callable[..., str] | int]:
    """How numbers are written."""
    spoken = language(spoken_by(request))
    return {
        "percent": partial(_percent, spoken), "length": spoken.length, "most": MOST_SERVICES,
        "change_words": partial(change_words, language=spoken), "told": spoken.told,
    }  # fmt: skip


def _percent(spoken: Language, value: Fraction | None) -> str:
    return "-" if value is None else f"{spoken.decimals(value, 4)} %"


def _number(request: web.Request) -> int:
    told = request.match_info["number"]
    if not (told.isascii() and told.isdigit() and len(told) <= LONGEST_NUMBER):
        raise web.HTTPNotFound(text=mark("Versions have numbers.") + "\n")
    return int(told)
