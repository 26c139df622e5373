"""The way from this node to one collector: where it trusts, which proxy it takes, and whether it may speak at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from detak_agent.config import AgentConfig, CollectorSettings
from detak_agent.connection import Connection
from detak_agent.keys import trust_of
from detak_agent.machine_identity import MachineIdentity, this_machine
from detak_agent.origin import claim
from detak_agent.proxies import Proxy, proxy_for
from detak_agent.trust import NO_PINS, Pins, Trust


def way_to(
    config: AgentConfig, collector: CollectorSettings, identify: Callable[[], MachineIdentity] = this_machine
) -> Connection:
    """For everything that is sent with the node's key: refused with a state directory that is another machine's."""
    return Connection(
        collector.url,
        trust_of(collector, config.state_directory),
        partial(_proxy_to, collector.url, os.environ),
        partial(claim, config.state_directory, config.node, identify),
    )


def way_to_enrol(collector: CollectorSettings, pasted: Pins | None = None) -> Connection:
    """For a token: what was pasted beside it says whom to trust, unless the configuration does."""
    configured = Pins(collector.fingerprint, tuple(collector.ca_keys))
    trust = Trust(collector.ca_file, configured if configured != NO_PINS else pasted)
    return Connection(collector.url, trust, partial(_proxy_to, collector.url, os.environ))


def _proxy_to(url: str, environment: Mapping[str, str]) -> Proxy | None:
    parts = urlsplit(url)
    return proxy_for(parts.scheme, parts.hostname or "", environment)
