"""A process that is killed, stopped and started again, and what it left behind if it ended by itself."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 30.0
_PORTS = range(20_000, 32_000)


@dataclass(slots=True)
class Process:
    """`is_wanted`: it has been started, and nobody has ended it since."""

    name: str
    command: Sequence[str]
    log: Path
    pid_file: Path | None = None
    is_wanted: bool = False
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """It may not work yet when this returns."""
        assert not self.is_wanted, self.name
        with self.log.open("ab") as log:
            # A group of its own: what it has started can be ended with it, and Ctrl-C does not reach it.
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.is_wanted = True
        if self.pid_file is not None:
            new = self.pid_file.with_suffix(".new")
            new.write_text(f"{self._process.pid}\n")
            new.replace(self.pid_file)

    @property
    def pid(self) -> int:
        """0 where it is not there."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def has_ended(self) -> bool:
        """By itself: nobody wanted it to."""
        return self.is_wanted and not self.pid

    def send(self, number: signal.Signals) -> None:
        """A signal to it; nothing if it is gone."""
        if self.pid:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """It is gone when this returns, and so is what it has started in its own group."""
        self.is_wanted = False
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE_S)

    def ask_to_end(self) -> None:
        """As a service manager would."""
        self.is_wanted = False
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)

    def end(self) -> None:
        """Waits until it has ended; it is killed if it does not."""
        with suppress(subprocess.TimeoutExpired):
            if self._process is not None:
                self._process.wait(PATIENCE_S)
        self.kill()


def free_port() -> int:
    """One of loopback that nobody has now, and that the kernel gives nobody who connects.

    A port from the range for those could be taken while its server is being restarted, even by a client of that server.
    """
    while True:
        port = random.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
