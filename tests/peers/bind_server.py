"""Real BIND name servers on loopback: a primary whose zone can be changed, and a secondary that transfers it."""

import contextlib
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from peers.server_process import Server, free_port, until

ZONE = "djbc.test"

_OPTIONS = """
options {{
    directory "{folder}";
    pid-file none;
    session-keyfile none;
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    notify no;
}};
controls {{ }};
"""
_PRIMARY = """
zone "{zone}" {{ type primary; file "zone"; }};
zone "0.0.10.in-addr.arpa" {{ type primary; file "reverse"; }};
"""
_SECONDARY = """
zone "{zone}" {{ type secondary; file "zone"; primaries {{ 127.0.0.1 port {primary}; }}; }};
zone "lost.test" {{ type secondary; file "lost"; primaries {{ 127.0.0.1 port {dead}; }}; }};
"""
_RECORDS = """$TTL 60
@ SOA ns.djbc.test. root.djbc.test. {serial} 3600 3600 86400 60
@ NS ns.djbc.test.
ns A 127.0.0.1
portal A 10.0.0.7
portal A 10.0.0.8
portal AAAA fd00::7
www CNAME portal
@ MX 10 mail.djbc.test.
@ TXT "v=spf1 " "-all"
branch NS ns.branch.djbc.test.
ns.branch A 10.0.0.9
"""
_LARGE = "".join(f'large TXT "{number:03d} {"x" * 200}"\n' for number in range(20))
_REVERSE = """$TTL 60
@ SOA ns.djbc.test. root.djbc.test. 1 3600 3600 86400 60
@ NS ns.djbc.test.
7 PTR portal.djbc.test.
"""


@dataclass(frozen=True)
class NameServer:
    """A running BIND; `endpoint` is as the key `servers` of a check has it."""

    folder: Path
    port: int
    process: Server

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def publish(self, serial: int) -> None:
        """Writes a new version of the primary's zone, and waits until it is served."""
        (self.folder / "zone").write_text(_RECORDS.format(serial=serial) + _LARGE)
        if self.process.process is not None:
            self.process.process.send_signal(signal.SIGHUP)
        until(lambda: serial_of(self.port) == serial, lambda: f"serial {serial} is not served")

    def transfer_anew(self) -> None:
        """Lets a secondary forget its zone, so that it fetches what the primary has now."""
        self.process.stop()
        (self.folder / "zone").unlink()
        self.process.start()


@contextlib.contextmanager
def primary(program: str, serial: int) -> Iterator[NameServer]:
    """It tells nobody of a new version: a secondary is behind until it asks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "zone").write_text(_RECORDS.format(serial=serial) + _LARGE)
        (folder / "reverse").write_text(_REVERSE)
        with _running(program, folder, _PRIMARY.format(zone=ZONE)) as server:
            yield server


@contextlib.contextmanager
def secondary(program: str, of: NameServer) -> Iterator[NameServer]:
    """It has the zone of `of`, and one that it can never fetch: lost.test."""
    with tempfile.TemporaryDirectory() as name:
        zones = _SECONDARY.format(zone=ZONE, primary=of.port, dead=free_port())
        with _running(program, Path(name), zones) as server:
            yield server


@contextlib.contextmanager
def _running(program: str, folder: Path, zones: str) -> Iterator[NameServer]:
    port = free_port()
    configuration = folder / "named.conf"
    configuration.write_text(_OPTIONS.format(folder=folder, port=port) + zones)
    command = [program, "-g", "-n", "1", "-c", str(configuration)]
    process = Server(command, folder / "log", lambda: serial_of(port) is not None)
    try:
        process.start()
        yield NameServer(folder, port, process)
    finally:
        process.stop()


def serial_of(port: int) -> int | None:
    """The zone's serial there, if it is served."""
    question = dns.message.make_query(ZONE, "SOA")
    try:
        answer = dns.query.udp(question, "127.0.0.1", port=port, timeout=1)
    except (OSError, dns.exception.DNSException):
        return None
    return int(answer.answer[0][0].to_text().split()[2]) if answer.answer else None
