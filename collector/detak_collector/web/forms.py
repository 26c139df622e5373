"""Pages with a form: how they are filled and guarded, and how what comes back is read. No decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from detak_collector.translation.language import language, mark
from detak_collector.web import csrf
from detak_collector.web.assets import Assets
from detak_collector.web.render import TEMPLATES
from detak_collector.web.session import COOKIE, FORM_COOKIE, Gate, Person
from detak_collector.web.speaking import spoken_by

MOST_BYTES = 16_384
MOST_FIELDS = 20
BODY_S = 20.0
URLENCODED = "application/x-www-form-urlencoded"
GUARDS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}
STALE = (
    mark("This form was not made for this browser, or is too old. Go back, reload the page and send it again.") + "\n"
)


class Forms:
    """Fills the templates of forms in the reader's language, and takes only forms that it has made itself."""

    def __init__(self, gate: Gate, assets: Assets) -> None:
        self._gate = gate
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(asset=assets.name)

    def page(
        self, request: web.Request, template: str, person: Person | None, status: int = 200, **values: object
    ) -> web.Response:
        """A page of which every form brings back the token of this browser and sign-in."""
        gate = self._gate
        cookie = gate.cookie(request, FORM_COOKIE) or csrf.fresh()
        spoken = language(spoken_by(request))
        depth = len(request.path.split("/")) - 2
        text = self._environment.get_template(template).render(
            say=spoken.say,
            language=spoken.code,
            root="../" * depth or "./",
            token=csrf.token(cookie, gate.cookie(request, COOKIE)),
            token_field=csrf.FIELD,
            person=person,
            **values,
        )
        headers = {**GUARDS, "Vary": "Accept-Language, Cookie"}
        response = web.Response(text=text, status=status, content_type="text/html", headers=headers)
        if not gate.cookie(request, FORM_COOKIE):
            gate.set_cookie(response, FORM_COOKIE, cookie)
        return response

    async def read(
        self, request: web.Request, most_bytes: int = MOST_BYTES, most_fields: int = MOST_FIELDS
    ) -> Mapping[str, str]:
        """The fields of a form of ours; raises an HTTPException with the reason for anything else."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise web.HTTPForbidden(text=STALE)
        if request.content_type != URLENCODED:
            raise web.HTTPUnsupportedMediaType(text=f"A form is sent as {URLENCODED}.\n")
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.content.read(most_bytes + 1)
                while len(body) <= most_bytes and not request.content.at_eof():
                    body += await request.content.read(most_bytes + 1 - len(body))
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        if len(body) > most_bytes:
            raise web.HTTPRequestEntityTooLarge(most_bytes, len(body))
        try:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most_fields))
        except ValueError:
            raise web.HTTPBadRequest(text=mark("This is no form that is served here.") + "\n") from None
        gate = self._gate
        brought = fields.get(csrf.FIELD, "")
        if not csrf.is_good(brought, gate.cookie(request, FORM_COOKIE), gate.cookie(request, COOKIE)):
            raise web.HTTPForbidden(text=STALE)
        return fields


def go_to(place: str) -> web.Response:
    """Has the browser ask for another page, by a path from where it is."""
    return web.Response(status=303, headers={"Location": place, "Cache-Control": "no-store"})
