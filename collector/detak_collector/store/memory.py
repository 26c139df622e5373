"""What the evidence store keeps in memory: all that may still grow, as it is in the database, and what names stand for.

Where others write to the database too, what they changed is taken in at the start of each batch (`Sharing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from detak_collector.clocks import Reading
from detak_collector.store import runs as run_rows
from detak_collector.store.base import Arrival, StoreBrokenError, StoreUnavailableError
from detak_collector.store.batch import Pending, RunKey
from detak_collector.store.database import Connection, Database
from detak_collector.store.postgresql_sharing import Sharing
from detak_collector.store.runs import KnownRun
from detak_collector.store.texts import Texts
from detak_collector.store.touched import last_sequence
from detak_wire.messages import Evidence

MOST_REMEMBERED = 3
FEW_NODES = 1_000
"""Where others write too, more than so many runs a node in memory are mostly runs that ended elsewhere."""


class Memory:
    """Of one store, used by the thread that commits. `live`: the runs that may still grow, as they were committed."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self.texts = Texts(connection)
        self._nodes: dict[str, int] = {}
        with connection.transaction(writing=False):
            live = run_rows.load_live(connection, self.texts)
            self._sequence = last_sequence(connection)
        self.live: dict[RunKey, KnownRun] = {(known.node, known.run): known for known in live}
        self._sharing = Sharing(connection, self.texts) if database.shared else None
        self._news_elsewhere = False

    def begun(self, arrivals: Sequence[Arrival]) -> Pending:
        """What a batch starts from, within its transaction; where others write too, no fact is older than theirs.

        Collectors' clocks differ a little; the times at which facts were recorded go forward all the same.
        """
        now = arrivals[-1].at
        if self._sharing is None:
            return Pending(now, self._sequence)
        if self._sharing.is_another_life() or len(self.live) > MOST_REMEMBERED * max(len(self._nodes), FEW_NODES):
            self._forget()
        keys = {(self.node(one.node), run) for one in arrivals for run in _runs_in(one.evidence)}
        self.live.update(self._sharing.changed(keys, self.live))
        latest = self._sharing.latest()
        self._news_elsewhere = self._news_elsewhere or latest.sequence > self._sequence
        return Pending(replace(now, utc=max(now.utc, latest.recorded_utc)), latest.sequence, latest.writer)

    def adopt(self, pending: Pending) -> None:
        """The batch is durable."""
        self._sequence = pending.sequence
        if self._sharing is not None:
            self._sharing.wrote(pending.runs.values(), pending.writer)
        for key, known in pending.runs.items():
            if known.current or known.state.has_open:
                self.live[key] = known
            else:
                self.live.pop(key, None)

    def look_at(self, node: int) -> None:
        """Takes in what others have learnt of all the node's runs that may still grow."""
        if self._sharing is not None:
            self.live.update(self._sharing.of_node(node))

    def news_elsewhere(self) -> bool:
        """As EvidenceStore.news_elsewhere says."""
        if self._sharing is None:
            return False
        latest = last_sequence(self._connection)
        is_news, self._news_elsewhere = self._news_elsewhere or latest > self._sequence, False
        self._sequence = max(latest, self._sequence)
        return is_news

    def heard(self, now: Reading) -> dict[str, int]:
        """As EvidenceStore.heard says."""
        names = {number: name for name, number in self._all_nodes().items()}
        heard: dict[str, int] = {}
        for known in self.live.values():
            if known.heard is not None and known.current:
                at = known.heard.boottime if known.heard.boot == now.boot else now.boottime - now.utc + known.heard.utc
                name = names[known.node]
                heard[name] = max(at, heard.get(name, at))
        return heard

    def node(self, name: str) -> int:
        """The number of an enrolled node."""
        number = self._nodes.get(name)
        if number is None:
            self._nodes = self._all_nodes()
            number = self._nodes.get(name)
        if number is None:
            # A database that others change may have been set back; a file may not.
            kind = StoreUnavailableError if self._database.shared else StoreBrokenError
            raise kind(f"{self._database.place}: node {name!r} has a key but no row")
        return number

    def _all_nodes(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT name, id FROM node"))

    def _forget(self) -> None:
        """All that is remembered of the database will be read again."""
        self.live.clear()
        self._nodes.clear()
        self.texts.forget()


def _runs_in(evidence: Evidence) -> Iterator[str]:
    """The runs that the message may change."""
    yield evidence.run
    for part in evidence.parts:
        yield part.run
        if part.opening is not None and part.opening.previous is not None:
            yield part.opening.previous.run
