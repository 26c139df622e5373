"""`detak-collector serve`: the composition root. It opens everything, ties it together, and lets go in good order."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from detak_collector import catalogue
from detak_collector.clocks import Clock, Reading
from detak_collector.config import Config, Tls
from detak_collector.enrol import Keyring
from detak_collector.errors import CannotServeError
from detak_collector.figures import Figures, unfilled
from detak_collector.ingest import Ingest
from detak_collector.ingest_deadlines import Deadlines
from detak_collector.ingest_metrics import MetricsIntake
from detak_collector.pulse import Pulse
from detak_collector.records import Records
from detak_collector.rivals import rivalry
from detak_collector.rules import Rules, rules_of
from detak_collector.store.base import StoreError
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_collector.systemd import notify
from detak_collector.watch import Watch
from detak_collector.web.api import Api
from detak_collector.web.metrics import MetricsApi
from detak_collector.web.pages import add_pages
from detak_wire import limits

SHUTDOWN_S = 10.0
LISTEN_BACKLOG = 1_024
GARBAGE_THRESHOLD = 10_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Collector:
    """Everything of a running collector that outlives a request."""

    config: Config
    clock: Clock
    store: SqliteStore
    thread: ThreadPoolExecutor
    keyring: Keyring
    deadlines: Deadlines
    pulse: Pulse
    watch: Watch
    ingest: Ingest
    rules: Rules
    metrics: MetricsIntake

    def application(self) -> web.Application:
        """The routes: agents' endpoints, then the pages."""
        app = web.Application(client_max_size=limits.BODY_BYTES)
        store = self.store
        api = Api(
            self.ingest,
            store.registry,
            self.keyring,
            self.thread,
            self.clock,
            store.collector,
            stored=self.metrics.take,
        )
        app.add_routes([*api.routes(), *MetricsApi(store.metrics, self.clock).routes()])
        records = Records(store.outages, store.history)
        figures = Figures(store.evidence, store.derived, store.registry, lambda: self.rules, self.clock, records)
        add_pages(app, figures, self.pulse)
        return app

    async def after_tick(self, now: Reading) -> None:
        """What is looked after each second, once the tick is durable."""
        notify("WATCHDOG=1")
        call = partial(asyncio.get_running_loop().run_in_executor, self.thread)
        if await call(self.store.registry.changed_elsewhere):
            await call(self.keyring.refill)
        silent = self.deadlines.fell_silent(now.boottime)
        if silent:
            _log.warning("not heard for more than %d ms: %s", self.config.down_after_ms, ", ".join(silent))
            self.pulse.beat()
        await self.metrics.store(now.utc)
        await self._tell_rivals(now)

    async def _tell_rivals(self, now: Reading) -> None:
        """Two agents with one identity are logged once, and noted for the page and `nodes` while they last."""
        look = self.ingest.rivals.look(now.boottime)
        if not look.found and not look.ended:
            return
        call = partial(asyncio.get_running_loop().run_in_executor, self.thread)
        registry = self.store.registry
        await call(registry.note_rivals, {**dict.fromkeys(look.ended, ()), **look.found}, now)
        if look.begun:
            for row in await call(registry.listing, now, look.begun):
                _log.error("node %s: %s", row.name, rivalry(row.name, row.rivals))
        for node in sorted(look.ended):
            _log.warning("node %s: one agent speaks as this node again", node)
        if look.begun or look.ended:
            self.pulse.beat()

    def reload(self, tls: ssl.SSLContext | None) -> None:
        """Takes services.toml and the certificate as they are now; where one is not right, the old one stays."""
        notify("RELOADING=1")
        try:
            self.rules = rules_of(self.config)
            _log.info("%s: reloaded", self.config.services)
            _warn_of_hours(self.rules, self.clock())
            self.pulse.beat()
        except catalogue.CatalogueError as error:
            for line in error.lines:
                _log.error("not reloaded: %s", line)
        if tls is not None and self.config.tls is not None:
            try:
                tls.load_cert_chain(self.config.tls.certificate, self.config.tls.key)
            except (OSError, ssl.SSLError) as error:
                _log.error("not reloaded: %s: %s", self.config.tls.certificate, error)
        notify("READY=1")


async def serve(config: Config, clock: Clock, listening: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT; `listening` is told the address. Raises CannotServeError or StoreError."""
    async with _collector(config, clock) as collector:
        tls = _tls_context(config.tls)
        settle_memory()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, collector.reload, tls)
        tasks = [asyncio.create_task(collector.ingest.run(), name="ingest")]
        runner = web.AppRunner(
            collector.application(), access_log=None, auto_decompress=False, shutdown_timeout=SHUTDOWN_S
        )
        try:
            await runner.setup()
            url = await _listen(runner, config, tls)
            await collector.watch.begin()
            tasks.append(asyncio.create_task(collector.watch.run(collector.after_tick), name="watch"))
            listening(url)
            notify("READY=1")
            await _until_first(stop, *tasks)
            notify("STOPPING=1")
        finally:
            # The handlers still under way wait for their commits, so the writer ends after them.
            await runner.cleanup()
            await _cancel(*tasks)
            await collector.metrics.store(collector.clock().utc)
            with suppress(StoreError):
                await collector.watch.end("stop")


def _warn_of_hours(rules: Rules, now: Reading) -> None:
    """Unknown joint leave costs the figure, never the evidence: the collector says so and goes on."""
    missing, ahead = unfilled(rules.catalogue, now.utc)
    for one in (*missing, *ahead):
        _log.warning("%s", one.line)


@asynccontextmanager
async def _collector(config: Config, clock: Clock) -> AsyncIterator[Collector]:
    rules = rules_of(config)
    _warn_of_hours(rules, clock())
    with _state_directory(config.state_directory), ThreadPoolExecutor(1, "store") as thread:
        store = open_store(config.state_directory, clock())
        try:
            yield _assembled(config, clock, store, thread, rules)
        finally:
            thread.shutdown()
            store.close()


def _assembled(config: Config, clock: Clock, store: SqliteStore, thread: ThreadPoolExecutor, rules: Rules) -> Collector:
    now = clock()
    deadlines = Deadlines(config.down_after_ms, store.evidence.heard(now), now.boottime)
    pulse = Pulse()
    watch = Watch(store.watch, thread, clock)
    ingest = Ingest(store.evidence, thread, store.collector, clock, deadlines, pulse, watch.refused_liveness)
    keyring = Keyring(store.registry)
    metrics = MetricsIntake(store.metrics, thread)
    return Collector(config, clock, store, thread, keyring, deadlines, pulse, watch, ingest, rules, metrics)


@contextmanager
def _state_directory(path: Path) -> Iterator[None]:
    """The directory, private to this user and to this process as long as it runs."""
    os.umask(0o077)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "collector.lock").open("a")
    except OSError as error:
        raise CannotServeError(f"state_directory {path}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotServeError(f"state_directory {path}: another collector is running on it") from None
        yield


def settle_memory() -> None:
    """All that exists by now stays; looking through it again and again cost a fifth of the time of a beat."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)


def _tls_context(tls: Tls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise CannotServeError(f"tls.certificate {tls.certificate}, tls.key {tls.key}: {error}") from error
    return context


async def _listen(runner: web.AppRunner, config: Config, tls: ssl.SSLContext | None) -> str:
    site = web.TCPSite(runner, config.host, config.port, ssl_context=tls, backlog=LISTEN_BACKLOG)
    try:
        await site.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CannotServeError(f"listen {config.host}:{config.port}: {reason}") from error
    host, port = runner.addresses[0][:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


async def _until_first(stop: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Until a stop is asked for; raises what ended a task before that."""
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in done - {stopping}:
        task.result()


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
