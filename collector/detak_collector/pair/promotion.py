"""Lets a collector lead: one entry, and numbers of outages that the other one cannot have given meanwhile."""

from __future__ import annotations

from detak_collector.pair.entry import PROMOTION, Entry
from detak_collector.store.entries import append
from detak_collector.store.parts import Store

NUMBERS_APART = 1_000
"""So many numbers the collector that led may have given out since it was last heard."""


def promote(store: Store, author: str, reason: str, now_utc: int) -> Entry:
    """From now on this collector leads, durably; the entry says since which number it counts outages."""
    with store.database.writing() as connection:
        (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM outage").fetchone()
        least = last + NUMBERS_APART + 1 if store.peers.peer() is not None else last + 1
        connection.execute(
            "INSERT INTO numbering (id, least) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET least = excluded.least",
            (least,),
        )
        return append(connection, PROMOTION, {"least_number": least, "reason": reason}, author, now_utc)
