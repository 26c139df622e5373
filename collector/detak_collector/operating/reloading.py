"""A changed configuration, taken whole or not at all while the collector serves. It applies nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from detak_collector.catalogue import CatalogueError
from detak_collector.config import Config, ConfigurationError
from detak_collector.rules import Rules, rules_of


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is to be in force from now on."""

    config: Config
    rules: Rules


def reread(load: Callable[[], Config], before: Config) -> Fresh:
    """Both files as they are now, checked as a whole; raises ConfigurationError with everything that is wrong."""
    config = load()
    faults = list(_needing_a_restart(before, config))
    try:
        rules = rules_of(config)
    except CatalogueError as error:
        raise ConfigurationError([*faults, *error.lines]) from error
    if faults:
        raise ConfigurationError(faults)
    return Fresh(config, rules)


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
