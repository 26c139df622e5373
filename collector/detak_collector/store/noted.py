"""How far it has been noted, and is known by all, which time the recorded facts bear upon.

Of most facts nothing is noted: they bear on no month that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from detak_collector.store.database import Connection
from detak_collector.store.touched import Touch, fact_after, touched_between

MARGIN_MS = 6 * 3_600_000
"""How far beyond a month a fact still bears on it: clocks are known roughly, and an outage at its edge is one."""

FEW = 1_000
"""So many facts are looked through again rather than to write down that they were, or while the store is locked."""

PART = 5_000
"""So many facts are noted at once: what they bear upon is written while the store is locked, and beats wait."""


@dataclass(frozen=True, slots=True)
class Since:
    """The facts after the mark up to `latest`, and what of them bears on months that are kept."""

    mark: int
    latest: int
    touches: tuple[Touch, ...]

    @property
    def is_worth_noting(self) -> bool:
        """Whether it is more than to look through a few facts again."""
        return bool(self.touches) or self.latest - self.mark >= FEW


def mark_of(connection: Connection) -> int:
    """The fact up to which it is noted."""
    (mark,) = connection.execute("SELECT sequence FROM derived_mark").fetchone()
    return int(mark)


def since_mark(connection: Connection, until: int) -> Since:
    """Of the facts up to `until` those that follow the mark, a part of them at most."""
    mark = mark_of(connection)
    newest = connection.execute("SELECT end_utc FROM derived ORDER BY begin_utc DESC LIMIT 1").fetchone()
    ends = None if newest is None else fact_after(connection, mark, PART)
    latest = max(mark, until if ends is None else min(until, ends))
    new = touched_between(connection, mark, latest) if newest is not None and latest > mark else ()
    return Since(mark, latest, tuple(one for one in new if one.begin < newest[0] + MARGIN_MS))


def last_touched(connection: Connection) -> int:
    """The greatest number under which anything was noted."""
    (touched,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM touched").fetchone()
    return int(touched)


def note(connection: Connection, since: Since) -> None:
    """Remembers it, unless somebody else has meanwhile, and forgets what every kept month has taken into account.

    The newest stays, so that `touched` never says again what it said before.
    """
    moved = connection.execute("UPDATE derived_mark SET sequence = ? WHERE sequence = ?", (since.latest, since.mark))
    if not moved.rowcount:
        return
    connection.executemany(
        "INSERT INTO touched VALUES (?, ?, ?, ?, ?)",
        [(since.latest, one.node, one.check, one.begin, one.end) for one in since.touches],
    )
    connection.execute(
        "DELETE FROM touched WHERE sequence <= (SELECT min(sequence) FROM derived) "
        "AND sequence < (SELECT max(sequence) FROM touched)"
    )
