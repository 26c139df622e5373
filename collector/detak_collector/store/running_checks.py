"""The checks that each node runs now, as the opening of its newest run states them."""

from __future__ import annotations

import msgspec

from detak_collector.store.database import Connection
from detak_wire.messages import CheckSettings, RunOpening

_CURRENT = """
    SELECT node.name, run.opening FROM open_spans JOIN run ON run.sequence = open_spans.run
        JOIN node ON node.id = run.node
    WHERE current = 1 AND node.key_hash IS NOT NULL ORDER BY run.recorded_utc, run.sequence
"""
_opening = msgspec.json.Decoder(RunOpening)


def running_checks(connection: Connection) -> dict[str, list[CheckSettings]]:
    """By node, in the order of its configuration; `alive` is not among them. Revoked nodes are left out."""
    return {node: _opening.decode(opening).checks for node, opening in connection.execute(_CURRENT)}
