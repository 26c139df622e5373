"""A Redfish controller by the emulator of sushy-tools, with its fake machines, over HTTPS and with a password."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.checks.check_stage import Certificates
from conftest import program_path
from peers.server_process import Server, free_port, own_folder

USER, PASSWORD = "monitor", "not-a-word"
_HASHED = "$2b$04$ImGpEudzFV7wynGvO4IFjuS0fzOlWaTCZTYydxND9JVGb8cTnqRBq"
ON_ID, OFF_ID = "27946b59-9e44-4fa7-8e91-f3527a1ef094", "38a57c60-9e44-4fa7-8e91-f3527a1ef094"
_SETTINGS = """
SUSHY_EMULATOR_LISTEN_IP = "127.0.0.1"
SUSHY_EMULATOR_LISTEN_PORT = {port}
SUSHY_EMULATOR_STATE_DIR = "{folder}"
SUSHY_EMULATOR_AUTH_FILE = "{folder}/users"
SUSHY_EMULATOR_SSL_CERT = "{certificate}"
SUSHY_EMULATOR_SSL_KEY = "{key}"
SUSHY_EMULATOR_FAKE_SYSTEMS = [
    {{"uuid": "{on}", "name": "on", "power_state": "On", "external_notifier": False, "nics": []}},
    {{"uuid": "{off}", "name": "off", "power_state": "Off", "external_notifier": False, "nics": []}},
]
"""


def emulator() -> str:
    """Its program: beside this Python, where the project's own requirements put it, or on the machine."""
    beside = Path(sys.executable).with_name("sushy-emulator")
    return str(beside) if beside.exists() else program_path("sushy-emulator")


@dataclass(frozen=True)
class Emulator:
    """A running emulator, with a machine that is on and one that is off."""

    port: int
    server: Server
    authority: str


@contextlib.contextmanager
def emulated_controller(certificates: Certificates) -> Iterator[Emulator]:
    program = emulator()
    with own_folder("root") as folder:
        port = free_port()
        settings = _SETTINGS.format(
            port=port,
            folder=folder,
            certificate=certificates.path("good"),
            key=certificates.folder / "key.pem",
            on=ON_ID,
            off=OFF_ID,
        )
        (folder / "settings.py").write_text(settings)
        (folder / "users").write_text(f"{USER}:{_HASHED}\n")

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        server = Server([program, "--fake", "--config", f"{folder}/settings.py"], folder / "log", answers)
        server.start()
        try:
            yield Emulator(port, server, certificates.authority)
        finally:
            server.stop()
