"""What two collectors heard together: who watches twice presumes only what neither heard, in time that either watched.

Each tells the other when it was there, and whom it did not hear. So both derive from the same, whoever is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detak_collector.downtime.intervals import Interval, Intervals, intersection
from detak_collector.store.database import Connection

_ROWS = "SELECT collector, node, from_utc, to_utc FROM peer_unheard WHERE from_utc < ? AND to_utc > ?"
_OWN = """
    SELECT node.name, to_utc FROM unheard JOIN node ON node.id = unheard.node WHERE from_utc IS NULL AND to_utc > ?
"""


def watched_beside(connection: Connection, begin_utc: int, end_utc: int) -> Intervals:
    """The part of [begin, end) in which the other collector was there, or this one before it was set back."""
    query = "SELECT from_utc, to_utc FROM peer_watch WHERE from_utc < ? AND to_utc > ?"
    return Intervals.of(connection.execute(query, (end_utc, begin_utc))).clip(begin_utc, end_utc)


def stepped_beside(connection: Connection, begin_utc: int, end_utc: int, known_at: int) -> tuple[int, ...]:
    """When the other collector's UTC stepped, as `watch.stepped` says."""
    query = """
        SELECT peer_watch.to_utc, min(following.from_utc) FROM peer_watch
        LEFT JOIN peer_watch AS following ON following.collector = peer_watch.collector
            AND following.boot = peer_watch.boot AND following.from_utc > peer_watch.from_utc
        WHERE peer_watch.ended = 'stepped' AND peer_watch.to_utc BETWEEN ? AND ? GROUP BY peer_watch.id
        HAVING coalesce(min(following.from_utc), peer_watch.to_utc) <= ?
    """
    rows = connection.execute(query, (begin_utc, end_utc, known_at))
    return tuple(sorted(instant for row in rows for instant in row if instant is not None))


@dataclass(frozen=True, slots=True)
class Silences:
    """Of one collector up to `moment`, by node: when it did not hear it; what begins at 0 is before it ever had.

    Of a node that it does not know it heard nothing. Laid out only of nodes that are asked for: there may be thousands.
    """

    rows: Mapping[str, Sequence[Interval]]
    moment: int

    def of(self, node: str) -> Intervals:
        """All of them."""
        return self._laid_out(self.rows[node]) if node in self.rows else self._always

    def never(self, node: str) -> Intervals:
        """Those before it was ever heard."""
        if node not in self.rows:
            return self._always
        return self._laid_out([one for one in self.rows[node] if one[0] == 0])

    @property
    def _always(self) -> Intervals:
        return Intervals.span(0, self.moment)

    def _laid_out(self, rows: Sequence[Interval]) -> Intervals:
        return Intervals.of(rows).clip(0, self.moment)


class Together(Mapping[str, Intervals]):
    """When neither collector heard a node, up to `moment`; this one comes first."""

    def __init__(self, moment: int, collectors: Sequence[Silences]) -> None:
        self._moment = moment
        self._collectors = collectors
        self._nodes = frozenset[str]().union(*(one.rows for one in collectors))
        self._known: dict[str, Intervals] = {}

    def heard(self, node: str, own: int | None) -> int | None:
        """When either heard it last; `own` is when this collector did."""
        latest = [own]
        for one in self._collectors[1:]:
            parts = list(one.of(node))
            is_silent = bool(parts) and parts[-1][1] >= self._moment
            latest.append(parts[-1][0] if is_silent else self._moment)
        return max((at for at in latest if at), default=None)

    def __getitem__(self, node: str) -> Intervals:
        if node not in self._nodes:
            raise KeyError(node)
        if node not in self._known:
            both = intersection([one.of(node) for one in self._collectors])
            self._known[node] = both - intersection([one.never(node) for one in self._collectors])
        return self._known[node]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._nodes))

    def __len__(self) -> int:
        return len(self._nodes)


def together(connection: Connection, begin_utc: int, moment: int, own: Mapping[str, Intervals]) -> Together | None:
    """Of both collectors since `begin_utc`; `own` are this one's silences. None where there is no other one."""
    peers = dict(connection.execute("SELECT collector, told_utc FROM peer WHERE told_utc IS NOT NULL"))
    if not peers:
        return None
    (identity,) = connection.execute("SELECT identity FROM collector").fetchone()
    rows: defaultdict[str, defaultdict[str, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    for collector, node, begin, end in connection.execute(_ROWS, (moment, begin_utc)):
        rows[collector][node].append((begin, end))
    for node, end in connection.execute(_OWN, (begin_utc,)):
        rows[identity][node].append((0, end))
    for node, silences in own.items():
        rows[identity][node] += silences
    for collector, told_utc in peers.items():
        _add_tails(connection, rows[collector], collector, told_utc, moment)
    return Together(moment, [Silences(rows[one], moment) for one in (identity, *peers)])


def _add_tails(
    connection: Connection, rows: defaultdict[str, list[Interval]], collector: str, told_utc: int, moment: int
) -> None:
    """Whom it hears by now is told as long as it tells; after that nobody is heard by it."""
    query = "SELECT node, heard_utc FROM peer_silent WHERE collector = ?"
    silent: dict[str, int] = dict(connection.execute(query, (collector,)))
    known = connection.execute("SELECT node FROM peer_unheard WHERE collector = ? AND from_utc = 0", (collector,))
    for node in {name for (name,) in known} | silent.keys():
        rows[node].append((silent.get(node, told_utc), max(moment, told_utc)))
