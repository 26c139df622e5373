"""A host: a network namespace, and while it is up a tree of processes under a PID 1 of its own.

A crash is the kill of that PID 1: the kernel ends all of the tree at once. Each boot has a boot id and a kernel start
of its own. What is on its disk stays: everything lies in the host's folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.network import Network

_INIT = Path(__file__).with_name("host_init.py")
_LOOK_AGAIN_S = 0.005
_YOUNG_S = 20
"""How old the kernel says it is when a host comes up."""


class NotDoneError(RuntimeError):
    """The laboratory itself could not do something; the message says what and where to look."""


@dataclass
class Host:
    """`programs` start at each boot, in this order; `mounts` are tmpfs, by their path in the folder their size."""

    name: str
    network: Network
    folder: Path
    programs: list[Program] = field(default_factory=list)
    mounts: dict[Path, str] = field(default_factory=dict)
    init: int = 0
    """The id of its PID 1, as this machine has it."""

    ahead_s: int = 0
    """Of its clocks, before this machine's: a kernel's begin at its boot."""

    _outer: subprocess.Popen[bytes] | None = None
    _retired: bool = False

    @property
    def address(self) -> str:
        """On the laboratory's network."""
        return self.network.address(self.name)

    @property
    def is_up(self) -> bool:
        """Whether its PID 1 lives."""
        return self._outer is not None and self._outer.poll() is None

    def boot(self) -> None:
        """PID 1, the mounts and the programs; each program is started, and not waited for. Raises NotDoneError."""
        if self._retired:
            raise NotDoneError(f"{self.name} is gone: the laboratory is being taken down")
        boot_id = self.folder / "boot_id"
        boot_id.write_text(f"{uuid.uuid4()}\n")
        self.ahead_s = _YOUNG_S - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        offset = str(self.ahead_s)
        command = ["nsenter", f"--net={self.network.path(self.name)}", "unshare", "--pid", "--kill-child", "--mount",
                   "--mount-proc", "--time", "--boottime", offset, "--monotonic", offset,
                   sys.executable, "-I", "-S", str(_INIT), str(boot_id)]  # fmt: skip
        with (self.folder / "console.log").open("ab") as log:
            self.init = 0
            self._outer = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self._outer.stdout is not None
        if self._outer.stdout.readline() != b"up\n":
            raise NotDoneError(f"{self.name} does not come up: see {self.folder}/console.log")
        self.init = _child_of(self._outer.pid)
        self.network.plug(self.name)
        for path, size in self.mounts.items():
            path.mkdir(exist_ok=True)
            self.does("mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "lab", str(path))
        for program in self.programs:
            program.start()

    def crash(self) -> None:
        """Everything on it is dead when this returns, and its address answers nobody."""
        self._die()
        # The kernel would go on answering pings in its name.
        self.network.unplug(self.name)

    def retire(self) -> None:
        """It dies for good: whoever is still about to boot it cannot."""
        self._retired = True
        self._die()

    def _die(self) -> None:
        if self._outer is None:
            return
        if self.is_up and self.init:
            with suppress(ProcessLookupError):
                os.kill(self.init, signal.SIGKILL)
        else:
            # It did not come up: what there is of it dies with this one.
            self._outer.kill()
        self._outer.wait()
        assert self._outer.stdout is not None
        self._outer.stdout.close()
        for program in self.programs:
            program.forget()

    def does(self, *words: str) -> None:
        """A command on it, as root, to its end; raises NotDoneError."""
        done = subprocess.run(self.entering(words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotDoneError(f"{self.name}: {' '.join(words)}: {done.stderr.strip()}")

    def entering(self, words: Sequence[str]) -> list[str]:
        """The same command, as it is started from outside."""
        return ["nsenter", "--target", str(self.init), "--mount", "--pid", "--net", "--time", "--", *words]

    def program(self, name: str) -> Program:
        """One of its programs."""
        return next(one for one in self.programs if one.name == name)


@dataclass
class Program:
    """One process on a host, found again by its id as this machine has it. `user` is whom it runs as.

    `is_well` asks whether it does its work, and must answer within a second.
    """

    host: Host
    name: str
    command: Sequence[str]
    is_well: Callable[[], bool] = lambda: True
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    group: Path | None = None
    """The control group that it joins, if any."""
    pid: int = 0
    _outer: subprocess.Popen[bytes] | None = None

    @property
    def pid_file(self) -> Path:
        """Holds its process id as its host has it."""
        return self.host.folder / f"{self.name}.pid"

    def start(self) -> None:
        """It may not work yet when this returns."""
        assert not self.is_running, self.name
        words = ["sh", "-c", 'echo $$ > "$0.new" && mv "$0.new" "$0" && exec "$@"', str(self.pid_file)]
        words += [*(["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else [])]
        words += ["env", *(f"{key}={value}" for key, value in self.environment.items()), *self.command]
        if self.group:
            words = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.group), *words]
        with (self.host.folder / f"{self.name}.log").open("ab") as log:
            self._outer = subprocess.Popen(
                self.host.entering(words), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.pid = _child_of(self._outer.pid)

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._outer is not None and self._outer.poll() is None

    @property
    def is_itself(self) -> bool:
        """Whether the process is there and runs the program, and not yet what leads to it."""
        try:
            return Path(f"/proc/{self.pid}/comm").read_text().strip() == self.name[:15]
        except OSError:
            return False

    def send(self, number: signal.Signals) -> None:
        """A signal to it; nothing if it is gone.

        What it was started by stops with it, and has to go on to learn that it has ended.
        """
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        if self._outer is not None and number is not signal.SIGSTOP:
            self._outer.send_signal(signal.SIGCONT)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it by this signal, and wait until it is gone."""
        self.send(number)
        assert self._outer is not None
        self._outer.wait(60)

    def forget(self) -> None:
        """Its host is gone, and so is it."""
        if self._outer is not None:
            self._outer.send_signal(signal.SIGCONT)
            self._outer.wait(10)


def _child_of(pid: int) -> int:
    """The first child of a process, once it has one."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(1_000):
        with suppress(OSError):
            children = path.read_text().split()
            if children:
                return int(children[0])
        time.sleep(_LOOK_AGAIN_S)
    raise NotDoneError(f"process {pid} has no child: what it should have started did not start")


def until(what: str, is_so: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait for it; raises NotDoneError."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            raise NotDoneError(f"not within {within_s:.0f} s: {what}")
        time.sleep(_LOOK_AGAIN_S)
