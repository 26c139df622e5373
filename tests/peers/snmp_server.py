"""A real snmpd on loopback: a community and users of v3 at each level. What it says of itself can be overridden."""

import contextlib
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import program_path
from detak_agent.checks.kinds.snmp.message import Community, get
from peers.server_process import Server, free_port

COMMUNITY = "a-community"
PASSWORD = "s3kret-words"
PRIVACY_PASSWORD = "s3kret-cipher"
HASHES = ("MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512")

UPTIME = "1.3.6.1.2.1.1.3.0"
IF_ADMIN, IF_OPER = "1.3.6.1.2.1.2.2.1.7.1", "1.3.6.1.2.1.2.2.1.8.1"
"""Of the first interface, `lo`."""

_USERS = "".join(
    f"createUser signs-{name} {name} {PASSWORD}\nrouser signs-{name} auth\n"
    f"createUser hides-{name} {name} {PASSWORD} AES {PRIVACY_PASSWORD}\nrouser hides-{name} priv\n"
    for name in HASHES
)
_CONFIGURATION = f"""
rocommunity {COMMUNITY} 127.0.0.1
rocommunity poor 127.0.0.1 .1.3.6.1.2.1.1
createUser open
rouser open noauth
sysName tested
sysLocation ruang server
{_USERS}
"""


@dataclass
class Snmpd:
    """The running server."""

    port: int
    folder: Path
    server: Server

    @property
    def keys(self) -> dict[str, Any]:
        """How a check reaches it over v2c."""
        return {"host": "127.0.0.1", "port": self.port, "community": COMMUNITY}

    def secured(self, name: str, **more: Any) -> dict[str, Any]:
        """How a check reaches it over v3, as the user of this hash."""
        user = f"hides-{name}" if "privacy_password" in more else f"signs-{name}"
        keys = {"version": "3", "user": user, "authentication": name, "password": PASSWORD}
        return {"host": "127.0.0.1", "port": self.port, **keys, **more}

    def restart(self, *overrides: str, forget: bool = False) -> None:
        """Starts it anew, with lines `override OID TYPE VALUE`; one that forgets itself has another engine ID then."""
        self.server.stop()
        if forget:
            shutil.rmtree(self.folder / "kept")
            (self.folder / "kept").mkdir()
        lines = "".join(f"override {line}\n" for line in overrides)
        (self.folder / "snmpd.conf").write_text(_CONFIGURATION + lines)
        self.server.start()


@contextlib.contextmanager
def running() -> Iterator[Snmpd]:
    """Starts it, and leaves nothing behind."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "kept").mkdir()
        places = [f"SNMPCONFPATH={folder}:{folder}/kept", f"SNMP_PERSISTENT_DIR={folder}/kept", "MIBS="]
        program = [program_path("snmpd"), "-f", "-Lf", f"{folder}/snmpd.log", "-I", "-smux", f"udp:127.0.0.1:{port}"]
        server = Server([program_path("env"), *places, *program], folder / "output.log", lambda: _answers(port))
        one = Snmpd(port, folder, server)
        try:
            one.restart()
            yield one
        finally:
            server.stop()


def _answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        asking.connect(("127.0.0.1", port))
        try:
            asking.send(Community(COMMUNITY).wrap(1, get(1, [UPTIME])))
            return bool(asking.recv(2_000))
        except OSError:
            return False
