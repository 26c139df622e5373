"""A node with the real agent on it: its schedule, runner, spans, journal and delivery, on virtual clocks and disk."""

import asyncio
import copy
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from detak_agent.checks.base import Surroundings
from detak_agent.config import CollectorSettings, load
from detak_agent.daemon import Daemon
from detak_agent.failures import JournalError
from detak_agent.journal import Journal
from detak_agent.journal_file import FILE_NAME
from detak_agent.journal_thread import JournalThread
from detak_agent.keys import key_path, write_key
from detak_agent.life import Life, Machine
from detak_agent.records import Commit
from detak_agent.run import Run
from detak_agent.systemd import Notifier
from detak_wire.messages import Span
from simulation.machine import NodeClock
from simulation.network import Network, VirtualLink
from simulation.target import Target
from simulation.world import Disk, VirtualLoop, World, process

RESTART_MS = 2_000.0
"""RestartSec of the unit."""

_SNAPSHOT = "snapshot.db"
_READS = ("runs", "owed", "close")
"""What a journal does on a full disk as well."""

T = TypeVar("T")
Durable = dict[str, dict[int, Span]]


def key_of(node: str) -> str:
    """The key that the node was given."""
    return node * 43


@dataclass(frozen=True)
class Pace:
    """How fast an agent works, in milliseconds."""

    interval_ms: int
    timeout_ms: int
    beat_ms: int
    tick_ms: int = 1_000

    @property
    def long_enough_ms(self) -> float:
        """Longer than two samples of one check, from the begin of the one to the end of the other, ever span."""
        return self.interval_ms * 1.5 + self.timeout_ms * 2.2 + 1_500


class VirtualThread(JournalThread):
    """The journal's thread on the virtual disk. It remembers what the disk has, to be held against the collector."""

    def __init__(self, loop: VirtualLoop, disk: Disk, durable: Durable) -> None:
        self.waiting = 0
        self._loop = loop
        self._disk = disk
        self._durable = durable

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        def work() -> T:
            if self._disk.is_full and function.__name__ not in _READS:
                raise sqlite3.OperationalError("database or disk is full")
            value = function(*arguments)
            if arguments and isinstance(arguments[0], Commit):
                self._remember(arguments[0])
            return value

        self.waiting += 1
        try:
            return await self._loop.run_in_executor(None, work)
        except sqlite3.Error as failure:
            raise JournalError(f"journal: {failure}") from failure
        finally:
            self.waiting -= 1

    def _remember(self, commit: Commit) -> None:
        spans = [*commit.open, *(record for record in commit.closed if isinstance(record, Span))]
        self._durable.setdefault(commit.run, {}).update((span.number, span) for span in spans)


class _Daemon(Daemon):
    """The daemon of a process whose memory can be copied, and be the copy that a restored machine goes on with."""

    run: Run | None = None
    thread: VirtualThread
    restored: Run | None = None

    async def _begin_run(self, journal: Journal, thread: JournalThread) -> Life:
        if self.restored is not None:
            life = Life(self._config, self.restored, journal, thread, self._machine)
            self.restored = None
            life.begin()
            # Its couriers were under way when the snapshot caught them: they do not wait for a first commit.
            life._wake()
        else:
            life = await super()._begin_run(journal, thread)
        self.run = life._run
        return life


class SimulatedAgent:
    """The agent as systemd sees it: started, stopped, killed, frozen. Each start is another process on one journal."""

    def __init__(
        self,
        node: str,
        directory: Path,
        pace: Pace,
        targets: Mapping[str, Target],
        clock: NodeClock,
        links: Mapping[str, Network],
        world: World,
        random: Random,
    ) -> None:
        self.node = node
        self.clock = clock
        self.disk = Disk(world, random)
        self.guarded_ms: int | None = None
        self.starts = 0
        self.reloads = 0
        self.gave_up = 0
        self.start_again: Callable[[], None] = self.start
        """What systemd does once the agent gave up."""
        self.runs: list[str] = []
        self.durable: Durable = {}
        self.set_back: set[str] = set()
        """Runs that a restored machine went on with: of these, not all that its disk had is what was delivered."""
        self._world = world
        self._directory = directory
        self._pace = pace
        self._kinds = {check: target.kind(check) for check, target in targets.items()}
        self._links = links
        self._confirm = 1
        self._random = random
        self._rate = 1.0
        self._loop: VirtualLoop | None = None
        self._journal: Journal | None = None
        self._daemon: _Daemon | None = None
        self._copied: Run | None = None
        directory.mkdir()
        for url in links:
            write_key(key_path(CollectorSettings(url=url), directory), key_of(node))

    @property
    def lives(self) -> bool:
        return self._loop is not None

    def start(self, restored: Run | None = None) -> None:
        """A new process, unless one runs; with a run it goes on from that memory."""
        if self._loop is not None:
            return
        loop = process(self._world, self.disk)
        loop.steer(self._rate)
        journal = Journal.open(self._directory)
        path = self._write_configuration()
        registry = {kind.name: kind for kind in self._kinds.values()}
        daemon = _Daemon(path, load(path, registry), registry, self._machine(loop))
        daemon.restored = restored
        loop.at(self._world.now, self._begin, loop, daemon, journal)
        self.starts += 1
        self._loop, self._journal, self._daemon = loop, journal, daemon

    def stop(self) -> None:
        """SIGTERM."""
        if self._loop is not None and self._daemon is not None:
            self._loop.at(self._world.now, self._daemon.stop)

    def reload(self) -> None:
        """Another configuration and SIGHUP: a new run in the same process."""
        if self._loop is not None and self._daemon is not None:
            self._confirm += 1
            self.reloads += 1
            self._write_configuration()
            self._loop.at(self._world.now, self._daemon.reload)

    def kill(self) -> None:
        """SIGKILL, or the power is gone: what the journal committed is all that remains."""
        if self._loop is None or self._journal is None:
            return
        self._journal.close()
        self._loop.kill()
        self._loop = self._journal = self._daemon = None

    def steer(self, rate: float) -> None:
        """The kernel's timers run at another rate; agent time does not."""
        self._rate = rate
        if self._loop is not None:
            self._loop.steer(rate)

    def freeze(self, until: float) -> None:
        """SIGSTOP."""
        if self._loop is not None:
            self._loop.freeze(until)

    def stand_still(self, until: float) -> None:
        """The whole machine does nothing, and its timers do not run."""
        if self._loop is not None:
            self._loop.stand_still(until)

    def snapshot(self) -> bool:
        """Copy the journal's file and the process's memory; False while the disk is busy, when they do not match."""
        if self._journal is None or self._daemon is None or self._daemon.run is None or self._daemon.thread.waiting:
            return False
        path = self._directory / _SNAPSHOT
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as copied:
            self._journal._connection.backup(copied)
        self._copied = copy.deepcopy(self._daemon.run)
        return True

    def restore_disk(self) -> None:
        """The journal is what it was at the snapshot."""
        for suffix in ("-wal", "-shm"):
            (self._directory / (FILE_NAME + suffix)).unlink(missing_ok=True)
        shutil.copy(self._directory / _SNAPSHOT, self._directory / FILE_NAME)
        assert self._copied is not None
        self.set_back.update(self.runs[self.runs.index(self._copied.identity) :])

    def restore_memory(self, *, is_told: bool) -> None:
        """The process that the snapshot caught goes on, and may hear of it from its kernel."""
        self.start(self._copied)
        if is_told and self._loop is not None and self._daemon is not None:
            self._loop.at(self._world.now, self._daemon.set_back)

    def _write_configuration(self) -> Path:
        """An agent that looks at its targets. `confirm` changes nothing but the run."""
        pace, path = self._pace, self._directory / "agent.toml"
        collectors = "".join(f'[[collector]]\nurl = "{url}"\nrenew_days = 0\n' for url in self._links)
        checks = "".join(
            f'[[check]]\nname = "{check}"\nkind = "{kind.name}"\nconfirm = {self._confirm}\n'
            f"interval_ms = {pace.interval_ms}\ntimeout_ms = {pace.timeout_ms}\n"
            for check, kind in self._kinds.items()
        )
        path.write_text(
            f'node = "{self.node}"\nstate_directory = "{self._directory}"\n'
            f"tick_ms = {pace.tick_ms}\nbeat_ms = {pace.beat_ms}\nmetrics_ms = 0\n{collectors}{checks}",
            encoding="utf-8",
        )
        return path

    def _begin(self, loop: VirtualLoop, daemon: _Daemon, journal: Journal) -> None:
        daemon.thread = VirtualThread(loop, self.disk, self.durable)
        living = loop.create_task(daemon.live_on(journal, daemon.thread))
        living.add_done_callback(self._ended)

    def _ended(self, living: "asyncio.Task[None]") -> None:
        """The process ends; one whose disk was full is started again."""
        if self._loop is None or living.cancelled():
            return
        error = living.exception()
        self._world.at(self._world.now, self.kill)
        if isinstance(error, JournalError) and "full" in str(error):
            self.gave_up += 1
            self._world.at(self._world.now + RESTART_MS, self.start_again)
        elif error is not None:
            self._world.failures.append(f"the agent ended: {error!r}")

    def _identity(self) -> str:
        run = f"{self._random.getrandbits(64):016x}"
        self.runs.append(run)
        return run

    def _machine(self, loop: VirtualLoop) -> Machine:
        environment = {} if self.guarded_ms is None else {"WATCHDOG_USEC": str(self.guarded_ms * 1_000)}
        return Machine(
            clock=self.clock,
            surroundings=Surroundings(),
            random=self._random.random,
            notifier=Notifier(environment),
            connect=lambda _, collector: VirtualLink(self._links[collector.url], loop),
            identity=self._identity,
        )
