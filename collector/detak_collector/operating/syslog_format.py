"""RFC 5424 messages, and where they are sent: pure. Python's own handler writes the older RFC 3164, without fields."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from detak_collector.operating.events import Event

FACILITIES = {
    "user": 1, "daemon": 3, "auth": 4, "authpriv": 10, "audit": 13,
    **{f"local{number}": 16 + number for number in range(8)},
}  # fmt: skip
"""By the names that are common; the numbers are those of RFC 5424, section 6.2.1."""

SEVERITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
PROGRAM = "detak-collector"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DATAGRAM_BYTES = 1_400
"""One packet on an ordinary network; every receiver must take 480, and should take 2,048 (RFC 5424, section 6.1)."""

MESSAGE_BYTES = 8_192
Transport = Literal["udp", "tcp", "tls"]

_ADDRESS = re.compile(r"(?:udp|tcp|tls)://[^/?#@\s]+/?")
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Destination:
    """A syslog server. Without `ca_file` a TLS server is held against the system's authorities."""

    transport: Transport
    host: str
    port: int
    facility: int = FACILITIES["daemon"]
    enterprise: int = 32473
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def address(self) -> str:
        """As it is written in the configuration."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}"


def address_of(text: str) -> tuple[Transport, str, int] | None:
    """Transport, host and port of an address such as `tls://siem.example.go.id:6514`; None where it is not one."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    transport: Transport = "udp" if parts.scheme == "udp" else "tcp" if parts.scheme == "tcp" else "tls"
    return (transport, parts.hostname, PORTS[transport] if port is None else port) if parts.hostname else None


def written(event: Event, host: str, process: int, to: Destination) -> bytes:
    """The message, no longer than its transport carries: it is the text that is cut."""
    at = datetime.fromtimestamp(event.utc / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    priority = to.facility * 8 + SEVERITIES.get(event.level, 6)
    head = f"<{priority}>1 {at} {_name(host, 255)} {PROGRAM} {process} {event.kind} {_data(event, to.enterprise)} "
    text = BYTE_ORDER_MARK + _CONTROL.sub(" ", event.text).encode()
    most = DATAGRAM_BYTES if to.transport == "udp" else MESSAGE_BYTES
    return head.encode() + _cut(text, max(0, most - len(head.encode())))


def _data(event: Event, enterprise: int) -> str:
    """One element of structured data with every field."""
    told = (f' {_name(name, 32)}="{_value(str(value))}"' for name, value in event.told.items() if name != "kind")
    return f"[detak@{enterprise}{''.join(told)}]"


def _name(text: str, most: int) -> str:
    """Printable ASCII without what ends a name."""
    return re.sub(r'[="\]]', "_", _NOT_PRINTABLE.sub("_", text))[:most] or "-"


def _value(text: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", _CONTROL.sub(" ", text)[:500])


def _cut(text: bytes, most: int) -> bytes:
    """No more than so many bytes, and no half of a character."""
    return text if len(text) <= most else text[:most].decode("utf-8", "ignore").encode()


def framed(message: bytes) -> bytes:
    """The message in a stream: its length first (RFC 6587, section 3.4.1; RFC 5425, section 4.3)."""
    return b"%d %s" % (len(message), message)
