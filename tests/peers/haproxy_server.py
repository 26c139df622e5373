"""A real HAProxy on loopback, with small web servers behind it that can be stopped, or made to answer otherwise."""

import contextlib
import csv
import http.server
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.checks.check_stage import Certificates, make_certificates
from conftest import program_path
from peers.server_process import Server, free_port, free_ports

USER, PASSWORD = "detak", "s3kret"

_CONFIGURATION = """
global
    stats socket {folder}/stats.sock mode 600 level admin
    maxconn 100
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    timeout queue 10s
frontend web
    bind 127.0.0.1:{web}
    maxconn 4
    default_backend app
backend app
    option httpchk GET /health
    default-server check inter 100ms fastinter 100ms downinter 100ms fall 1 rise 1 maxconn 1
    server one 127.0.0.1:{one}
    server two 127.0.0.1:{two}
backend unchecked
    server one 127.0.0.1:{one}
listen statistics
    bind 127.0.0.1:{statistics}
    bind 127.0.0.1:{secure} ssl crt {folder}/statistics.pem
    stats enable
    stats uri /stats
    stats auth {user}:{password}
"""


@dataclass
class WebServer:
    """Answers every request with `status`, and those for /slow not before `go` is set."""

    port: int = field(default_factory=free_port)
    status: int = 200
    go: threading.Event = field(default_factory=threading.Event)
    running: http.server.ThreadingHTTPServer | None = None

    def start(self) -> None:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/slow":
                    server.go.wait(10)
                self.send_response(server.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_about: object) -> None:
                """Nothing is written."""

        self.running = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.running.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def stop(self) -> None:
        self.go.set()
        if self.running is not None:
            self.running.shutdown()
            self.running.server_close()
        self.running = None


@dataclass
class Haproxy:
    """The running proxy and what is behind it."""

    folder: Path
    certificates: Certificates
    ports: dict[str, int]
    server: Server
    one: WebServer
    two: WebServer

    @property
    def socket(self) -> dict[str, Any]:
        """How a check reaches it by its socket."""
        return {"socket": f"{self.folder}/stats.sock"}

    @property
    def page(self) -> dict[str, Any]:
        """How a check reaches it over HTTP."""
        url = f"http://127.0.0.1:{self.ports['statistics']}/stats"
        return {"url": url, "user": USER, "password": PASSWORD}

    @property
    def secure_page(self) -> dict[str, Any]:
        """The same over TLS, with a certificate of the authority that it names."""
        url = f"https://127.0.0.1:{self.ports['secure']}/stats"
        return {**self.page, "url": url, "ca_file": self.certificates.authority}

    def says(self, command: str) -> str:
        """What its socket answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"{self.folder}/stats.sock")
            connection.sendall(f"{command}\n".encode())
            said = b""
            while part := connection.recv(65_536):
                said += part
            return said.decode()

    def told(self, server: str, column: str) -> str:
        """What its statistics say of one server of `app`, or of BACKEND."""
        rows = csv.DictReader(self.says("show stat app -1 -1").removeprefix("# ").splitlines())
        return next((row[column] for row in rows if row["svname"] == server), "")

    def status_of(self, server: str) -> str:
        """What it thinks of one server of `app`."""
        return self.told(server, "status")


@contextlib.contextmanager
def running() -> Iterator[Haproxy]:
    """Starts it with both servers up, and leaves nothing behind."""
    with tempfile.TemporaryDirectory() as name:
        folder, one, two = Path(name), WebServer(), WebServer()
        certificates = make_certificates(program_path("openssl"), folder)
        (folder / "statistics.pem").write_text(
            certificates.path("good").read_text() + Path(certificates.key).read_text()
        )
        free = dict(zip(("web", "statistics", "secure"), free_ports(3), strict=True))
        ports = {**free, "one": one.port, "two": two.port}
        configuration = folder / "haproxy.cfg"
        configuration.write_text(_CONFIGURATION.format(folder=folder, user=USER, password=PASSWORD, **ports))
        proxy = Haproxy(folder, certificates, ports, None, one, two)  # type: ignore[arg-type]
        command = [program_path("haproxy"), "-db", "-f", str(configuration)]
        proxy.server = Server(command, folder / "output.log", lambda: _answers(proxy))
        try:
            one.start()
            two.start()
            proxy.server.start()
            yield proxy
        finally:
            proxy.server.stop()
            one.stop()
            two.stop()


def _answers(proxy: Haproxy) -> bool:
    with contextlib.suppress(OSError):
        return proxy.status_of("one") == proxy.status_of("two") == "UP"
    return False
