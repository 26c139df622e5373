"""/admin/people: accounts and roles on pages. They decide nothing."""

from __future__ import annotations

from aiohttp import web

from detak_collector.accounts.account import Origin
from detak_collector.accounts.roles import Right
from detak_collector.translation.language import mark
from detak_collector.web.account_words import ROLES
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.work.admin_desk import RefusedError
from detak_collector.web.work.admin_pages import Administration
from detak_collector.web.work.admin_people import Fresh, Known, PeopleDesk

SEES = (Right.ADMINISTER, Right.AUDIT)
DOES = (Right.ADMINISTER,)
LOCKED = mark("locked")
NO_PASSWORD = mark("no password yet")
ELSEWHERE = mark("no account at this collector")
NOTICES = {
    "granted": mark("The role is given."),
    "withdrawn": mark("The role is taken away."),
    "disabled": mark("The account is locked."),
    "enabled": mark("The account is unlocked."),
    "factor": mark("The second factor is off."),
}


class PeoplePages:
    """The list, and each account."""

    def __init__(self, base: Administration) -> None:
        self._base = base
        self._desk = PeopleDesk(base.desk)

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/admin/people", self.people),
            web.post("/admin/people", self.create),
            web.get("/admin/people/{name}", self.person),
            web.post("/admin/people/{name}/role", self.role),
            web.post("/admin/people/{name}/access", self.access),
        ]

    async def people(self, request: web.Request) -> web.StreamResponse:
        """Everybody."""
        person = await self._base.reader(request, SEES)
        return person if isinstance(person, web.Response) else await self._list(request, person)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """A new account, and its link."""
        person, fields = await self._base.sent(request, DOES)
        if person is None:
            return self._base.elsewhere(request)
        fresh = Fresh(fields.get("name", ""), fields.get("display", ""), fields.get("mail", ""))
        try:
            link = await self._desk.create(person, fresh)
        except RefusedError as refused:
            return await self._list(request, person, typed=fresh, refused=refused)
        return await self._list(request, person, link=link)

    async def person(self, request: web.Request) -> web.StreamResponse:
        """One of them."""
        person = await self._base.reader(request, SEES)
        return person if isinstance(person, web.Response) else await self._one(request, person)

    async def role(self, request: web.Request) -> web.StreamResponse:
        """Given or taken."""
        person, fields = await self._base.sent(request, DOES)
        if person is None:
            return self._base.elsewhere(request)
        name, role, withdrawn = request.match_info["name"], fields.get("role", ""), fields.get("action") == "withdraw"
        try:
            password = fields.get("password", "")
            await self._desk.change(request, person, name, role, password, withdrawn=withdrawn)
        except RefusedError as refused:
            return await self._one(request, person, refused=refused, role=role)
        return go_to(f"../{name}?notice={'withdrawn' if withdrawn else 'granted'}")

    async def access(self, request: web.Request) -> web.StreamResponse:
        """Locked, unlocked, another password, another telephone."""
        person, fields = await self._base.sent(request, DOES)
        if person is None:
            return self._base.elsewhere(request)
        name, action = request.match_info["name"], fields.get("action", "")
        try:
            if action == "link":
                return await self._one(request, person, link=await self._desk.link(person, name))
            if action == "factor":
                await self._desk.drop_factor(person, name)
                return go_to(f"../{name}?notice=factor")
            disabled = action == "disable"
            await self._desk.disable(person, name, disabled=disabled)
        except RefusedError as refused:
            return await self._one(request, person, refused=refused)
        return go_to(f"../{name}?notice={'disabled' if disabled else 'enabled'}")

    async def _list(
        self, request: web.Request, person: Person, *, link: str = "", typed: Fresh | None = None,
        refused: RefusedError | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        people = await self._desk.all()
        return await self._base.page(
            request, "admin-people.html", person, refused,
            title=self._base.say("People", request),
            people=people,
            states={one.name: _state(one) for one in people},
            link=link,
            typed=typed or Fresh(""),
            notice=None,
        )  # fmt: skip

    async def _one(
        self, request: web.Request, person: Person, *, link: str = "", role: str = "",
        refused: RefusedError | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        try:
            known = await self._desk.one(request.match_info["name"])
        except RefusedError:
            raise self._base.not_found() from None
        if known.account is None:
            raise web.HTTPNotFound(text="There is no such account at this collector.\n")
        return await self._base.page(
            request, "admin-person.html", person, refused,
            title=known.account.display,
            known=known,
            state=_state(known),
            roles=ROLES,
            link=link,
            typed={"role": role},
            notice=NOTICES.get(request.query.get("notice", "")),
        )  # fmt: skip


def _state(one: Known) -> str:
    if one.account is None:
        return ELSEWHERE
    if one.is_disabled:
        return LOCKED
    return NO_PASSWORD if one.account.origin is Origin.LOCAL and one.account.password is None else ""
