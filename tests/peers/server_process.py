"""What the starters of real servers share: a folder of its own user, a free port, a process that ends for certain."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from conftest import program_path


def as_user(user: str) -> list[str]:
    """What a command begins with so that it runs as `user`; nothing where the tests do not run as root."""
    if os.geteuid() != 0:
        return []
    return [program_path("setpriv"), "--reuid", user, "--regid", user, "--init-groups", "--reset-env"]


@contextlib.contextmanager
def own_folder(user: str, inside: Path | None = None) -> Iterator[Path]:
    """An empty folder that belongs to `user`, gone at the end."""
    with tempfile.TemporaryDirectory(dir=inside) as name:
        folder = Path(name)
        hand_over(folder, user)
        yield folder


def hand_over(path: Path, user: str) -> None:
    """`path` belongs to `user` alone."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    if os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def copied(source: Path, target: Path, user: str) -> Path:
    """A copy that belongs to `user`."""
    shutil.copy(source, target)
    hand_over(target, user)
    return target


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """All different: asked for one after another, the system may well give the same one twice."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in taken]


@dataclass
class Server:
    """A server in the foreground, with its log, that can be stopped, frozen and started again on the same port."""

    command: list[str]
    log: Path
    answers: Callable[[], bool]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until(self.answers, lambda: f"{self.command} does not answer: {self.log.read_text(errors='replace')[-2_000:]}")

    def stop(self, with_signal: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(with_signal)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        assert self.process is not None
        freeze(self.process.pid)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def freeze(pid: int) -> None:
    """Stops a process and waits for it: the signal reaches one thread first, and the others may still answer."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: all(is_stopped(thread) for thread in Path(f"/proc/{pid}/task").iterdir()), lambda: f"{pid} goes on")


def is_stopped(thread: Path) -> bool:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true: Callable[[], bool], otherwise: Callable[[], str], within_s: float = 20) -> None:
    """Waits until it is true; fails with the words of `otherwise`."""
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            raise AssertionError(otherwise())
        time.sleep(0.03)
