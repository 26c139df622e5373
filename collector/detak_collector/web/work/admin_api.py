"""/api/v1/admin: what the pages of administrators do, for programs. It decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from detak_collector.accounts.names import normal
from detak_collector.accounts.roles import Right
from detak_collector.catalogue.texts import MOST_BYTES
from detak_collector.web.session import Person
from detak_collector.web.work import admin_telling as telling
from detak_collector.web.work.admin_catalogue import CatalogueDesk, Verdict, WrongError
from detak_collector.web.work.admin_catalogue_pages import DECIDES, SEES
from detak_collector.web.work.admin_desk import Desk, RefusedError
from detak_collector.web.work.admin_messages import (
    Access,
    AccountsTold,
    CatalogueFiles,
    CatalogueProposal,
    CatalogueVerdict,
    LinkTold,
    NewAccount,
    NewNode,
    Retirement,
    RoleChange,
    VersionsTold,
)
from detak_collector.web.work.admin_nodes import NodesDesk
from detak_collector.web.work.admin_people import Fresh, PeopleDesk
from detak_collector.web.work.exclusions_json import JSON, RefusedRequest, WrongField, content_of, problem

DOES = (Right.ADMINISTER,)
LOOKS = (Right.ADMINISTER, Right.AUDIT)
MOST_BODY_BYTES = 2 * MOST_BYTES
"""JSON writes a line's end, and much else, as two characters."""

B = TypeVar("B", bound=Struct)
S = TypeVar("S")
Handler = Callable[[S, web.Request], Awaitable[web.Response]]


def refusing(handler: Handler[S]) -> Handler[S]:
    """The same, whose refusals are answers by RFC 9457."""

    @wraps(handler)
    async def handled(self: S, request: web.Request) -> web.Response:
        try:
            return await handler(self, request)
        except RefusedRequest as refused:
            return refused.answer
        except RefusedError as refused:
            return _told(refused)

    return handled


class AdminApi:
    """The routes."""

    def __init__(self, desk: Desk, catalogue: CatalogueDesk) -> None:
        self._desk = desk
        self._people = PeopleDesk(desk)
        self._nodes = NodesDesk(desk)
        self._catalogue = catalogue

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/api/v1/admin/people", self.people),
            web.post("/api/v1/admin/people", self.create),
            web.post("/api/v1/admin/people/{name}/link", self.link),
            web.post("/api/v1/admin/people/{name}/roles", self.role),
            web.post("/api/v1/admin/people/{name}/access", self.access),
            web.post("/api/v1/admin/enrolments", self.enrol),
            web.get("/api/v1/admin/nodes/{node}", self.node),
            web.post("/api/v1/admin/nodes/{node}/retirement", self.retire),
            web.get("/api/v1/admin/catalogue", self.versions),
            web.post("/api/v1/admin/catalogue", self.take),
            web.post("/api/v1/admin/catalogue/check", self.check),
            web.get("/api/v1/admin/catalogue/{number}", self.version),
            web.post("/api/v1/admin/catalogue/{number}/decision", self.decide),
        ]

    @refusing
    async def people(self, request: web.Request) -> web.Response:
        """Everybody."""
        await asked(self._desk, request, LOOKS)
        return answer(AccountsTold([telling.account_told(one) for one in await self._people.all()]))

    @refusing
    async def create(self, request: web.Request) -> web.Response:
        """A new account, and its link."""
        person = await asked(self._desk, request, DOES)
        told = await body_of(request, NewAccount)
        link = await self._people.create(person, Fresh(told.name, told.display, told.mail))
        return answer(LinkTold(normal(told.name), link), 201)

    @refusing
    async def link(self, request: web.Request) -> web.Response:
        """A link for another password."""
        person, name = await asked(self._desk, request, DOES), request.match_info["name"]
        return answer(LinkTold(name, await self._people.link(person, name)), 201)

    @refusing
    async def role(self, request: web.Request) -> web.Response:
        """A role, given or taken."""
        person, name = await asked(self._desk, request, DOES), request.match_info["name"]
        told = await body_of(request, RoleChange)
        await self._people.change(request, person, name, told.role, told.password, withdrawn=told.withdrawn)
        return answer(telling.account_told(await self._people.one(name)))

    @refusing
    async def access(self, request: web.Request) -> web.Response:
        """Locked, unlocked, another telephone."""
        person, name = await asked(self._desk, request, DOES), request.match_info["name"]
        told = await body_of(request, Access)
        if told.action == "end-second-factor":
            await self._people.drop_factor(person, name)
        else:
            await self._people.disable(person, name, disabled=told.action == "lock")
        return answer(telling.account_told(await self._people.one(name)))

    @refusing
    async def enrol(self, request: web.Request) -> web.Response:
        """A token for a node."""
        person = await asked(self._desk, request, DOES)
        told = await body_of(request, NewNode)
        return answer(telling.enrolment_told(await self._nodes.enrol(person, told.node, str(told.hours))), 201)

    @refusing
    async def node(self, request: web.Request) -> web.Response:
        """A node, and what rests on it."""
        await asked(self._desk, request, DOES)
        return answer(telling.node_told(await self._nodes.one(request.match_info["node"])))

    @refusing
    async def retire(self, request: web.Request) -> web.Response:
        """Its key is void."""
        person, node = await asked(self._desk, request, DOES), request.match_info["node"]
        told = await body_of(request, Retirement)
        await self._nodes.retire(person, node, told.typed)
        return answer(telling.node_told(await self._nodes.one(node)))

    @refusing
    async def versions(self, request: web.Request) -> web.Response:
        """Every version of the catalogue."""
        await asked(self._desk, request, SEES)
        found = await self._catalogue.versions()
        return answer(VersionsTold([telling.version_told(found, one) for one in reversed(found.all)]))

    @refusing
    async def version(self, request: web.Request) -> web.Response:
        """One of them."""
        await asked(self._desk, request, SEES)
        return answer(telling.version_told(*await self._catalogue.version(_number(request))))

    @refusing
    async def check(self, request: web.Request) -> web.Response:
        """What a catalogue would change."""
        await asked(self._desk, request, DOES)
        told = await body_of(request, CatalogueFiles, MOST_BODY_BYTES)
        return answer(telling.check_told(await self._catalogue.check(told.services, told.tables)))

    @refusing
    async def take(self, request: web.Request) -> web.Response:
        """What was checked becomes a version."""
        person = await asked(self._desk, request, DOES)
        told = await body_of(request, CatalogueProposal, MOST_BODY_BYTES)
        version = await self._catalogue.take(
            person, told.services, told.tables, digest=told.digest, against=told.against
        )
        return answer(telling.version_told(*await self._catalogue.version(version.number)), 201)

    @refusing
    async def decide(self, request: web.Request) -> web.Response:
        """The second pair of eyes."""
        person = await asked(self._desk, request, DECIDES)
        told = await body_of(request, CatalogueVerdict)
        said = Verdict(told.verdict, told.document, told.reason, told.proposed_by)
        version = await self._catalogue.decide(person, _number(request), said)
        return answer(telling.version_told(*await self._catalogue.version(version.number)))


async def asked(desk: Desk, request: web.Request, rights: Iterable[Right]) -> Person:
    """Who asks, with one of these rights; another site's page may not have a browser do anything."""
    if desk.people.terms() is None:
        raise RefusedRequest(problem(404, "People do not sign in at this collector, so nobody administers it here."))
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise RefusedRequest(problem(403, "This came from another site."))
    person = await desk.people.gate.person(request)
    if person is None:
        raise RefusedRequest(problem(401, "Sign in, or bring a token."))
    if not person.rights & set(rights):
        raise RefusedRequest(problem(403, "The roles of this account, or the scopes of this token, do not include it."))
    return person


def _number(request: web.Request) -> int:
    told = request.match_info["number"]
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise RefusedRequest(problem(404, "Versions have numbers."))
    return int(told)


async def body_of(request: web.Request, kind: type[B], most_bytes: int = 65_536) -> B:
    """What was sent; raises RefusedRequest."""
    body = await content_of(request, JSON, most_bytes)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedRequest(problem(400, f"{error}.")) from None


def answer(told: Struct, status: int = 200) -> web.Response:
    """As JSON, for whoever asked alone."""
    headers = {"Cache-Control": "no-store"}
    return web.Response(status=status, body=msgspec.json.encode(told), content_type=JSON, headers=headers)


def _told(refused: RefusedError) -> web.Response:
    lines = refused.lines if isinstance(refused, WrongError) else (str(refused),)
    errors = tuple(WrongField(refused.where, line) for line in lines) if refused.where else ()
    response = problem(refused.status, "It is not right, and was not taken." if len(lines) > 1 else lines[0], errors)
    if refused.wait_s:
        response.headers["Retry-After"] = str(refused.wait_s)
    return response
