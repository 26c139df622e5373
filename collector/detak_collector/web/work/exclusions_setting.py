"""What one request of a page of work stands on: who asks, in which language, under which rules, as of when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.rules import Rules
from detak_collector.translation import LANGUAGE_NAMES
from detak_collector.translation.language import Language, language, mark
from detak_collector.web.session import Person
from detak_collector.web.speaking import spoken_by
from detak_collector.web.telling import Telling
from detak_collector.web.work.exclusions_desk import Desk
from detak_collector.web.work.exclusions_words import NOTICES

MOST_BYTES = 65_536
MOST_FIELDS = 40
NOT_ALLOWED = mark("Your roles do not include that. An administrator gives roles.") + "\n"


@dataclass(frozen=True, slots=True)
class Setting:
    """Of one request. Nobody has signed in where people do not do that; then everybody sees, and nobody enters."""

    desk: Desk
    request: web.Request
    person: Person | None
    rules: Rules
    tell: Telling

    @classmethod
    async def seen(cls, desk: Desk, request: web.Request) -> Setting:
        """Where something is only looked at."""
        if desk.people.terms() is None:
            return await cls._made(desk, request, None)
        return await cls.of(desk, request, Right.SEE)

    @classmethod
    async def of(cls, desk: Desk, request: web.Request, right: Right) -> Setting:
        """Where somebody must have signed in and have a right; raises an HTTPException."""
        desk.people.require()
        person = await desk.people.gate.person(request)
        if person is None:
            root = _root(request)
            asked = request.path_qs if request.method == "GET" else request.path
            place = f"{root}sign-in?next={quote(asked, safe='')}"
            raise web.HTTPSeeOther(place, headers={"Cache-Control": "no-store"})
        if right not in person.rights:
            raise web.HTTPForbidden(text=NOT_ALLOWED)
        return await cls._made(desk, request, person)

    @classmethod
    async def _made(cls, desk: Desk, request: web.Request, person: Person | None) -> Setting:
        rules = await desk.rules()
        return cls(desk, request, person, rules, Telling(language(spoken_by(request)), rules.zone, desk.now()))

    @property
    def language(self) -> Language:
        """The reader's."""
        return self.tell.language

    @property
    def root(self) -> str:
        """The way to the root of the site."""
        return _root(self.request)

    @property
    def name(self) -> str:
        """The account of who asks; empty where nobody has signed in."""
        return "" if self.person is None else self.person.account.name

    @property
    def somebody(self) -> Person:
        """Who asks, where that must be somebody."""
        assert self.person is not None, "Setting.of was asked for a right"
        return self.person

    def say(self, message: str, **named: str) -> str:
        """In the reader's language."""
        return self.language.say(message, **named)

    async def read(self, most_bytes: int, most_fields: int) -> Mapping[str, str]:
        """The fields of a form of ours; raises an HTTPException."""
        return await self.desk.people.forms.read(self.request, most_bytes, most_fields)

    def page(self, template: str, status: int = 200, /, **values: object) -> web.Response:
        """A page of work, filled."""
        asked = self.request.path_qs if self.request.method == "GET" else self.request.path
        shared: dict[str, object] = {
            "tell": self.tell,
            "organisation": self.rules.catalogue.organisation.value_at(self.tell.now),
            "languages": LANGUAGE_NAMES,
            "address": asked.lstrip("/"),
            "notice": NOTICES.get(self.request.query.get("notice", "")),
            "trouble": "",
        }
        told = {**shared, **values}
        return self.desk.people.forms.page(self.request, f"work/{template}", self.person, status, **told)


def _root(request: web.Request) -> str:
    return "../" * (len(request.path.split("/")) - 2) or "./"
