"""The pages on which people enter things, over a store whose log decides what the figures are derived under."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from aiohttp import web

from browser.fabricated import NOW, healthy
from browser.page_server import QUICK, FabricatedSource
from detak_collector.accounts.roles import Role
from detak_collector.board.pulse import Pulse
from detak_collector.closing.examined import ClosingSheet, examined_json
from detak_collector.closing.past import with_past
from detak_collector.closing.sealed_view import KnownSeals, SealedView
from detak_collector.config import load
from detak_collector.decisions.log import CurrentRules
from detak_collector.decisions.proposal import Verdict
from detak_collector.decisions.recording import Author, Draft, Ruling, enter
from detak_collector.downtime.catalogue import Catalogue, Dated, NodeEntry
from detak_collector.figures import Figures
from detak_collector.past.observed import ObservedSheet, observed_json
from detak_collector.records import Records
from detak_collector.rules import Rules
from detak_collector.store.metrics import read as read_metrics
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from detak_collector.stored_months import View
from detak_collector.web.assets import Assets
from detak_collector.web.pages import add_pages
from detak_collector.web.people import People
from detak_collector.web.render import STATIC, TEMPLATES
from detak_collector.web.sheet_maker import SheetMaker, Sources
from detak_collector.web.sheet_pages import add_sheets
from detak_collector.web.work.closing import add_closing
from detak_collector.web.work.exclusions import add_corrections
from people_stage import TERMS, Stage, Told, quick
from sheets_stage import BEGIN, JAKARTA, SERVICES, InProcess, StatedAndStored, evidence, now

__all__ = ["BEGIN", "NOW"]


@dataclass
class InForce(InProcess):
    """Pages derived under what is decided at that moment."""

    in_force: CurrentRules = field(kw_only=True)

    def rules(self) -> Rules:
        return self.in_force()


@dataclass
class WorkStage(Stage):
    """The pages, whoever comes to them, and what they are derived from."""

    pages: InForce = field(init=False)

    def decided(self, *steps: Draft | Ruling, by: str) -> list[str]:
        """Entered as somebody does who uses the command."""
        return enter(self.store.database, steps, Author(by, by), self.now.utc)[1]

    def verdict(self, name: str, verdict: Verdict, by: str) -> None:
        about = "exclusion" if name.startswith("x") else "declaration"
        self.decided(Ruling(about, name, verdict, "so be it"), by=by)  # type: ignore[arg-type]


CATALOGUE = Catalogue(
    Dated.always("Direktorat Contoh"),
    "Asia/Jakarta",
    SERVICES,
    nodes=(NodeEntry("dc-db-01", Dated.always("DC")), NodeEntry("drc-db-01", Dated.always("DRC"))),
)


def _pages(store: Store, stage: WorkStage) -> InForce:
    in_force = CurrentRules(store, lambda: Rules(CATALOGUE), lambda: stage.now)
    source = StatedAndStored(store.evidence, evidence())
    records = Records(store.outages, store.history)
    figures = Figures(source, store.derived, store.registry, in_force, lambda: stage.now, records)
    figures.under_seals(SealedView(KnownSeals(store.entries), figures.derived))
    metrics = partial(read_metrics, store.database)

    def examine(sheet: ClosingSheet | ObservedSheet, rules: Rules) -> bytes:
        if isinstance(sheet, ObservedSheet):
            return observed_json(View(source, rules, stage.now), sheet)
        return examined_json(store.database, figures, stage.now.utc, sheet, with_past(rules, store.database))

    sources = Sources(figures, store.outages, metrics, in_force, lambda: stage.now.utc, examine)
    return InForce(SheetMaker(sources, Assets(STATIC, TEMPLATES)), in_force(), in_force=in_force)


@asynccontextmanager
async def work_stage(folder: Path, *, sign_in: bool = True) -> AsyncIterator[WorkStage]:
    (folder / "collector.toml").write_text('state_directory = "state"\n')
    told, source = Told(), FabricatedSource(healthy())
    stage: WorkStage
    with closing(open_store(folder, now())) as store, ThreadPoolExecutor(1) as thread:
        people = People(store, thread, lambda: stage.now, lambda: stage.config, lambda: JAKARTA, told)
        config = replace(load(folder / "collector.toml"), sign_in=TERMS if sign_in else None)
        stage = WorkStage("", store, people, source, told, now(), config)
        people.proving.hasher = quick()
        people.proving.refusal_s = 0.0
        stage.pages = _pages(store, stage)
        app = web.Application(middlewares=[people.gate.attend])
        people.add_to(app)
        add_pages(app, source, Pulse(), QUICK, people.gate)
        sheets = add_sheets(app, stage.pages, people.gate)
        add_corrections(app, people, sheets)
        add_closing(app, people, sheets)
        if sign_in:
            stage.add("ani", Role.OPERATOR, display="Ani Rahmawati")
            stage.add("budi", Role.APPROVER, display="Budi Santoso")
            stage.add("siti", Role.VIEWER, display="Siti")
            stage.add("dewi", Role.AUDITOR, display="Dewi")
            stage.add("agus", Role.ADMIN, display="Agus")
            stage.add("tamu", display="Tamu")
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield stage
        finally:
            await runner.cleanup()
