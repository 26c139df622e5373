"""Refusals as pages: who asks with a browser reads in his language why he does not get what he asked for.

To programs refusals go as they are. A fault of our own is told as one, and logged.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from detak_collector.translation import ENGLISH
from detak_collector.translation.language import Language, language, mark
from detak_collector.web.assets import Assets
from detak_collector.web.forms import GUARDS
from detak_collector.web.render import TEMPLATES
from detak_collector.web.speaking import spoken_by

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TEMPLATE = "refusal.html"
FOR_PROGRAMS = ("/api/", "/static/", "/live")
TITLES = {
    401: mark("Not without signing in"),
    403: mark("Not for you"),
    404: mark("Not found"),
    405: mark("Not in this way"),
    429: mark("Too often"),
    503: mark("Not at this moment"),
}
TITLE = mark("That is not possible")
BROKEN = mark("Something is wrong in this program; the collector's log says what. Checks and evidence go on.")
REASONS = {
    401: mark("This is for people who have signed in."),
    403: mark("Your roles do not include that. An administrator gives roles."),
    404: mark("There is no such page: the address asks for what does not exist."),
    405: mark("That cannot be done at this address."),
    408: mark("What you sent did not arrive in time. Send it again."),
    409: mark("That could not be done: by now it stands otherwise. Go back and load the page again."),
    413: mark("What you sent is larger than is taken here."),
    415: mark("What you sent is of a kind that is not taken here."),
    429: mark("More often than is allowed. Try again in a while."),
    500: BROKEN,
    503: mark("This cannot be shown at this moment; the collector's log says why. Checks and evidence go on."),
}
REASON = mark("What you sent cannot be read here.")
BY_THE_LIBRARY = frozenset({404, 405, 413})
"""Refused by aiohttp too, in words that say nothing to people."""

_log = logging.getLogger(__name__)


class RefusalPages:
    """Stands before everything else."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(asset=assets.name)

    @web.middleware
    async def attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What the handler answers; in place of a refusal its page."""
        if not is_reader(request):
            return await handler(request)
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            kept = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
            return self._page(request, error.status, reason_of(error, language(spoken_by(request))), kept)
        except Exception:  # noqa: BLE001 - whatever it is, the reader is told and the log has it
            _log.exception("%s %s", request.method, request.path)
            return self._page(request, 500, language(spoken_by(request)).say(BROKEN), {})

    def _page(self, request: web.Request, status: int, reason: str, headers: dict[str, str]) -> web.Response:
        spoken = language(spoken_by(request))
        depth = len(request.path.split("/")) - 2
        text = self._environment.get_template(TEMPLATE).render(
            say=spoken.say,
            language=spoken.code,
            root="../" * depth or "./",
            person=None,
            title=spoken.say(TITLES.get(status, TITLE)),
            reason=reason,
            status=status,
        )
        headers = {**GUARDS, "Vary": "Accept, Accept-Language, Cookie", **headers}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def is_reader(request: web.Request) -> bool:
    """Whether a page is asked for, and by a browser: only those say that they take HTML."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(FOR_PROGRAMS)


def reason_of(error: web.HTTPException, spoken: Language) -> str:
    """Why, in the language: what was said where that is known in it, else what the status says."""
    told, usual = (error.text or "").strip(), REASONS.get(error.status, REASON)
    if not told or (error.status in BY_THE_LIBRARY and told == f"{error.status}: {error.reason}"):
        return spoken.say(usual)
    if error.status == web.HTTPRequestEntityTooLarge.status_code:
        return spoken.say(usual)
    said = spoken.say(told)
    return spoken.say(usual) if said == told and spoken.code != ENGLISH else said
