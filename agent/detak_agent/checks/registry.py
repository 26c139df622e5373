"""All check kinds, in one literal table: validation, documentation and the command line read it.

Importing it must stay light: what a kind needs for measuring is imported when such a check runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from detak_agent.checks import (
    command,
    dns,
    file,
    haproxy,
    http,
    ipmi,
    log,
    mongodb,
    mysql,
    operating_system,
    oracle,
    ping,
    postgresql,
    process,
    redfish,
    redis,
    snmp,
    sqlserver,
    systemd,
    tcp,
    tls,
    ups,
)
from detak_agent.checks.base import Kind

REGISTRY: Mapping[str, Kind] = MappingProxyType(
    {
        "os": operating_system.KIND,
        "process": process.KIND,
        "systemd": systemd.KIND,
        "tcp": tcp.KIND,
        "http": http.KIND,
        "tls": tls.KIND,
        "dns": dns.KIND,
        "ping": ping.KIND,
        "postgresql": postgresql.KIND,
        "mysql": mysql.KIND,
        "oracle": oracle.KIND,
        "sqlserver": sqlserver.KIND,
        "redis": redis.KIND,
        "mongodb": mongodb.KIND,
        "haproxy": haproxy.KIND,
        "snmp": snmp.KIND,
        "redfish": redfish.KIND,
        "ipmi": ipmi.KIND,
        "ups": ups.KIND,
        "file": file.KIND,
        "log": log.KIND,
        "command": command.KIND,
    }
)
