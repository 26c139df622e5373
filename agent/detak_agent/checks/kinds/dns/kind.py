"""The check kind `dns`: settings and description. The client is in `client`, loaded when such a check runs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from detak_agent.checks.addresses import family_of, is_remote
from detak_agent.checks.base import CheckSettings, Kind, Probe, Silence, Surroundings
from detak_agent.checks.loading import LoadedProbe

if TYPE_CHECKING:
    from detak_agent.checks.kinds.dns.client import DnsClient

DNS_PORT = 53
MOST_SERVERS = 16
_ADDRESS_TYPES = frozenset({"A", "AAAA"})
_AS_WRITTEN = frozenset({"TXT"})
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class DnsSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `dns`."""

    query: Annotated[str, Meta(min_length=1, max_length=253)]
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "A"
    servers: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=260)], ...], Meta(max_length=MOST_SERVERS)
    ] = ()
    at_least: Annotated[int, Meta(ge=1, le=MOST_SERVERS)] = 1
    expect: tuple[str, ...] = ()
    expect_among: tuple[str, ...] = ()
    authoritative: bool = False
    serial_equal: bool = False
    serial_grace_ms: Annotated[int, Meta(ge=0)] = 600_000
    transport: Literal["udp", "tcp"] = "udp"
    slow_ms: Annotated[int, Meta(ge=1)] | None = None
    remote: bool | None = None


def target(settings: DnsSettings) -> str:
    """What is asked, and whom."""
    return f"{settings.query} {settings.type} @ {', '.join(settings.servers) or 'the servers of resolv.conf'}"


def remote(settings: DnsSettings) -> bool:
    """As the settings say, else whether any server is another machine; the system's own resolvers count as such."""
    if settings.remote is not None:
        return settings.remote
    return not settings.servers or any(is_remote(server_endpoint(server)[0]) for server in settings.servers)


def server_endpoint(server: str) -> tuple[str, int]:
    """Host and port of `10.0.0.53`, `fd00::53`, `ns1.example`, `10.0.0.53:5353`, `[fd00::53]:5353`; or ValueError."""
    if family_of(server) is not None:
        return server, DNS_PORT
    match = _WITH_PORT.fullmatch(server)
    host, port = (match["v6"] or match["host"], int(match["port"])) if match else (server, DNS_PORT)
    if not 1 <= port <= 65_535 or (family_of(host) is None and not _HOST.fullmatch(host)):
        raise ValueError(f"{server!r} is no server: write an address or a name, and :port behind it if it is not 53")
    return host, port


def canonical(record_type: str, text: str) -> str:
    """A record's value so that equal ones compare equal; ValueError if it is no address where one is needed."""
    if record_type in _ADDRESS_TYPES:
        address = ipaddress.ip_address(text)
        if (address.version == 4) != (record_type == "A"):
            raise ValueError(f"{text!r} is of the other IP version")
        return address.compressed
    if record_type in _AS_WRITTEN:
        return text
    return " ".join(word.rstrip(".").lower() for word in text.split())


def problems(settings: DnsSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    return [*_of_question(settings), *_of_servers(settings), *_of_answer(settings), *_of_serials(settings)]


def _of_question(settings: DnsSettings) -> list[tuple[str, str]]:
    labels = settings.query.removesuffix(".").split(".")
    if any(not 0 < len(label) <= 63 or re.search(r"\s", label) for label in labels) and not family_of(settings.query):
        return [("query", "is no domain name")]
    return []


def _of_servers(settings: DnsSettings) -> list[tuple[str, str]]:
    found = [("servers", reason) for server in settings.servers if (reason := _refused(server_endpoint, server))]
    if len(set(settings.servers)) < len(settings.servers):
        found.append(("servers", "names one twice"))
    if settings.servers and settings.at_least > len(settings.servers):
        found.append(("at_least", f"is more than the {len(settings.servers)} servers"))
    return found


def _of_answer(settings: DnsSettings) -> list[tuple[str, str]]:
    found = [
        (key, f"{text!r} is no value of type {settings.type}")
        for key in ("expect", "expect_among")
        for text in getattr(settings, key)
        if _refused(canonical, settings.type, text)
    ]
    if settings.expect and settings.expect_among:
        found.append(("expect_among", "has no effect beside expect, which names all"))
    if settings.slow_ms is not None and settings.slow_ms >= settings.timeout_ms:
        found.append(("slow_ms", "must be less than timeout_ms, which makes the check down"))
    return found


def _refused(read: Callable[..., object], *texts: str) -> str:
    """The words of the ValueError, or nothing."""
    try:
        read(*texts)
    except ValueError as error:
        return str(error)
    return ""


def _of_serials(settings: DnsSettings) -> list[tuple[str, str]]:
    if not settings.serial_equal:
        return []
    found = []
    if settings.type != "SOA":
        found.append(("serial_equal", 'needs type = "SOA"'))
    if len(settings.servers) < 2:
        found.append(("serial_equal", "compares servers: name at least two in servers"))
    return found


def build(settings: DnsSettings, surroundings: Surroundings) -> Probe:
    """The probe for these settings."""

    def load() -> DnsClient:
        from detak_agent.checks.kinds.dns.client import DnsClient  # noqa: PLC0415 - 6 MiB, for such checks only

        return DnsClient(settings, surroundings)

    return LoadedProbe(load)


KIND = Kind(
    name="dns",
    summary="Name servers answer quickly and with the right records, or all have the same version of a zone",
    settings=DnsSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
