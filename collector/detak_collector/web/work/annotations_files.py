"""/attachments/SHA256: the bytes of an attachment, for who may see outages. A browser saves it and never shows it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from detak_collector.annotations.bodies import Attachment
from detak_collector.annotations.told import ToldOfAll
from detak_collector.translation.saying import mark
from detak_collector.web.work.annotations import reader, sign_in_first
from detak_collector.web.work.annotations_desk import Desk

HEX = frozenset("0123456789abcdef")
DIGITS = 64
UNKNOWN = mark("There is no such attachment.") + "\n"
NOT_HERE = mark("The bytes of this attachment are not here so far: the other collector has them.") + "\n"
GUARDS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


@dataclass(frozen=True, slots=True)
class FilePages:
    """The attachments, by what they are."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [web.get("/attachments/{digest}", self.attachment)]

    async def attachment(self, request: web.Request) -> web.StreamResponse:
        """The file, to be saved."""
        may_see, _ = await reader(self.desk, request)
        if not may_see:
            return sign_in_first(request)
        return await self.answer(request.match_info["digest"])

    async def answer(self, digest: str) -> web.Response:
        """The file of that digest; raises HTTPNotFound where no outage ever had it."""
        if len(digest) != DIGITS or not HEX.issuperset(digest):
            raise web.HTTPNotFound(text=UNKNOWN)
        body = named(await self.desk.told(), digest)
        if body is None:
            raise web.HTTPNotFound(text=UNKNOWN)
        content = await asyncio.to_thread(self.desk.people.store.attachments.content, digest)
        if content is None:
            raise web.HTTPNotFound(text=NOT_HERE)
        charset = "utf-8" if body.type.startswith("text/") else None
        headers = {**GUARDS, "Content-Disposition": disposition(body.name), "ETag": f'"{digest}"'}
        return web.Response(body=content, content_type=body.type, charset=charset, headers=headers)


def named(told: ToldOfAll, digest: str) -> Attachment | None:
    """What the log says of it: also of a file that was withdrawn, since versions of before speak of it."""
    found = (one.body for each in told.outages.values() for one in each.attached if one.body.digest == digest)
    return next(found, None)


def disposition(name: str) -> str:
    """To be saved under that name (RFC 6266), also by a browser that reads only ASCII."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
