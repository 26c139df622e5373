"""Real Redis servers on loopback: a primary with users and TLS, and replicas of it."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.checks.check_stage import Certificates
from conftest import program_path
from peers.server_process import Server, as_user, copied, free_ports, hand_over, own_folder

USER = "redis"
PASSWORD = "s3kret"

_CONFIGURATION = f"""
bind 127.0.0.1
save ""
enable-debug-command yes
repl-diskless-sync-delay 0
requirepass {PASSWORD}
masterauth {PASSWORD}
user detak on >{PASSWORD} +ping +info
user poor on >{PASSWORD} +ping
"""


@dataclass
class Redis:
    """A running server with its local socket in `folder`."""

    folder: Path
    port: int
    tls_port: int
    server: Server

    @property
    def keys(self) -> dict[str, Any]:
        """How a check reaches it."""
        return {"host": "127.0.0.1", "port": self.port, "user": "detak", "password": PASSWORD}

    @property
    def socket(self) -> str:
        return f"{self.folder}/socket"

    def run(self, *commands: str) -> str:
        """What the server says to the last of them."""
        said = ""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self.socket)
            for command in (f"AUTH {PASSWORD}", *commands):
                connection.sendall(command.encode() + b"\r\n")
                said = connection.recv(65_536).decode()
                assert not said.startswith("-"), said
        return said

    @contextlib.contextmanager
    def configured(self, name: str, value: str, after: str) -> Iterator[None]:
        """With `name` set to `value`, and to `after` at the end."""
        self.run(f"CONFIG SET {name} {value}")
        try:
            yield
        finally:
            self.run(f"CONFIG SET {name} {after}")

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self.server.stop(signal.SIGTERM)
        try:
            yield
        finally:
            self.server.start()


@contextlib.contextmanager
def running(
    certificates: Certificates | None = None, replica_of: Redis | None = None, more: str = ""
) -> Iterator[Redis]:
    with own_folder(USER) as folder:
        port, tls_port = free_ports(2)
        text = f"{_CONFIGURATION}port {port}\ndir {folder}\nunixsocket {folder}/socket\n{more}"
        if certificates is not None:
            certificate = copied(certificates.path("good"), folder / "server.pem", USER)
            key = copied(Path(certificates.key), folder / "server.key", USER)
            text += f"tls-port {tls_port}\ntls-cert-file {certificate}\ntls-key-file {key}\n"
            text += f"tls-ca-cert-file {certificate}\ntls-auth-clients no\n"
        if replica_of is not None:
            text += f"replicaof 127.0.0.1 {replica_of.port}\n"
        configuration = folder / "redis.conf"
        configuration.write_text(text)
        hand_over(configuration, USER)
        command = [*as_user(USER), program_path("redis-server"), str(configuration)]
        server = Redis(folder, port, tls_port, Server(command, folder / "log", lambda: _answers(f"{folder}/socket")))
        try:
            server.server.start()
            yield server
        finally:
            server.server.stop(signal.SIGKILL)


def _answers(path: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as tried:
        tried.settimeout(5)
        tried.connect(path)
        tried.sendall(b"PING\r\n")
        return bool(tried.recv(100))
    return False
