"""Small real servers on loopback, one of each kind that a monitor looks at, to be broken on purpose."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import psycopg

from lab.peers.database import as_postgres, program_of
from lab.peers.place import ports, run
from lab.targets import Target
from lab.truth import Interval, now_ms

PAGE, NAME, ADDRESS = "welcome", "portal.small.test", "10.0.0.7"
_SOON_S = 1.0
_SERVE = f"""
import http.server, pathlib, sys
pathlib.Path("/proc/self/comm").write_text(sys.argv[1])
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200), self.end_headers(), self.wfile.write(b"{PAGE}")
    def log_message(self, *said):
        pass
http.server.ThreadingHTTPServer((sys.argv[2], int(sys.argv[3])), Page).serve_forever()
"""
_RESOLVE = f"""
import dns.exception
import dns.message, dns.rrset, socketserver, sys
class Asked(socketserver.BaseRequestHandler):
    def handle(self):
        query = dns.message.from_wire(self.request[0])
        answer = dns.message.make_response(query)
        answer.answer.append(dns.rrset.from_text("{NAME}.", 1, "IN", "A", "{ADDRESS}"))
        self.request[1].sendto(answer.to_wire(), self.client_address)
socketserver.ThreadingUDPServer((sys.argv[1], 53), Asked).serve_forever()
"""


@dataclass(slots=True)
class Small:
    """A server that is broken on purpose; `down` is when each of its targets really was."""

    name: str
    command: Sequence[str]
    answers: Callable[[], bool]
    targets: Sequence[Target]
    down: list[Interval] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Starts it, and returns once it answers."""
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self.command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        while not self.answers():
            assert self._process.poll() is None, f"{self.name} does not begin"
            time.sleep(0.005)

    def killed(self, for_s: float) -> None:
        """It is killed, and begun again after a while: all is down."""
        since = now_ms()
        self.end()
        time.sleep(for_s)
        self.begin()
        self.down += [Interval(one.service, since, now_ms()) for one in self.targets]

    def hung(self, for_s: float) -> None:
        """It is stopped, and goes on after a while: the process is there, and says nothing."""
        since = now_ms()
        self._tell(signal.SIGSTOP)
        time.sleep(for_s)
        self._tell(signal.SIGCONT)
        self.down += [Interval(one.service, since, now_ms()) for one in self.targets if one.kind != "process"]

    def end(self) -> None:
        """Kills it, and its children."""
        if self._process is not None:
            self._tell(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _tell(self, number: signal.Signals) -> None:
        assert self._process is not None
        for one in [self._process.pid, *_children(self._process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(one, number)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


@contextmanager
def servers(folder: Path) -> Iterator[list[Small]]:
    """One of each kind, running."""
    makers = (_page, _page_from_a_branch, _secure, _redis, _names, _database)
    every: list[Small] = []
    try:
        for at, (make, port) in enumerate(zip(makers, ports(len(makers)), strict=True), start=1):
            own = folder / f"small{at}"
            own.mkdir()
            every.append(make(own, f"127.0.77.{at}", port))
            every[-1].begin()
        yield every
    finally:
        for one in every:
            one.end()


def _page(folder: Path, address: str, port: int) -> Small:
    """It is watched as a page and as a process."""
    name = folder.name
    url = f"http://{address}:{port}/"
    page = Target("page", name, address, "http", port, url, expected=PAGE)
    command = [sys.executable, "-c", _SERVE, name, address, str(port)]
    return Small(name, command, lambda: _serves(url), [page, Target("process", name, address, "process", process=name)])


def _page_from_a_branch(folder: Path, address: str, port: int) -> Small:
    url = f"http://{address}:{port}/"
    page = Target("branch-page", folder.name, address, "http", port, url, expected=PAGE,
                  branch="branch", branch_address="127.0.77.99")  # fmt: skip
    return Small(folder.name, [sys.executable, "-c", _SERVE, "other", address, str(port)], lambda: _serves(url), [page])


def _secure(folder: Path, address: str, port: int) -> Small:
    """A web server with a certificate of its own authority."""
    name = ["-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address}"]
    files = {"certificate": f"{folder}/it.pem", "key": f"{folder}/it.key"}
    run(["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2",
         "-keyout", files["key"], "-out", files["certificate"], *name])  # fmt: skip
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    folder.chmod(0o755)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"user root; daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;\nevents {{}}\n"
        f"http {{ access_log off; server {{ listen {address}:{port} ssl; root {folder};"
        f" ssl_certificate {files['certificate']}; ssl_certificate_key {files['key']}; }} }}\n",
        encoding="utf-8",
    )
    trusting = ssl.create_default_context(cafile=files["certificate"])
    target = Target("secure", folder.name, address, "tls", port, authority=files["certificate"])
    command = ["nginx", "-c", str(configuration), "-p", str(folder)]
    return Small(folder.name, command, lambda: _serves(f"https://{address}:{port}/", trusting), [target])


def _redis(folder: Path, address: str, port: int) -> Small:
    def pongs() -> bool:
        with suppress(OSError), socket.create_connection((address, port), _SOON_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(100).startswith(b"+PONG")
        return False

    command = ["redis-server", "--bind", address, "--port", str(port), "--save", "", "--dir", str(folder)]
    return Small(folder.name, command, pongs, [Target("redis", folder.name, address, "redis", port)])


def _names(folder: Path, address: str, _: int) -> Small:
    """On the port of name servers: Zabbix asks no other one."""

    def resolves() -> bool:
        with suppress(OSError, dns.exception.DNSException):
            answer = dns.query.udp(dns.message.make_query(NAME, "A"), address, timeout=_SOON_S)
            return ADDRESS in str(answer)
        return False

    target = Target("names", folder.name, address, "dns", 53, expected=ADDRESS, question=NAME)
    return Small(folder.name, [sys.executable, "-c", _RESOLVE, address], resolves, [target])


def _database(folder: Path, address: str, port: int) -> Small:
    """A PostgreSQL server that anybody may enter."""

    def answers() -> bool:
        with suppress(psycopg.Error):
            psycopg.connect(host=address, port=port, user="postgres", dbname="postgres", connect_timeout=1).close()
            return True
        return False

    shutil.chown(folder, "postgres", "postgres")
    data = f"{folder}/data"
    run(as_postgres([program_of("initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--locale=C", "--no-sync"]))
    settings = {"listen_addresses": address, "port": port, "unix_socket_directories": folder}
    words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    target = Target("database", folder.name, address, "postgresql", port, user="postgres", database="postgres")
    command = as_postgres([program_of("postgres"), "-D", data, *words])
    return Small(folder.name, command, answers, [target])


def _serves(url: str, trusting: ssl.SSLContext | None = None) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=_SOON_S, context=trusting) as answer:
        return bool(answer.status == 200)
    return False
