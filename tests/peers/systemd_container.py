"""A real systemd: a small Debian tree, built once, that boots in a container of its own for the tests of a module."""

import contextlib
import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conftest import program_path

TREES = Path(os.environ.get("DETAK_TEST_TREES", "/var/cache/detak-test-trees"))
RELEASE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus"
BOOTED = {"running", "degraded"}
LASTING = "[Service]\nExecStart=/bin/sleep infinity\n"
PATIENCE_S = 10
_BOOT_S = 30
_numbers = itertools.count()


def tree() -> Path:
    """The tree that containers boot from, unchanged by them. Building it takes one or two minutes, once a machine."""
    wanted = TREES / f"{RELEASE}-{PACKAGES.replace(',', '-')}"
    TREES.mkdir(parents=True, exist_ok=True)
    with (TREES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            unfinished = wanted.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run(
                [program_path("debootstrap"), "--variant=minbase", f"--include={PACKAGES}", RELEASE, unfinished],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            unfinished.rename(wanted)
    return wanted


@dataclass(frozen=True)
class Container:
    """A booted systemd; `leader` is its PID 1 as the host numbers it."""

    leader: int

    @property
    def root(self) -> Path:
        """Its file system, as the host sees it."""
        return Path("/proc") / str(self.leader) / "root"

    def systemctl(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = ["nsenter", "-t", str(self.leader), "-m", "-p", "-u", "-i", "-n", "--", "systemctl", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def install(self, name: str, text: str) -> None:
        """Write a unit and have systemd read it."""
        folder = self.root / "run/systemd/system"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        self.systemctl("daemon-reload")

    def state(self, unit: str) -> str:
        return self.systemctl("show", "--value", "--property=ActiveState", unit).stdout.strip()

    def reached(self, unit: str, state: str) -> str:
        """The unit's name, once it is in this state."""
        until = time.monotonic() + PATIENCE_S
        while (now := self.state(unit)) != state:
            assert time.monotonic() < until, f"{unit} is {now} and not {state}"
            time.sleep(0.05)
        return unit

    def running(self, name: str, text: str = LASTING) -> str:
        """The name of a new service that runs."""
        self.install(name, text)
        self.systemctl("start", name)
        return self.reached(name, "active")


@contextlib.contextmanager
def booted(wanted: Path | None = None, options: Sequence[str] = ("--private-network",)) -> Iterator[Container]:
    """A container of this tree, by itself the small one, until it is not needed any more."""
    name = f"detak-test-{os.getpid()}-{next(_numbers)}"
    groups = [group / name for group in _hierarchies()]
    for group in groups:
        group.mkdir()
    try:
        with _started(name, groups, ["-D", str(wanted or tree()), *options]) as nspawn:
            yield _boot(nspawn)
    finally:
        for group in groups:
            _remove(group)


def _hierarchies() -> list[Path]:
    base = Path("/sys/fs/cgroup")
    return [group for group in (base / "systemd", base / "unified") if group.is_dir()] or [base]


@contextlib.contextmanager
def _started(name: str, groups: list[Path], chosen: list[str]) -> "Iterator[subprocess.Popen[bytes]]":
    # In a control group of its own the container owns what lies below. If the tests are killed it is shut down.
    enter = 'for one in $GROUPS_IN; do echo $$ > $one/cgroup.procs || exit 1; done; exec setpriv --pdeathsig TERM "$@"'
    options = ["--boot", "--volatile=overlay", "--register=no", "--keep-unit", "--console=passive"]
    # Several containers at once boot from one tree, which is why it must not be locked.
    environment = {**os.environ, "GROUPS_IN": " ".join(map(str, groups)), "SYSTEMD_NSPAWN_LOCK": "0"}
    nspawn = subprocess.Popen(
        ["sh", "-c", enter, "sh", "systemd-nspawn", "-q", f"--machine={name}", *options, *chosen],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield nspawn
    finally:
        # Without its first process the container ends, and systemd-nspawn with it.
        for child in _children(nspawn.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            nspawn.wait(10)
        nspawn.kill()
        nspawn.wait()


def _boot(nspawn: "subprocess.Popen[bytes]") -> Container:
    until = time.monotonic() + _BOOT_S
    said = ""
    while time.monotonic() < until:
        assert nspawn.poll() is None, f"systemd-nspawn ended with {nspawn.returncode}"
        for leader in _children(nspawn.pid):
            container = Container(leader)
            said = container.systemctl("is-system-running").stdout.strip()
            if said in BOOTED:
                return container
        time.sleep(0.1)
    raise AssertionError(f"the container did not boot within {_BOOT_S} s: {said!r}")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _remove(group: Path) -> None:
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
