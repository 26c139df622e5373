"""The pages and the API of administrators over a store with one node, two services and a version of their catalogue."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from browser.fabricated import healthy
from browser.page_server import QUICK, FabricatedSource
from detak_collector.accounts.roles import Role
from detak_collector.board.pulse import Pulse
from detak_collector.catalogue.register import Register
from detak_collector.catalogue.texts import read
from detak_collector.channel.enrol import Keyring
from detak_collector.clocks import Reading
from detak_collector.config import load
from detak_collector.decisions.log import CurrentRules
from detak_collector.rules import rules_in_force
from detak_collector.store.place import StorePlace
from detak_collector.store.sqlite import open_store
from detak_collector.web.pages import add_pages
from detak_collector.web.people import People
from detak_collector.web.work.admin import add_administration
from detak_collector.web.work.admin_catalogue import CatalogueDesk
from evidence_builders import NODE, reading
from outage_history import MINUTE_MS, SERVICES, fill
from people_stage import TERMS, Browser, Page, Stage, Told, quick

MINUTES = 400
RENAMED = SERVICES.replace('organisation = "DJBC"', 'organisation = "Bea dan Cukai"')
WITHOUT_PUSAT = SERVICES[: SERVICES.index('[[service]]\nid = "pusat"')]
KEY_HASH = b"k" * 32


@dataclass
class AdminStage(Stage):
    """With what decides on catalogues, and the keys that are good now."""

    catalogue: CatalogueDesk = field(init=False)
    keyring: Keyring = field(init=False)

    @property
    def register(self) -> Register:
        return Register(self.store.entries)


@asynccontextmanager
async def admin_stage(folder: Path, at: Reading | None = None) -> AsyncIterator[AdminStage]:
    """Agus and Ayu are admins, Budi approves, Dewi is an auditor, Siti a viewer, and Tamu has no role.

    With `at`, a moment, over the files that are in the folder already.
    """
    now, told, source = at or reading(MINUTES * MINUTE_MS + 5_000), Told(), FabricatedSource(healthy())
    if at is None:
        _make(folder)
    stage: AdminStage
    with closing(open_store(folder / "state", now)) as store, ThreadPoolExecutor(1) as thread:
        if at is None:
            Register(store.entries).record(read(folder / "services.toml"), "", now.utc, has_past=False)
        config = replace(load(folder / "collector.toml"), sign_in=TERMS)
        rules = CurrentRules(store, lambda: rules_in_force(config, store.entries), lambda: stage.now)
        people = People(store, thread, lambda: stage.now, lambda: stage.config, lambda: rules().zone, told)
        stage = AdminStage("", store, people, source, told, now, config)
        people.proving.hasher = quick()
        people.proving.refusal_s = 0.0
        app = web.Application(middlewares=[people.gate.attend])
        people.add_to(app)
        add_pages(app, source, Pulse(), QUICK, people.gate)
        stage.keyring = Keyring(store.registry)
        place = StorePlace(folder / "state")
        stage.catalogue = add_administration(app, people, stage.keyring, place, rules, Pulse().beat)
        for name, display, *roles in (
            ("agus", "Agus Salim", Role.ADMIN), ("ayu", "Ayu", Role.ADMIN), ("budi", "Budi Santoso", Role.APPROVER),
            ("dewi", "Dewi", Role.AUDITOR), ("siti", "Siti", Role.VIEWER), ("tamu", "Tamu"),
        ):  # fmt: skip
            stage.add(str(name), *roles, display=str(display))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield stage
        finally:
            await runner.cleanup()


def _make(folder: Path) -> None:
    (folder / "collector.toml").write_text('state_directory = "state"\nservices = "services.toml"\n')
    (folder / "services.toml").write_text(SERVICES)
    (folder / "state").mkdir()
    fill(folder / "state", {"web": [(300, 310)], "api": [(300, 340)]}, MINUTES)


@contextmanager
def serving_admin(folder: Path, at: Reading | None = None) -> Iterator[AdminStage]:
    """The same served by a thread of its own, beside a browser that waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        context = admin_stage(folder, at)
        stage = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(20)
        try:
            yield stage
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def upload(browser: Browser, fields: Mapping[str, str], file: str | None = None) -> Page:
    """Sends the form of the catalogue's page as a browser does, with a file where there is one."""
    form = aiohttp.FormData({"token": await browser.token("/admin/catalogue"), **fields})
    form.add_field("services", io.BytesIO((file or "").encode()), filename="services.toml" if file else "")
    async with browser.client.post("/admin/catalogue", data=form, allow_redirects=False) as answer:
        return Page(answer.status, await answer.text(), dict(answer.headers))


async def call(browser: Browser, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """What the API answers to a program that has the browser's cookie."""
    data = None if body is None else json.dumps(body)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    async with browser.client.request(method, f"/api/v1/admin/{path}", data=data, headers=headers) as answer:
        return answer.status, json.loads(await answer.text())


__all__ = ["NODE", "SERVICES"]
