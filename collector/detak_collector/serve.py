"""`detak-collector serve`: its tasks, its signals, and how it lets go in good order."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from detak_collector.channel.entrance import Channel
from detak_collector.clocks import Clock
from detak_collector.composition import Collector, opened
from detak_collector.config import Config
from detak_collector.errors import CannotServeError
from detak_collector.operating.systemd import notify
from detak_collector.store.base import StoreError

SHUTDOWN_S = 10.0
LISTEN_BACKLOG = 1_024
GARBAGE_THRESHOLD = 50_000

_log = logging.getLogger(__name__)


async def serve(config: Config, clock: Clock, listening: Callable[[str], None], load: Callable[[], Config]) -> None:
    """Serves until SIGTERM or SIGINT; `listening` is told the address, `load` reads the configuration again at SIGHUP.

    Raises CannotServeError or StoreError.
    """
    async with opened(config, clock) as collector:
        settle_memory()
        stop, hung_up = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, hung_up.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        tasks = [asyncio.create_task(collector.ingest.run(), name="ingest")]
        runner = web.AppRunner(
            collector.application(), access_log=None, auto_decompress=False, shutdown_timeout=SHUTDOWN_S
        )
        try:
            await runner.setup()
            url = await _listen(runner, config, collector.channel)
            tasks.append(asyncio.create_task(collector.channel.run(), name="channel"))
            await collector.watch.tick()
            tasks += [asyncio.create_task(job, name=name) for name, job in collector.jobs()]
            tasks.append(asyncio.create_task(_reload_at_each(hung_up, collector, load), name="reload"))
            listening(url)
            # The jobs have not begun yet: without this the syslog server would never hear of the start.
            collector.operating.take(config)
            collector.operating.upkeep.audit("started", f"the collector serves on {url}")
            notify("READY=1")
            await _until_first(stop, *tasks)
            notify("STOPPING=1")
            collector.operating.upkeep.audit("stopping", "the collector stops, as it was told to")
        finally:
            # The handlers still under way wait for their commits, so the writer ends after them.
            await runner.cleanup()
            await _cancel(*tasks)
            await collector.boards.close()
            await collector.operating.upkeep.close()
            await collector.metrics.store(collector.clock().utc)
            with suppress(StoreError):
                await collector.watch.end("stop")


async def _reload_at_each(hung_up: asyncio.Event, collector: Collector, load: Callable[[], Config]) -> None:
    while True:
        await hung_up.wait()
        hung_up.clear()
        await collector.reload(load)


def settle_memory() -> None:
    """All that exists by now stays; looking through it again and again cost a fifth of the time of a beat."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(GARBAGE_THRESHOLD, 2, 1_000)


async def _listen(runner: web.AppRunner, config: Config, channel: Channel) -> str:
    site = channel.site(runner, LISTEN_BACKLOG)
    try:
        await site.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CannotServeError(f"listen {config.host}:{config.port}: {reason}") from error
    host, port = runner.addresses[0][:2]
    return f"{channel.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


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
