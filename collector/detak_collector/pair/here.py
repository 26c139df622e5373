"""The role of the collector that a command runs beside, and what is told where things are entered at the other one."""

from __future__ import annotations

import click

from detak_collector.config import Config
from detak_collector.pair.entry import PROMOTION
from detak_collector.pair.role import Role, role_of
from detak_collector.store.parts import Store


def role_here(store: Store, config: Config) -> Role:
    """The role of the collector that the configuration is of."""
    return role_of(store.collector, store.entries.of(PROMOTION), follows=config.follow is not None)


def require_leader(store: Store, config: Config) -> None:
    """Raises UsageError where things are to be entered at the other collector."""
    role = role_here(store, config)
    if role.leads:
        return
    peer = store.peers.peer()
    where = config.follow or (peer.url if peer is not None else "the other collector")
    why = "follows" if role is Role.FOLLOWS else "leads no more, since the other one was promoted"
    raise click.UsageError(
        f"this collector {why}: enter it on {where}; or, if that one is lost, `detak-collector promote` lets this one "
        "lead"
    )
