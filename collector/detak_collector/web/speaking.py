"""The language of a reader: what he chose on a page, kept in a cookie, else the first his browser asks for."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from markupsafe import escape

from detak_collector.translation import ENGLISH, LANGUAGES
from detak_collector.translation.language import language
from detak_collector.web.next_page import next_page, relative

COOKIE = "detak-language"
KEPT_S = 400 * 86_400


def spoken_by(request: web.Request) -> str:
    """The reader's language, one of LANGUAGES."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("Accept-Language", ""))


def asked_for(request: web.Request) -> str:
    """The language that the address names, else the reader's: an open page stays in the one it was opened in."""
    named = request.query.get("language", "")
    return named if named in LANGUAGES else spoken_by(request)


def preferred(accepted: str) -> str:
    """The first wanted language that is spoken here, by the weights of an Accept-Language header."""
    wanted: list[tuple[float, int, str]] = []
    for at, one in enumerate(accepted[:200].split(",")):
        code, _, quality = one.strip().lower().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        wanted.append((-weight, at, code.partition("-")[0]))
    return next((code for weight, _, code in sorted(wanted) if code in LANGUAGES and weight), ENGLISH)


def who(display: str, root: str, code: str) -> str:
    """The line that says who has signed in, with the ways to his account and out."""
    out = language(code).say("Sign out")
    return f'<p class="who"><a href="{root}account">{escape(display)}</a> <a href="{root}sign-out">{out}</a></p>'


def own_paths(paths: Iterable[tuple[str, str]], root: str, code: str) -> str:
    """The links to those pages, for the navigation of a page that is drawn once for all."""
    say = language(code).say
    return "\n    ".join(f'<a href="{root}{path}">{escape(say(words))}</a>' for path, words in paths)


def sign_in_line(code: str) -> str:
    """The line in its place for who has not signed in, as the status page has it."""
    said = language(code).say("Sign in")
    return f'<p class="who"><a href="sign-in">{said}</a></p>'


async def choose(request: web.Request) -> web.Response:
    """Keeps a choice, and leads back to the page on which it was made."""
    code = request.match_info["code"]
    if code not in LANGUAGES:
        raise web.HTTPNotFound(text=f"Languages here: {', '.join(LANGUAGES)}.\n")
    back = relative(next_page(request.query.get("next", "")), 1)
    response = web.Response(status=303, headers={"Location": back, "Cache-Control": "no-store"})
    response.set_cookie(COOKIE, code, max_age=KEPT_S, path="/", samesite="Lax", httponly=True)
    return response
