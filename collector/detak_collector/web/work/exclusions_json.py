"""What the API of work shares: who may, bodies read strictly, answers with an ETag, refusals by RFC 9457."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from detak_collector.accounts.roles import Right
from detak_collector.web.session import Person
from detak_collector.web.work.exclusions_desk import Desk, ElsewhereError
from detak_collector.web.work.exclusions_form import Faults

JSON = "application/json"
PROBLEM = "application/problem+json"
MOST_BYTES = 65_536
BODY_S = 20.0
NOBODY_ENTERS = "People do not sign in at this collector, so nothing is entered here."

B = TypeVar("B", bound=Struct)


class WrongField(Struct, frozen=True):
    """One thing that is wrong, and where."""

    field: str
    reason: str


class WorkProblem(Struct, frozen=True):
    """Why something was not done (RFC 9457); `errors` has each field that is wrong."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    errors: tuple[WrongField, ...] = ()


def problem(status: int, detail: str, errors: tuple[WrongField, ...] = ()) -> web.Response:
    """A refusal."""
    title = web.Response(status=status).reason
    body = msgspec.json.encode(WorkProblem(title or "", status, detail, errors=errors))
    return web.Response(status=status, body=body, content_type=PROBLEM, headers={"Cache-Control": "no-store"})


def wrong(faults: Faults) -> web.Response:
    """A refusal of what was sent."""
    errors = tuple(WrongField(name, fault.text) for name, fault in faults.items())
    return problem(422, "Nothing is entered: something in it is not right.", errors)


class RefusedRequest(Exception):  # noqa: N818 - an answer that is ready, not an error of this program
    """Nothing goes on; `answer` says why."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.reason)
        self.answer = answer


def refusing(handler: Callable[[Any, web.Request], Awaitable[web.Response]]) -> Callable[..., Awaitable[web.Response]]:
    """A handler whose refusals are answers."""

    async def handled(self: Any, request: web.Request) -> web.Response:  # noqa: ANN401 - whatever has the handler
        try:
            return await handler(self, request)
        except RefusedRequest as refused:
            return refused.answer
        except ElsewhereError as error:
            return problem(409, f"Things are entered at the other collector: {error}")
        except web.HTTPException as error:
            answer = problem(error.status, error.text or error.reason)
            answer.headers.update({name: error.headers[name] for name in ("Retry-After",) if name in error.headers})
            return answer

    return handled


async def asker(desk: Desk, request: web.Request, right: Right) -> Person | None:
    """Who asks, with that right; None only where people do not sign in and something is looked at."""
    if desk.people.terms() is None:
        if right is Right.SEE:
            return None
        raise RefusedRequest(problem(404, NOBODY_ENTERS))
    person = await desk.people.gate.person(request)
    if person is None:
        answer = problem(401, "Sign in, or bring a token.")
        answer.headers["WWW-Authenticate"] = "Bearer"
        raise RefusedRequest(answer)
    if right not in person.rights:
        raise RefusedRequest(problem(403, "The roles of this account, or the scopes of this token, do not include it."))
    return person


async def enterer(desk: Desk, request: web.Request, right: Right) -> Person:
    """The same where something is entered; another site's page may not have a browser do that."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise RefusedRequest(problem(403, "This came from another site."))
    person = await asker(desk, request, right)
    if person is None:
        raise RefusedRequest(problem(404, NOBODY_ENTERS))
    return person


async def content_of(request: web.Request, content_type: str, most_bytes: int) -> bytes:
    """The body; raises RefusedRequest."""
    if request.content_type != content_type:
        raise RefusedRequest(problem(415, f"It is sent as {content_type}."))
    body = b""
    try:
        async with asyncio.timeout(BODY_S):
            while len(body) <= most_bytes and not request.content.at_eof():
                body += await request.content.read(most_bytes + 1 - len(body))
    except TimeoutError:
        raise RefusedRequest(problem(408, "It did not come whole in time.")) from None
    if len(body) > most_bytes:
        raise RefusedRequest(problem(413, f"It is longer than {most_bytes} bytes."))
    return body


async def body_of(request: web.Request, kind: type[B]) -> B:
    """The body, read strictly; raises RefusedRequest."""
    body = await content_of(request, JSON, MOST_BYTES)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedRequest(problem(400, f"{error}.")) from None


def answered(request: web.Request, told: Mapping[str, object], status: int = 200) -> web.Response:
    """The answer, or word that the asker has it already."""
    body = json.dumps(told, ensure_ascii=False).encode()
    tag = hashlib.sha256(body).hexdigest()[:16]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    if status == 200 and any(one.value in {tag, "*"} for one in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(status=status, body=body, content_type=JSON, charset="utf-8", headers=headers)
