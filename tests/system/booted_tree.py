"""Whole machines for the tests of packages: a Debian tree that boots with its own systemd, on a wire with others.

What a test does in a machine is gone with it: the tree stays as it was made, and nothing of a wire is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from conftest import program_path
from peers.systemd_container import TREES, Container, booted

RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "python3", "cron", "openssl", "ca-certificates", "curl", "procps", "iproute2",
    "rpm",
)  # fmt: skip
"""What a small server has; nothing in it is there for Detak but Python, and rpm for a look at the other package."""

NETWORK = "10.77.0"
HOME = "/srv"
"""Where commands are given, and where what they take with them lies."""

PATIENCE_S = 60.0
_numbers = itertools.count()


def until(what: str, condition: Callable[[], object], patience_s: float = PATIENCE_S, every_s: float = 0.2) -> float:
    """Wait for a condition and say how many seconds it took; fail with `what` was waited for."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < patience_s, f"not within {patience_s} s: {what}"
        time.sleep(every_s)
    return time.monotonic() - begin


def whole_tree(release: str = "bookworm") -> Path:
    """The tree that machines boot from. Making it takes one or two minutes, once on a computer."""
    wanted, making = TREES / release, TREES / f"{release}.making"
    TREES.mkdir(parents=True, exist_ok=True)
    with (TREES / f"{release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            shutil.rmtree(making, ignore_errors=True)
            command = [program_path("debootstrap"), "--variant=minbase", f"--include={','.join(PACKAGES)}"]
            subprocess.run([*command, release, str(making)], check=True, stdout=subprocess.DEVNULL)
            shutil.rmtree(making / "var/cache/apt/archives", ignore_errors=True)
            # Each machine has an identity of its own, which it is given when it boots.
            (making / "etc/machine-id").write_text("")
            making.rename(wanted)
    return wanted


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Machine(Container):
    """A booted machine: its name, its address on the wire and what it is asked to run, as root."""

    name: str = ""
    address: str = ""
    namespace: str = ""

    def says(self, script: str, *, patience_s: float = 120) -> Said:
        """A shell script as root would type it, run by the machine's own systemd, whose limits it has."""
        words = [
            *("nsenter", "-t", str(self.leader), "-m", "-p", "-u", "-i", "-n", "--"),
            *("systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--property=WorkingDirectory={HOME}"),
            *("--setenv=LC_ALL=C.UTF-8", f"--setenv=HOME={HOME}", "--", "sh", "-c", script),
        ]  # fmt: skip
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=patience_s, check=False, stdin=subprocess.DEVNULL
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def does(self, script: str, *, code: int = 0, patience_s: float = 120) -> str:
        """The same where it has to end with this code; what it printed."""
        said = self.says(script, patience_s=patience_s)
        assert said.code == code, f"{self.name}: {script}: ended with {said.code}\n{said.both}"
        return said.both

    def path(self, path: str) -> Path:
        """A file of the machine, as the computer that it runs on sees it."""
        return self.root / path.lstrip("/")

    def log(self, unit: str) -> str:
        """What the journal has of a unit."""
        return self.does(f"journalctl --no-pager --output=cat --unit={unit}")

    def main_pid(self, unit: str) -> int:
        """The main process of a unit, as the machine numbers it; 0 where it does not run."""
        return int(self.systemctl("show", "--value", "--property=MainPID", unit).stdout.strip() or 0)

    def command(self, *words: str) -> list[str]:
        """A program of this computer on the machine's network."""
        return [program_path("ip"), "netns", "exec", self.namespace, *words]


@dataclass
class Wire:
    """Machines that reach each other by their names and nothing else."""

    folder: Path
    tree: Path
    label: str
    machines: list[Machine] = field(default_factory=list)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def boot(self, name: str) -> Machine:
        """A new machine with this host name."""
        number = len(self.machines) + 1
        address, namespace = f"{NETWORK}.{number}", f"{self.label}-{number}"
        self._join(namespace, address, number)
        hosts = self.folder / f"{name}.hosts"
        hosts.write_text("127.0.0.1 localhost\n")
        host_name = self.folder / f"{name}.hostname"
        host_name.write_text(f"{name}\n")
        options = [
            f"--network-namespace-path=/run/netns/{namespace}",
            f"--bind={hosts}:/etc/hosts",
            f"--bind-ro={host_name}:/etc/hostname",
            f"--hostname={name}",
            f"--uuid={uuid.uuid4()}",
        ]
        leader = self._stack.enter_context(booted(self.tree, options)).leader
        machine = Machine(leader, name, address, namespace)
        # Services that may not write to /proc/sys see the computer's boot and not the container's: then all shall, and
        # the system's journal too, of which `systemctl status` shows what is of the present boot.
        machine.does("umount /proc/sys/kernel/random/boot_id && systemctl restart systemd-journald")
        self.machines.append(machine)
        for one in self.machines:
            self.name(one.name, one.address)
        return machine

    def name(self, name: str, address: str) -> None:
        """What the organisation's name service would say from now on, to all of them."""
        for one in self.machines:
            path = self.folder / f"{one.name}.hosts"
            known = [line for line in path.read_text().splitlines() if name not in line.split()[1:]]
            path.write_text("\n".join([*known, f"{address} {name}", ""]))

    def _join(self, namespace: str, address: str, number: int) -> None:
        _ip("netns", "add", namespace)
        self._stack.callback(_ip, "netns", "delete", namespace)
        # The other end goes with this one.
        near, far = f"{self.label}n{number}", f"{self.label}f{number}"
        _ip("-n", f"{self.label}-0", "link", "add", near, "type", "veth", "peer", "name", far, "netns", namespace)
        _ip("-n", f"{self.label}-0", "link", "set", near, "master", "bridge", "up")
        _ip("-n", namespace, "address", "add", f"{address}/24", "dev", far)
        for device in ("lo", far):
            _ip("-n", namespace, "link", "set", device, "up")

    def close(self) -> None:
        self._stack.close()


@contextlib.contextmanager
def wire(folder: Path, tree: Path) -> Iterator[Wire]:
    """A wire without machines; they end with it."""
    made = Wire(folder, tree, f"dt{os.getpid() % 100_000}x{next(_numbers)}")
    _ip("netns", "add", f"{made.label}-0")
    try:
        _ip("-n", f"{made.label}-0", "link", "add", "name", "bridge", "type", "bridge")
        _ip("-n", f"{made.label}-0", "link", "set", "bridge", "up")
        yield made
    finally:
        made.close()
        _ip("netns", "delete", f"{made.label}-0")


def _ip(*words: str) -> None:
    done = subprocess.run([program_path("ip"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {shlex.join(words)}: {done.stderr}"
