"""Pages and API about outages as `sheets_stage` serves them: an outage with its number, and whoever writes of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import aiohttp

from detak_collector.accounts.roles import Role
from detak_collector.downtime.numbering import Found
from downtime_cases import MINUTE
from people_stage import Browser, Page
from sheets_stage import BEGIN, IMPOR_DOWN, SERVICES, SheetStage, now, sheets_stage

PDF = b"%PDF-1.4\nberita acara"


def numbered(stage: SheetStage) -> tuple[int, int]:
    """The numbers of both outages of the service `impor` that were long ago, given as a report gives them."""
    found = [Found("impor", begin, end, running=False) for begin, end in IMPOR_DOWN]
    first, second = stage.store.outages.number(found, (BEGIN, IMPOR_DOWN[1][1] + MINUTE), now())
    return first, second


@asynccontextmanager
async def annotation_stage(folder: Path) -> AsyncIterator[tuple[SheetStage, int, int]]:
    """The stage, with an operator called `budi` and an approver called `ani`, and the two numbers."""
    async with sheets_stage(folder, SERVICES[:1], sign_in=True) as stage:
        stage.add("budi", Role.OPERATOR, display="Budi <b>Santoso</b>")
        stage.add("ani", Role.APPROVER, display="Ani")
        stage.add("rara", Role.AUDITOR, Role.ADMIN, display="Rara")
        yield stage, *numbered(stage)


@asynccontextmanager
async def signed_in(stage: SheetStage, name: str) -> AsyncIterator[Browser]:
    async with stage.browser() as browser:
        if name:
            assert (await browser.sign_in(name)).status == 303
        yield browser


async def send(
    browser: Browser, path: str, fields: dict[str, str], file: tuple[str, bytes] | None = None, token: str | None = None
) -> Page:
    """A form of the outage's page, as a browser sends it."""
    data = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    form = path.rpartition("/")[0] if path.startswith("/outages") else "/notes"
    data.add_field("token", await browser.token(form) if token is None else token)
    for name, value in fields.items():
        data.add_field(name, value)
    if file is not None:
        data.add_field("file", BytesIO(file[1]), filename=file[0], content_type="application/octet-stream")
    async with browser.client.post(path, data=data, allow_redirects=False) as answer:
        return Page(answer.status, await answer.text(), dict(answer.headers))


def plain(page: Page) -> str:
    """The text of a page on one line, without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))
