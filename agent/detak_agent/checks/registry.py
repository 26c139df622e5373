"""All check kinds, in one literal table: validation, documentation and the command line read it.

A kind is imported when it is asked for: the twenty that a node does not use would cost it 2 MiB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from detak_agent.checks.base import Kind

_MODULES = MappingProxyType(
    {
        "os": "operating_system.kind",
        "process": "process.kind",
        "systemd": "systemd.kind",
        "tcp": "tcp",
        "http": "http.kind",
        "tls": "tls.kind",
        "dns": "dns.kind",
        "ping": "ping.kind",
        "postgresql": "postgresql.kind",
        "mysql": "mysql.kind",
        "oracle": "oracle.kind",
        "sqlserver": "sqlserver.kind",
        "redis": "redis.kind",
        "mongodb": "mongodb.kind",
        "haproxy": "haproxy.kind",
        "snmp": "snmp.kind",
        "redfish": "redfish.kind",
        "ipmi": "ipmi.kind",
        "ups": "ups.kind",
        "file": "file.kind",
        "log": "log.kind",
        "command": "command.kind",
    }
)


class _Registry(Mapping[str, Kind]):
    """The kinds by name, in the order of the table."""

    def __getitem__(self, name: str) -> Kind:
        kind: Kind = import_module(f"detak_agent.checks.kinds.{_MODULES[name]}").KIND
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


REGISTRY: Mapping[str, Kind] = _Registry()
