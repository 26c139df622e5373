"""The audit trail: every entry that people or a collector made, newest first. For who may audit; it enters nothing."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.store.entry_pages import Asked, kinds_and_authors, newest
from detak_collector.translation.language import mark
from detak_collector.web.work.audit_words import kind_words, lines_of, path_of, placed_json, subject_of
from detak_collector.web.work.exclusions_desk import Desk
from detak_collector.web.work.exclusions_json import answered, asker, problem, refusing
from detak_collector.web.work.exclusions_setting import Setting

AT_ONCE = 50
TITLE = mark("Audit trail")
ODD = mark("There is no such list: the address asks for what does not exist.") + "\n"


class AuditTrail:
    """Of one collector."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._database = desk.people.store.database

    async def page(self, request: web.Request) -> web.StreamResponse:
        """A page of it."""
        at = await Setting.of(self._desk, request, Right.AUDIT)
        asked = asked_of(request)
        if asked is None:
            raise web.HTTPNotFound(text=ODD)
        found = await asyncio.to_thread(newest, self._database, asked, AT_ONCE + 1)
        kinds, authors = await asyncio.to_thread(kinds_and_authors, self._database)
        return at.page(
            "audit.html", title=at.say(TITLE), rows=found[:AT_ONCE], has_more=len(found) > AT_ONCE,
            asked=asked, kinds=[(one, kind_words(one, at.language)) for one in kinds], authors=authors,
            kind_words=partial(kind_words, language=at.language), lines_of=lines_of, path_of=path_of,
            subject_of=subject_of, to_before=partial(_to_before, request), is_first="before" not in request.query,
        )  # fmt: skip

    @refusing
    async def entries(self, request: web.Request) -> web.Response:
        """The same for programs; `next` is what `before` has to be for the page after it."""
        if self._desk.people.terms() is None:
            return problem(404, "People do not sign in at this collector.")
        await asker(self._desk, request, Right.AUDIT)
        asked = asked_of(request)
        if asked is None:
            return problem(400, "before: a whole number.")
        found = await asyncio.to_thread(newest, self._database, asked, AT_ONCE + 1)
        shown = found[:AT_ONCE]
        after = shown[-1].number if len(found) > AT_ONCE else None
        return answered(request, {"items": [placed_json(one) for one in shown], "next": after})


def add_audit(app: web.Application, desk: Desk) -> None:
    """Adds its routes."""
    trail = AuditTrail(desk)
    app.add_routes([web.get("/audit", trail.page), web.get("/api/v1/audit", trail.entries)])


def asked_of(request: web.Request) -> Asked | None:
    """What a query string asks for; None where it asks for what there never is."""
    query = request.query
    before = query.get("before", "9007199254740992")
    if not (before.isascii() and before.isdigit() and len(before) <= 16):
        return None
    kind, author, words = (query.get(name, "").strip()[:200] for name in ("kind", "by", "words"))
    return Asked(kind, author, words, int(before))


def _to_before(request: web.Request, number: int) -> str:
    return f"?{request.rel_url.with_query({**request.query, 'before': str(number)}).query_string}"
