"""Where a peer's central programs run, how they are started, asked and ended; nothing of one peer alone."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 60.0
LOOPBACK = "127.0.0.1"
_PORTS = (20_000, 32_000)
_ENDS_WITHIN_S = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")


class PeerError(Exception):
    """A peer could not be set up, started or asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operator has put the monitor: what a command begins with to run there, and its address for the hosts."""

    prefix: tuple[str, ...] = ()
    address: str = LOOPBACK

    def asked(self, url: str, body: bytes | None = None, headers: Sequence[str] = ()) -> bytes:
        """What a server of this place answers, even if it listens on its loopback only."""
        command = [*self.prefix, "curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "30"]
        for one in headers:
            command += ["--header", one]
        if body is not None:
            command += ["--data-binary", "@-"]
        done = subprocess.run([*command, url], input=body, capture_output=True, check=False)
        if done.returncode:
            raise PeerError(f"{url} does not answer: {(done.stderr + done.stdout).decode(errors='replace')[-600:]}")
        return done.stdout

    def answers(self, url: str) -> bool:
        """Whether a server of this place answers well there."""
        try:
            self.asked(url)
        except PeerError:
            return False
        return True


@dataclass(slots=True)
class Programs:
    """The programs that were started for one peer, each with a log in `folder`; they end together, the last first."""

    place: Place
    folder: Path = Path()
    _running: list[_Running] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str],
        ready: Callable[[], bool],
        more: Mapping[str, str] | None = None,
        ends_with: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Starts it in the place, with `more` in its environment, and waits until it is `ready`. Raises PeerError."""
        log = self.log(name)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*self.place.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={**os.environ, **(more or {})},
                start_new_session=True,
            )
        self._running.append(_Running(process, ends_with))
        end = time.monotonic() + PATIENCE_S
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                raise PeerError(f"{name} does not begin: {log.read_text(errors='replace')[-1_500:]}")
            time.sleep(0.1)

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Ends all if what is done here fails: who could not begin is not asked to stop."""
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def log(self, name: str) -> Path:
        """What the program has written."""
        return self.folder / f"{name}.log"

    def cpu_s(self) -> float:
        """The processor seconds that they and what they have started have used so far."""
        return sum(_family_cpu_s(one.process.pid) for one in self._running)

    def stop(self) -> None:
        """Ends all of them, and what they have started."""
        while self._running:
            self._running.pop().end()


@dataclass(frozen=True, slots=True)
class _Running:
    """A program, and the signal that its documentation ends it with."""

    process: subprocess.Popen[bytes]
    ends_with: signal.Signals

    def end(self) -> None:
        """Ends it; what is left of its session after that is killed."""
        self.process.send_signal(self.ends_with)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_ENDS_WITHIN_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _family_cpu_s(pid: int) -> float:
    """Of a process, its children that have ended, and those that live."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, stat[11:15])) / _TICKS + sum(_family_cpu_s(int(one)) for one in children)


def ports(count: int) -> list[int]:
    """So many free ports, all different, below those that the system gives to clients: Zabbix takes no others."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            port = random.randrange(*_PORTS)
            with suppress(OSError):
                stack.enter_context(socket.create_server((LOOPBACK, port)))
                found.append(port)
    return found


def version_of(package: str) -> str:
    """Of an installed Debian package, without what Debian has added to it."""
    whole = run(["dpkg-query", "--showformat=${Version}", "--show", package])
    return re.split(r"[-+]", whole.rpartition(":")[2])[0]


def run(command: Sequence[str], more: Mapping[str, str] | None = None) -> str:
    """What a command prints that ends by itself; it has `more` in its environment. Raises PeerError."""
    done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **(more or {})})
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise PeerError(f"{' '.join(command)} failed: {said[-1_500:]}")
    return done.stdout.decode(errors="replace")
