"""Every fault that the laboratory knows."""

from __future__ import annotations

from lab.faults import clocks, databases, maintenance, network, nodes, observers, processes, stores, witnesses
from lab.faults.base import Fault

FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS, *databases.FAULTS, *network.FAULTS, *nodes.FAULTS, *observers.FAULTS, *clocks.FAULTS,
    *stores.FAULTS, *witnesses.FAULTS, *maintenance.FAULTS,
)  # fmt: skip
KINDS = tuple(dict.fromkeys(fault.kind for fault in FAULTS))


def chosen(kinds: tuple[str, ...] = ()) -> list[Fault]:
    """Those of these kinds; of all where none is named."""
    return [fault for fault in FAULTS if not kinds or fault.kind in kinds]
