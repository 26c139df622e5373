"""The agent as a process: signals set flags, the loop decides, systemd is told."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from detak_agent import VERSION, generation
from detak_agent.checks.base import Kind
from detak_agent.checks.threads import in_thread
from detak_agent.config import AgentConfig, load
from detak_agent.delivery import RenewalError
from detak_agent.ending import end_all
from detak_agent.failures import ConfigurationError, DetakError, JournalError
from detak_agent.journal import Journal
from detak_agent.journal_thread import JournalThread
from detak_agent.life import Life, Machine
from detak_agent.memory import bound_heap, keep_what_is_there
from detak_agent.run import Run
from detak_agent.runner import Check, wire_text
from detak_agent.state_directory import StateDirectory
from detak_wire.messages import CheckSettings, ClockClaim, PreviousRun, RunOpening

_log = logging.getLogger("detak_agent")

_THREAD_ENDS_WITHIN_S = 1.0
_ANOTHER_GENERATION = "this virtual machine was set back to a snapshot, or copied from one"
_FIXED = ("node", "state_directory", "journal_max_bytes")


class Daemon:
    """From the start of the process to its end: one run after another on one journal."""

    def __init__(self, path: Path, config: AgentConfig, registry: Mapping[str, Kind], machine: Machine) -> None:
        self._path = path
        self._config = config
        self._registry = registry
        self._machine = machine
        self._signalled = asyncio.Event()
        self._described: list[CheckSettings] = []
        self._generation: str | None = None
        self._stop_wanted = False
        self._reload_wanted = False
        self._is_set_back = False

    async def live(self) -> None:
        """Until a signal says stop. Raises DetakError, or whatever else ended a task."""
        self._listen()
        state = StateDirectory(self._config.state_directory)
        try:
            journal = Journal.open(state.path, self._config.journal_max_bytes)
            thread = JournalThread()
            try:
                with generation.listening(self.set_back, self._machine.surroundings.root):
                    await self.live_on(journal, thread)
            finally:
                thread.end(_THREAD_ENDS_WITHIN_S)
        finally:
            state.release()

    async def live_on(self, journal: Journal, thread: JournalThread) -> None:
        """The same without signals and files: on an open journal, which it closes when it was told to stop."""
        pinging = asyncio.ensure_future(self._machine.notifier.keep_alive())
        try:
            await self._live_on(journal, thread)
        finally:
            await end_all([pinging])

    async def _live_on(self, journal: Journal, thread: JournalThread) -> None:
        self._described = await _descriptions(self._config)
        self._generation = await thread.call(
            generation.name_of, self._config.state_directory, self._machine.clock.boot()
        )
        life = await self._begin_run(journal, thread)
        self._tell_ready()
        while True:
            try:
                renewal = await self._next_event(life)
            except JournalError:
                await life.give_up()
                raise
            if self._stop_wanted:
                break
            if renewal is not None:
                _log.error("%s; a new run begins", renewal)
                await life.end(None)
                life = await self._begin_run(journal, thread)
            if self._reload_wanted:
                life = await self._reload(life, journal, thread)
        self._machine.notifier.stopping()
        reason = await self._machine.notifier.why_stopping()
        _log.info("stopping, %s", "with this machine" if reason == "shutdown" else "as it was told to")
        await life.end(reason)
        await thread.call(journal.close)

    async def _next_event(self, life: Life) -> RenewalError | None:
        """Waits for a signal, news of the kernel or the end of the run; raises what no new run can mend."""
        failed = asyncio.ensure_future(life.failed())
        signalled = asyncio.ensure_future(self._signalled.wait())
        try:
            await asyncio.wait({failed, signalled}, return_when=asyncio.FIRST_COMPLETED)
            self._signalled.clear()
            if failed.done():
                failed.result()
        except RenewalError as error:
            return error
        finally:
            failed.cancel()
            signalled.cancel()
        return RenewalError(_ANOTHER_GENERATION) if self._is_set_back else None

    async def _reload(self, life: Life, journal: Journal, thread: JournalThread) -> Life:
        self._reload_wanted = False
        self._machine.notifier.reloading(time.monotonic_ns())
        remark = ""
        try:
            config = self._read_again()
        except ConfigurationError as error:
            remark = f"; as it was before, for what is there now is refused: {error.lines[0]}"
            for line in error.lines:
                _log.error("%s", line)
            _log.error("the configuration is refused; the old one goes on")
        else:
            before, self._config = self._config, config
            # The digest of a plug-in changes without the file that names it. While they are made, the old run ticks.
            known, self._described = self._described, await _descriptions(config)
            if _measures_the_same(before, config) and known == self._described:
                await life.change_collectors(config.collectors)
                _log.info("reloaded; the run goes on")
            else:
                await life.end("reload")
                life = await self._begin_run(journal, thread)
        self._tell_ready(remark)
        return life

    def _read_again(self) -> AgentConfig:
        config = load(self._path, self._registry)
        changed = [key for key in _FIXED if getattr(config, key) != getattr(self._config, key)]
        if changed:
            raise ConfigurationError([f"{self._path.name}: {key}: changes only with a restart" for key in changed])
        return config

    async def _begin_run(self, journal: Journal, thread: JournalThread) -> Life:
        utc, identity = self._machine.clock.utc(), self._machine.identity()
        if self._is_set_back:
            await self._begin_generation(identity, thread)
        await thread.call(journal.outbox.configure, [one.url for one in self._config.collectors])
        previous = await thread.call(journal.close_previous, utc)
        run = Run(identity, self._opening(previous))
        await thread.call(journal.begin_run, run.identity, run.opening, utc)
        life = Life(self._config, run, journal, thread, self._machine)
        life.begin()
        _log.info(
            "run %s: %d checks, %d collectors", run.identity, len(self._config.checks), len(self._config.collectors)
        )
        return life

    async def _begin_generation(self, name: str, thread: JournalThread) -> None:
        """It is called after its first run, which no other generation has."""
        self._is_set_back, self._generation = False, name
        kept = generation.Generation(self._machine.clock.boot(), name)
        await thread.call(generation.keep, self._config.state_directory, kept)

    def _opening(self, previous: PreviousRun | None) -> RunOpening:
        clock = self._machine.clock
        return RunOpening(
            boot=clock.boot(),
            opened_agent=clock.begin(),
            init_started_agent=clock.init_started(),
            agent_version=VERSION,
            tick_ms=self._config.tick_ms,
            beat_ms=self._config.beat_ms,
            checks=self._described,
            clock=ClockClaim(clock.begin(), clock.utc(), clock.error_ms()),
            suspended_ms=clock.suspended(),
            watchdog_ms=self._machine.notifier.watchdog_ms,
            virtual_machine_generation=self._generation,
            previous=previous,
        )

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def stop(self) -> None:
        """End in good order."""
        self._stop_wanted = True
        self._signalled.set()

    def reload(self) -> None:
        """Read the configuration again; a refused one changes nothing."""
        self._reload_wanted = True
        self._signalled.set()

    def set_back(self) -> None:
        """The kernel says that this virtual machine is of another generation: what was, is another machine's life."""
        self._is_set_back = True
        self._signalled.set()

    def _tell_ready(self, remark: str = "") -> None:
        """What `systemctl status` shows."""
        self._machine.notifier.ready(f"{len(self._config.checks)} checks on {self._config.node}{remark}")


async def _descriptions(config: AgentConfig) -> list[CheckSettings]:
    """Those that hold digests of files in a thread each: every one may hang for a while with its file server."""

    async def description(check: Check) -> CheckSettings:
        return await in_thread(partial(described, check)) if check.settings.has_contents else described(check)

    return await asyncio.gather(*map(description, config.checks))


def described(check: Check) -> CheckSettings:
    """The check as the run's opening states it: its target for people, without secrets."""
    settings, kind = check.settings, check.kind
    return CheckSettings(
        name=settings.name,
        kind=settings.kind,
        interval_ms=settings.interval_ms,
        timeout_ms=settings.timeout_ms,
        remote=kind.remote(settings),
        confirm=settings.confirm,
        target=wire_text(kind.target(settings)),
        digest=settings.digest(),
    )


def _measures_the_same(before: AgentConfig, after: AgentConfig) -> bool:
    return _paces(before) == _paces(after) and before.checks == after.checks


def _paces(config: AgentConfig) -> tuple[int, int, int]:
    return config.tick_ms, config.beat_ms, config.metrics_ms


def run_agent(path: Path, config: AgentConfig, registry: Mapping[str, Kind], machine: Machine) -> int:
    """The whole life of the process; returns its exit code. An error is one line, its traceback only in debug."""

    async def live() -> None:
        asyncio.get_running_loop().set_exception_handler(_log_stray)
        await Daemon(path, config, registry, machine).live()

    bound_heap()
    keep_what_is_there()
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(live())
    except DetakError as error:
        for line in error.lines:
            _log.critical("%s", line)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a user never sees a traceback
        _log.critical("a part of the agent failed, so it ends: %s: %s", type(error).__name__, error)
        _log.debug("where", exc_info=error)
        return DetakError.exit_code
    return 0


def _log_stray(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    _log.error("%s: %s", context.get("message"), context.get("exception"))
