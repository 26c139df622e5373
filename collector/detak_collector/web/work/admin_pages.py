"""What every page of administrators shares: who gets in, what comes back of a form, how a refusal is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.translation import LANGUAGE_NAMES
from detak_collector.translation.language import language, mark
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.speaking import spoken_by
from detak_collector.web.telling import Telling
from detak_collector.web.work.admin_desk import Desk, RefusedError

SECTIONS = (
    ("people", "admin/people", mark("People"), (Right.ADMINISTER, Right.AUDIT)),
    ("nodes", "admin/nodes", mark("Nodes"), (Right.ADMINISTER,)),
    ("catalogue", "admin/catalogue", mark("Catalogue"), (Right.ADMINISTER, Right.APPROVE, Right.AUDIT)),
    ("retention", "admin/retention", mark("Retention"), (Right.ADMINISTER, Right.APPROVE, Right.AUDIT)),
)
NOTHING_SUCH = mark("There is nothing of that name here.") + "\n"
NOT_FOR_YOU = mark("This is for others: an administrator gives the role that it needs.") + "\n"


@dataclass(slots=True)
class Administration:
    """The pages' common ground."""

    desk: Desk

    async def reader(self, request: web.Request, rights: Iterable[Right]) -> Person | web.Response:
        """Who asks, or where he has to go first; raises HTTPForbidden where it is not for him."""
        self.desk.people.require()
        person = await self.desk.people.gate.person(request)
        if person is None:
            return self.elsewhere(request)
        if not person.rights & set(rights):
            raise web.HTTPForbidden(text=NOT_FOR_YOU)
        return person

    async def sent(self, request: web.Request, rights: Iterable[Right]) -> tuple[Person | None, dict[str, str]]:
        """Who sent a form, and its fields; nobody where he has signed out meanwhile."""
        self.desk.people.require()
        fields = dict(await self.desk.people.forms.read(request))
        person = await self.desk.people.gate.person(request)
        if person is not None and not person.rights & set(rights):
            raise web.HTTPForbidden(text=NOT_FOR_YOU)
        return person, fields

    def elsewhere(self, request: web.Request) -> web.Response:
        """To the page where one signs in, and back."""
        depth = len(request.path.split("/")) - 2
        back = request.path_qs if request.method == "GET" else request.path.rpartition("/")[0]
        return go_to(f"{'../' * depth or './'}sign-in?next={quote(back, safe='')}")

    async def page(
        self, request: web.Request, template: str, person: Person, refused: RefusedError | None = None,
        **values: object,
    ) -> web.Response:  # fmt: skip
        """The page, with what was refused at its place."""
        rules = await self.desk.read(self.desk.rules)
        tell = Telling(language(spoken_by(request)), rules.zone, self.desk.now_utc)
        response = self.desk.people.forms.page(
            request, f"work/{template}", person, 200 if refused is None else refused.status,
            tell=tell,
            organisation=rules.catalogue.organisation.value_at(tell.now),
            languages=LANGUAGE_NAMES,
            address=(request.path_qs if request.method == "GET" else request.path).lstrip("/"),
            trouble="",
            fault=None if refused is None else refused.message,
            named={} if refused is None else refused.named,
            where="" if refused is None else refused.where,
            may_change=Right.ADMINISTER in person.rights,
            sections=[(key, path, name) for key, path, name, rights in SECTIONS if person.rights & set(rights)],
            moment=partial(tell.language.moment, zone=rules.zone),
            **values,
        )  # fmt: skip
        if refused is not None and refused.wait_s:
            response.headers["Retry-After"] = str(refused.wait_s)
        return response

    @staticmethod
    def say(message: str, request: web.Request, **named: str) -> str:
        """In the reader's language."""
        return language(spoken_by(request)).say(message, **named)

    @staticmethod
    def not_found() -> web.HTTPNotFound:
        """For a page of what is not there."""
        return web.HTTPNotFound(text=NOTHING_SUCH)
