"""Past outages for programs: what their pages do, as JSON. No decisions."""

from __future__ import annotations

from typing import Literal

import msgspec
from aiohttp import web
from msgspec import Struct

from detak_collector.accounts.roles import Right
from detak_collector.catalogue.place import CatalogueError
from detak_collector.decisions.recording import RefusedError
from detak_collector.past.asking import AskedError
from detak_collector.past.batch import Batch
from detak_collector.web.session import Person
from detak_collector.web.work.exclusions_json import (
    JSON,
    RefusedRequest,
    WrongField,
    answered,
    asker,
    body_of,
    content_of,
    enterer,
    problem,
    refusing,
)
from detak_collector.web.work.past_desk import Looked, PastDesk, UnknownNowError
from detak_collector.web.work.past_view import acts_of, batch_json, missing, outage_json, row_of
from detak_collector.web.work.past_wish import MOST_BYTES, PastImport

MOST_BODY = 2 * MOST_BYTES
"""A file is a third longer in base64."""
MOST_TOLD = 4_000
NOT_NOW = "By now it stands otherwise, it is one's own, or the roles do not include it."
UNKNOWN = "What was observed cannot be derived at this moment."
NO_SUCH = "There is no such import."


class PastDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """What is decided on all of an import. `reason` is needed but for an approval, `document` to end what counts."""

    action: Literal["approve", "reject", "withdraw"]
    reason: str = ""
    document: str = ""


BODIES = (PastImport, PastDecision)


class PastApi:
    """The handlers."""

    def __init__(self, desk: PastDesk) -> None:
        self._desk = desk

    @refusing
    async def listing(self, request: web.Request) -> web.Response:
        """Every import, the latest first."""
        await asker(self._desk, request, Right.SEE)
        rows = [batch_json(row_of(one)) for one in await self._desk.batches()]
        return answered(request, {"items": rows, "total": len(rows), "next": None})

    @refusing
    async def one(self, request: web.Request) -> web.Response:
        """One of them with its outages."""
        await asker(self._desk, request, Right.SEE)
        return answered(request, _told(await self._found(request)))

    @refusing
    async def propose(self, request: web.Request) -> web.Response:
        """Proposes what a file has; with `dry_run` tells what that would change."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        body = await content_of(request, JSON, MOST_BODY)
        try:
            wish = msgspec.json.decode(body, type=PastImport)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return problem(400, f"{error}.")
        if len(wish.content) > MOST_BYTES:
            return problem(
                413, f"content: at most {MOST_BYTES} bytes; `detak-collector past import` takes longer files."
            )
        if not wish.document.strip():
            return problem(422, "document: is required.")
        looked = await self._looked(wish)
        if wish.dry_run:
            return await self._imagined(request, wish, looked, person)
        try:
            names = await self._desk.enter(looked.planned.drafts, person) if looked.planned.drafts else []
        except RefusedError as error:
            return problem(409, str(error))
        if names:
            self._desk.tell_imported(wish, len(names), person)
        return answered(request, {**_said(wish, looked), "entered": names}, 201)

    @refusing
    async def decide(self, request: web.Request) -> web.Response:
        """Approves, rejects, or withdraws all of one."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        told, batch = await body_of(request, PastDecision), await self._found(request)
        if told.action not in acts_of(batch, person):
            return problem(409, NOT_NOW)
        reason, document = told.reason.strip(), told.document.strip()
        lacking = missing(batch, told.action, reason, document)
        if lacking:
            errors = tuple(WrongField(name, "is required") for name in lacking)
            return problem(422, "Nothing is entered: something in it is not right.", errors)
        try:
            await self._desk.decide(batch, told.action, reason, document, person)
        except RefusedError as error:
            return problem(409, str(error))
        return answered(request, _told(await self._found(request)), 201)

    async def _looked(self, wish: PastImport) -> Looked:
        try:
            return await self._desk.look(wish)
        except AskedError as error:
            raise RefusedRequest(problem(422, f"{error.field}: {error}.")) from None
        except CatalogueError as error:
            said = f"Nothing is entered. {' '.join(error.lines)}"
            raise RefusedRequest(problem(422, said[:MOST_TOLD])) from None
        except UnknownNowError:
            raise RefusedRequest(problem(503, UNKNOWN)) from None

    async def _imagined(self, request: web.Request, wish: PastImport, looked: Looked, person: Person) -> web.Response:
        drafts, effect = looked.planned.drafts, None
        if drafts:
            register, names = await self._desk.imagined(drafts, person)
            effect = await self._desk.effect(register, names)
        told = {**_said(wish, looked), "entered": [], "effect": msgspec.to_builtins(effect)}
        return answered(request, told)

    async def _found(self, request: web.Request) -> Batch:
        batch = await self._desk.named(request.match_info["name"].casefold()[:20])
        if batch is None:
            raise RefusedRequest(problem(404, NO_SUCH))
        return batch


def _told(batch: Batch) -> dict[str, object]:
    row = row_of(batch)
    return {**batch_json(row), "declarations": [outage_json(one) for one in row.outages]}


def _said(wish: PastImport, looked: Looked) -> dict[str, object]:
    return {
        "import": wish.source.name,
        "digest": wish.source.digest,
        "outages": len(looked.planned.drafts),
        "left_out": looked.left,
        "notes": list(looked.found.notes),
    }
