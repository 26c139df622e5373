"""All check kinds, in one literal table: validation, documentation and the command line read it.

Importing it must stay light: what a kind needs for measuring is imported when such a check runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from detak_agent.checks import (
    http,
    operating_system,
    process,
    tcp,
)
from detak_agent.checks.base import Kind

REGISTRY: Mapping[str, Kind] = MappingProxyType(
    {
        "os": operating_system.KIND,
        "process": process.KIND,
        "tcp": tcp.KIND,
        "http": http.KIND,
    }
)
