"""Whether the collector that a command runs beside watches its nodes now: what any list of how they stand rests on."""

from __future__ import annotations

from detak_collector.channel.note import read_noted
from detak_collector.commands.session import hindrance_here
from detak_collector.config import Config
from detak_collector.copies.state_directory import is_owned
from detak_collector.store.parts import Store

STILL_WATCHING_MS = 5_000
"""A collector whose last tick is older than this does not watch."""

LAST_KNOWN = "What follows is what it last knew."


def why_unwatched(store: Store, config: Config, now_utc: int) -> str | None:
    """Why nobody sees what goes on now, as the begin of a sentence; None while the collector's ticks are durable."""
    reason = hindrance_here(store)
    if reason is not None:
        return reason[:1].upper() + reason[1:]
    watched_to = store.watch.latest_utc()
    if watched_to is not None and now_utc - watched_to <= STILL_WATCHING_MS:
        return None
    noted = read_noted(config.state_directory)
    if noted is not None and noted.says_unheard(now_utc):
        return "Agents refuse the collector's certificate (`detak-collector certificate show`)"
    if config.store.url is None and is_owned(config.state_directory):
        return "The collector runs, and cannot write to its store (`detak-collector doctor`)"
    return "The collector is not running"
