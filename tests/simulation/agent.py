"""A node with the real agent on it: its schedule, runner, spans, journal and delivery, on virtual clocks and disk."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from detak_agent.checks.base import Kind, Surroundings
from detak_agent.config import CollectorSettings, load
from detak_agent.daemon import Daemon
from detak_agent.failures import JournalError
from detak_agent.journal import Journal
from detak_agent.journal_thread import JournalThread
from detak_agent.keys import key_path, write_key
from detak_agent.life import Machine
from detak_agent.records import Commit
from detak_agent.systemd import Notifier
from detak_wire.messages import Span
from simulation.machine import NodeClock
from simulation.network import Network, VirtualLink
from simulation.target import Target
from simulation.world import Disk, VirtualLoop, process

NODE = "n"
CHECK = "c"
KEY = "k" * 43
COLLECTOR = CollectorSettings(url="http://127.0.0.1:1")

T = TypeVar("T")
Durable = dict[str, dict[int, Span]]


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

    def __init__(self, loop: VirtualLoop, durable: Durable) -> None:
        self._loop = loop
        self._durable = durable

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        def work() -> T:
            value = function(*arguments)
            if arguments and isinstance(arguments[0], Commit):
                self._remember(arguments[0])
            return value

        try:
            return await self._loop.run_in_executor(None, work)
        except sqlite3.Error as failure:
            raise JournalError(f"journal: {failure}") from failure

    def _remember(self, commit: Commit) -> None:
        spans = [*commit.open, *(record for record in commit.closed if isinstance(record, Span))]
        self._durable.setdefault(commit.run, {}).update((span.number, span) for span in spans)


class SimulatedAgent:
    """The agent as systemd sees it: started, stopped, killed, frozen. Each start is another process on one journal."""

    def __init__(
        self, directory: Path, pace: Pace, target: Target, clock: NodeClock, network: Network, random: Random
    ) -> None:
        self.clock = clock
        self.disk = Disk(network.world, random)
        self.guarded_ms: int | None = None
        self.starts = 0
        self.reloads = 0
        self.runs: list[str] = []
        self.durable: Durable = {}
        self._directory = directory
        self._pace = pace
        self._kind = target.kind
        self._confirm = 1
        self._network = network
        self._random = random
        self._rate = 1.0
        self._loop: VirtualLoop | None = None
        self._journal: Journal | None = None
        self._daemon: Daemon | None = None
        write_key(key_path(COLLECTOR, directory), KEY)

    @property
    def lives(self) -> bool:
        return self._loop is not None

    def start(self) -> None:
        """A new process, unless one runs."""
        if self._loop is not None:
            return
        loop = process(self._network.world, self.disk)
        loop.steer(self._rate)
        journal = Journal.open(self._directory)
        path, registry = self._write_configuration(), {self._kind.name: self._kind}
        daemon = Daemon(path, load(path, registry), registry, self._machine(loop))
        loop.at(self._network.world.now, self._begin, loop, daemon, journal)
        self.starts += 1
        self._loop, self._journal, self._daemon = loop, journal, daemon

    def stop(self) -> None:
        """SIGTERM."""
        if self._loop is not None and self._daemon is not None:
            self._loop.at(self._network.world.now, self._daemon.stop)

    def reload(self) -> None:
        """Another configuration and SIGHUP: a new run in the same process."""
        if self._loop is not None and self._daemon is not None:
            self._confirm += 1
            self.reloads += 1
            self._write_configuration()
            self._loop.at(self._network.world.now, self._daemon.reload)

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

    def _write_configuration(self) -> Path:
        return write_configuration(self._directory, self._pace, self._kind, self._confirm)

    def _begin(self, loop: VirtualLoop, daemon: Daemon, journal: Journal) -> None:
        living = loop.create_task(daemon.live_on(journal, VirtualThread(loop, self.durable)))
        living.add_done_callback(self._ended)

    def _ended(self, living: "asyncio.Task[None]") -> None:
        if self._loop is None or living.cancelled():
            return
        error = living.exception()
        if error is not None:
            self._network.world.failures.append(f"the agent ended: {error!r}")
        self._network.world.at(self._network.world.now, self.kill)

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
            connect=lambda _: VirtualLink(self._network, loop),
            identity=self._identity,
        )


def write_configuration(directory: Path, pace: Pace, kind: Kind, confirm: int) -> Path:
    """An agent that checks the one target and reports to the one collector. `confirm` changes nothing but the run."""
    path = directory / "agent.toml"
    path.write_text(
        f'node = "{NODE}"\nstate_directory = "{directory}"\ntick_ms = {pace.tick_ms}\nbeat_ms = {pace.beat_ms}\n'
        f'[[collector]]\nurl = "{COLLECTOR.url}"\n'
        f'[[check]]\nname = "{CHECK}"\nkind = "{kind.name}"\nconfirm = {confirm}\n'
        f"interval_ms = {pace.interval_ms}\ntimeout_ms = {pace.timeout_ms}\n",
        encoding="utf-8",
    )
    return path
