"""/admin/nodes: who delivers evidence, on pages. They decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.translation.language import mark
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.work.admin_desk import RefusedError
from detak_collector.web.work.admin_nodes import Enrolment, NodesDesk
from detak_collector.web.work.admin_pages import Administration

DOES = (Right.ADMINISTER,)
A_PAGE = 50
WORDS = {
    "heard": mark("heard"),
    "silent": mark("silent"),
    "never heard": mark("never heard"),
    "stopped": mark("stopped"),
    "shut down": mark("shut down"),
    "failed": mark("failed"),
    "two agents": mark("two agents"),
    "revoked": mark("without a key"),
}
RETIRED = mark("Its key is void.")


class NodesPages:
    """The list, and each node."""

    def __init__(self, base: Administration) -> None:
        self._base = base
        self._desk = NodesDesk(base.desk)

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/admin/nodes", self.nodes),
            web.post("/admin/nodes", self.enrol),
            web.get("/admin/nodes/{node}", self.node),
            web.post("/admin/nodes/{node}/retire", self.retire),
        ]

    async def nodes(self, request: web.Request) -> web.StreamResponse:
        """The list, a page of it at a time."""
        person = await self._base.reader(request, DOES)
        return person if isinstance(person, web.Response) else await self._list(request, person)

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """A token, shown once."""
        person, fields = await self._base.sent(request, DOES)
        if person is None:
            return self._base.elsewhere(request)
        try:
            enrolment = await self._desk.enrol(person, fields.get("node", ""), fields.get("hours", ""))
        except RefusedError as refused:
            return await self._list(request, person, typed=fields, refused=refused)
        return await self._list(request, person, enrolment=enrolment)

    async def node(self, request: web.Request) -> web.StreamResponse:
        """One of them, with what rests on it."""
        person = await self._base.reader(request, DOES)
        return person if isinstance(person, web.Response) else await self._one(request, person)

    async def retire(self, request: web.Request) -> web.StreamResponse:
        """Its key is void, if its name was typed."""
        person, fields = await self._base.sent(request, DOES)
        if person is None:
            return self._base.elsewhere(request)
        try:
            await self._desk.retire(person, request.match_info["node"], fields.get("typed", ""))
        except RefusedError as refused:
            return await self._one(request, person, refused)
        return go_to(f"../{request.match_info['node']}?notice=retired")

    async def _list(
        self, request: web.Request, person: Person, *, enrolment: Enrolment | None = None,
        typed: Mapping[str, str] | None = None, refused: RefusedError | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        find, wanted = request.query.get("find", "").strip()[:64], request.query.get("from", "")
        at = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else 0
        found = [one for one in await self._desk.all() if find.casefold() in one[0].name]
        at = min(at, max(0, len(found) - 1)) // A_PAGE * A_PAGE
        shown, told = found[at : at + A_PAGE], typed or {}
        return await self._base.page(
            request, "admin-nodes.html", person, refused,
            title=self._base.say("Nodes", request),
            rows=shown,
            first=str(at + 1), last=str(at + len(shown)), all=str(len(found)),
            before=urlencode({"find": find, "from": at - A_PAGE}) if at else "",
            after=urlencode({"find": find, "from": at + A_PAGE}) if at + A_PAGE < len(found) else "",
            find=find,
            words=WORDS,
            enrolment=enrolment,
            typed={"node": told.get("node", ""), "hours": told.get("hours", "24")},
            notice=None,
        )  # fmt: skip

    async def _one(
        self, request: web.Request, person: Person, refused: RefusedError | None = None
    ) -> web.StreamResponse:  # fmt: skip
        try:
            standing = await self._desk.one(request.match_info["node"])
        except RefusedError:
            raise self._base.not_found() from None
        if refused is not None and refused.status == 404:
            raise self._base.not_found()
        return await self._base.page(
            request, "admin-node.html", person, refused,
            title=standing.row.name,
            standing=standing,
            words=WORDS,
            notice=RETIRED if request.query.get("notice") == "retired" else None,
        )  # fmt: skip
