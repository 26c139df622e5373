"""A changed configuration, taken whole or not at all while the collector serves. It applies nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.texts import Read, read
from detak_collector.config import Config, ConfigurationError
from detak_collector.operating.events import Audit
from detak_collector.operating.logs import fields
from detak_collector.operating.systemd import notify

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fresh:
    """The configuration to be in force from now on, and services.toml as it is now; None where it cannot be taken."""

    config: Config
    services: Read | None


def reread(load: Callable[[], Config], before: Config, *, needs_file: bool = True) -> Fresh:
    """Both files as they are now, checked as a whole; raises ConfigurationError with everything that is wrong.

    A collector that goes by the other one's versions of the catalogue needs no services.toml of its own.
    """
    config = load()
    faults = list(_needing_a_restart(before, config))
    services: Read | None = None
    try:
        services = read(config.services)
    except CatalogueError as error:
        if needs_file:
            raise ConfigurationError([*faults, *error.lines]) from error
    if faults:
        raise ConfigurationError(faults)
    return Fresh(config, services)


def tell_refused(error: ConfigurationError, audit: Audit) -> None:
    """Tells the log every fault, and the audit trail and the service manager the first one."""
    for line in error.faults:
        _log.error("not reloaded: %s", line, extra=fields(event="not-reloaded"))
    first = f"the configuration is not reloaded, the old one is in force: {error.faults[0]}"
    audit("reload-refused", first, logging.WARNING, faults=len(error.faults))
    notify(f"STATUS={first[:1].upper()}{first[1:]}")


def _needing_a_restart(before: Config, now: Config) -> Iterator[str]:
    pairs = {
        "state_directory": (before.state_directory, now.state_directory),
        "listen": ((before.host, before.port), (now.host, now.port)),
        "store": (before.store.url, now.store.url),
        "tls": (before.tls, now.tls),
    }
    for key, (was, is_now) in pairs.items():
        if was != is_now:
            yield f"collector.toml: {key}: a change takes a restart; nothing of the new configuration is taken before"
