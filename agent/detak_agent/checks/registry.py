"""All check kinds, in one literal table: validation, documentation and the command line read it.

Importing it must stay light: what a kind needs for measuring is imported when such a check runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from detak_agent.checks.base import Kind
from detak_agent.checks.kinds import tcp
from detak_agent.checks.kinds.command import kind as command
from detak_agent.checks.kinds.dns import kind as dns
from detak_agent.checks.kinds.file import kind as file
from detak_agent.checks.kinds.haproxy import kind as haproxy
from detak_agent.checks.kinds.http import kind as http
from detak_agent.checks.kinds.ipmi import kind as ipmi
from detak_agent.checks.kinds.log import kind as log
from detak_agent.checks.kinds.mongodb import kind as mongodb
from detak_agent.checks.kinds.mysql import kind as mysql
from detak_agent.checks.kinds.operating_system import kind as operating_system
from detak_agent.checks.kinds.oracle import kind as oracle
from detak_agent.checks.kinds.ping import kind as ping
from detak_agent.checks.kinds.postgresql import kind as postgresql
from detak_agent.checks.kinds.process import kind as process
from detak_agent.checks.kinds.redfish import kind as redfish
from detak_agent.checks.kinds.redis import kind as redis
from detak_agent.checks.kinds.snmp import kind as snmp
from detak_agent.checks.kinds.sqlserver import kind as sqlserver
from detak_agent.checks.kinds.systemd import kind as systemd
from detak_agent.checks.kinds.tls import kind as tls
from detak_agent.checks.kinds.ups import kind as ups

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
