"""A real upsd on loopback with NUT's dummy driver, which tells what a file says."""

import contextlib
import os
import pwd
import shlex
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import program_path
from peers.server_process import Server, free_port, until

UPSD, DRIVER = "/lib/nut/upsd", "/lib/nut/dummy-ups"
"""Not /usr/sbin/upsd: Debian's wrapper starts nothing before nut.conf is written."""

HEALTHY = {"ups.status": "OL CHRG", "battery.charge": "93", "battery.runtime": "1800", "input.voltage": "231.4"}

_UPS = """
pollinterval = 1
[one]
    driver = dummy-ups
    port = one.dev
[driverless]
    driver = dummy-ups
    port = driverless.dev
"""


@dataclass
class Upsd:
    """The running server; UPS `one` has a driver, `driverless` has none."""

    folder: Path
    port: int
    server: Server
    driver: "subprocess.Popen[bytes]"

    @property
    def keys(self) -> dict[str, Any]:
        """How a check reaches it."""
        return {"ups": "one", "host": "127.0.0.1", "port": self.port}

    def tell(self, **changed: str) -> None:
        """From now on the UPS is healthy but for this; returns when upsd says so."""
        values = {**HEALTHY, **{key.replace("__", "."): value for key, value in changed.items()}}
        path, fresh = self.folder / "one.dev", self.folder / "one.dev.new"
        fresh.write_text("".join(f"{key}: {value}\n" for key, value in values.items()))
        # The driver reads it again when its time has changed, of which it knows whole seconds only.
        later = int(path.stat().st_mtime) + 1
        os.utime(fresh, (later, later))
        fresh.replace(path)
        wanted = {f'VAR one {key} "{value}"' for key, value in values.items()}
        until(lambda: wanted <= set(self.lines()), lambda: "\n".join(self.lines()))

    def lines(self) -> list[str]:
        """What it says of the UPS."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection, connection.makefile() as answer:
            connection.sendall(b"LIST VAR one\n")
            heard = []
            for line in answer:
                heard.append(line.rstrip("\n"))
                if line.startswith(("END", "ERR")):
                    break
            return heard

    @contextlib.contextmanager
    def deaf(self) -> Iterator[None]:
        """While its driver says nothing."""
        self.driver.send_signal(signal.SIGSTOP)
        try:
            until(lambda: self.lines() == ["ERR DATA-STALE"], lambda: "\n".join(self.lines()))
            yield
        finally:
            self.driver.send_signal(signal.SIGCONT)
            until(lambda: "END LIST VAR one" in self.lines(), lambda: "\n".join(self.lines()))


@contextlib.contextmanager
def running() -> Iterator[Upsd]:
    """Starts it, and leaves nothing behind."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "ups.conf").write_text(_UPS)
        (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\nMAXAGE 3\n")
        (folder / "upsd.users").write_text("[detak]\n    password = s3kret\n")
        (folder / "one.dev").write_text("ups.status: OL\n")
        folder.chmod(0o700)
        places = " ".join(f"{place}={folder}" for place in ("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"))
        started = shlex.split(f"{program_path('env')} {places}")
        user = pwd.getpwuid(os.geteuid()).pw_name
        with (folder / "driver.log").open("wb") as log:
            driver = subprocess.Popen([*started, DRIVER, "-F", "-a", "one", "-u", user], stdout=log, stderr=log)
        server = Server([*started, UPSD, "-F", "-u", user], folder / "upsd.log", lambda: _answers(one))
        one = Upsd(folder, port, server, driver)
        try:
            server.start()
            yield one
        finally:
            server.stop()
            driver.kill()
            driver.wait()


def _answers(one: Upsd) -> bool:
    with contextlib.suppress(OSError):
        return "END LIST VAR one" in one.lines()
    return False
