"""What tests of stores on one database say often."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from detak_collector.store.base import Arrival, Receipt
from detak_collector.store.parts import Store
from detak_wire.messages import Evidence
from evidence_builders import START_UTC, arrival, reading
from late_delivery import DAY
from peers.postgresql_server import Postgres

IN_FORCE_S = 0.7
"""Each of a server's processes reads a changed configuration when it comes to it."""


def enrol(store: Store, *nodes: str) -> None:
    """Each gets its key."""
    for node in nodes:
        store.registry.issue(node, node.encode(), START_UTC + DAY, reading(0))
        store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))


def taken(store: Store, *messages: Evidence | Arrival) -> Receipt:
    """What the last one's sender is told."""
    arrivals = [one if isinstance(one, Arrival) else arrival(one) for one in messages]
    outcome = store.evidence.commit(arrivals)[-1]
    assert isinstance(outcome, Receipt), outcome
    return outcome


@contextmanager
def configured(server: Postgres, *settings: str) -> Iterator[None]:
    """The server's configuration changed while everybody is connected."""
    server.run(*(f"ALTER SYSTEM SET {one}" for one in settings), "SELECT pg_reload_conf()")
    time.sleep(IN_FORCE_S)
    try:
        yield
    finally:
        server.run("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
        time.sleep(IN_FORCE_S)
