"""The collector with no store behind its endpoint: the same process, routes, keys and decoding, answered at once.

What it leaves out: the checks of records, merging, the queue, the commit, metrics. `ingest.py` measures beside it.
"""

from __future__ import annotations

import sys

from detak_collector import cli, composition
from detak_collector.ingest import intake as ingest
from detak_collector.ingest.metrics import MetricsIntake
from detak_collector.store.base import Arrival
from detak_wire import PROTOCOL_VERSION
from detak_wire.messages import Answer, Stored


class StorelessIngest(ingest.Ingest):
    """Answers as if everything were stored, with a mark for each open span as the collector does."""

    async def take(self, arrival: Arrival, size: int) -> Answer:  # noqa: ARG002 - nothing waits here
        """The answer."""
        evidence = arrival.evidence
        stored = {
            part.run: Stored(
                opened=True,
                mark=0,
                open={growth.number: evidence.sent_agent - growth.last_begin_ago for growth in part.growths},
            )
            for part in evidence.parts
        }
        at = arrival.at.utc
        return Answer(PROTOCOL_VERSION, self.collector, at, at, stored, ingest.ALLOWANCE)


class NoMetrics(MetricsIntake):
    """Takes no metrics."""

    def take(self, arrival: Arrival) -> None:
        """Lets them go."""


if __name__ == "__main__":
    for name, left_out in {"Ingest": StorelessIngest, "MetricsIntake": NoMetrics}.items():
        assert hasattr(composition, name), f"the collector is assembled elsewhere: {name}"
        setattr(composition, name, left_out)
    sys.argv[0] = "detak-collector"
    cli.main()
