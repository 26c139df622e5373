"""What somebody must see to on the collector itself, judged from how it fares. Pure: it reads nothing.

An alarm needs no disk: it is on the page, in `/readyz`, in `/metrics`, in the log and at the syslog server.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from detak_collector.operating.disk import FULL_BYTES, Disk, in_words
from detak_collector.operating.events import Event
from detak_collector.translation.saying import counted, saying

DISK_FULL = "disk-full"
STORE = "store"
UNRENEWED_MS = 60_000


@dataclass(frozen=True, slots=True)
class Alarm:
    """`key` is fixed for one kind of trouble; `is_urgent`: evidence is being refused, or soon will be.

    `text` is a Saying where the page is to tell it in the reader's language.
    """

    key: str
    is_urgent: bool
    text: str


def disk_alarms(disk: Disk) -> Iterator[Alarm]:
    """Of the disk that the store lies on."""
    free = in_words(disk.free_bytes)
    if disk.is_full:
        text = saying(
            "the disk of the store is full: {free} are free. Evidence is refused once nothing is; agents keep it "
            "meanwhile. Make room of at least {least}, or move the collector to a larger disk",
            free=free,
            least=in_words(FULL_BYTES),
        )
        yield Alarm(DISK_FULL, is_urgent=True, text=text)
    elif disk.is_scarce and disk.days_left is not None:
        text = counted(
            "the disk of the store fills up: {free} are free, enough for about {number} day at its present growth. "
            "Make room, or move to a larger disk",
            "the disk of the store fills up: {free} are free, enough for about {number} days at its present growth. "
            "Make room, or move to a larger disk",
            round(disk.days_left),
            free=free,
        )
        yield Alarm("disk-scarce", is_urgent=False, text=text)
    elif disk.is_scarce:
        text = saying("the disk of the store fills up: {free} are free. Make room, or move to a larger disk", free=free)
        yield Alarm("disk-scarce", is_urgent=False, text=text)


def page_alarm(trouble: str, derived_utc: int | None, now: int) -> Iterator[Alarm]:
    """Of a page that is not renewed; `trouble` is why, and `derived_utc` the moment of the last one.

    A process that is started again is soon there again. The page may be public: the log tells why.
    """
    if trouble and (derived_utc is None or now - derived_utc >= UNRENEWED_MS):
        text = saying(
            "the status page is not renewed, and outages are not told of. Evidence is received and kept; "
            "the log says why"
        )
        yield Alarm("page", is_urgent=False, text=text)


def store_alarm(trouble: str) -> Iterator[Alarm]:
    """Of a store that takes nothing; `trouble` is what it said, empty where all is well.

    It names places on this machine, and the page may be public: the log and /readyz tell it.
    """
    if trouble:
        text = saying("nothing can be stored now; the log says why. Agents keep what they measure and try again")
        yield Alarm(STORE, is_urgent=True, text=text)


def standby_alarm(*, is_missing: bool) -> Iterator[Alarm]:
    """Of a database of several servers."""
    if is_missing:
        text = saying(
            "what arrives is kept on one server only: the database has no synchronous standby. Were that server lost "
            "now, agents would deliver again what they still hold. Bring the standby back"
        )
        yield Alarm("standby", is_urgent=False, text=text)


def syslog_alarm(trouble: str, lost: int) -> Iterator[Alarm]:
    """Of a syslog server that takes nothing."""
    if trouble:
        text = saying("the syslog server is not reached: {trouble}", trouble=trouble)
        if lost:
            text = counted(
                "the syslog server is not reached: {trouble}, {number} message is lost",
                "the syslog server is not reached: {trouble}, {number} messages are lost",
                lost,
                trouble=trouble,
            )
        yield Alarm("syslog", is_urgent=False, text=text)


def changes(before: Sequence[Alarm], now: Sequence[Alarm], utc: int) -> Iterable[Event]:
    """What to tell: alarms that began, those that became more or less urgent under another key, and those over."""
    known, present = {one.key for one in before}, {one.key for one in now}
    for one in now:
        if one.key not in known:
            level = logging.ERROR if one.is_urgent else logging.WARNING
            yield Event("alarm", "alarm-begun", utc, one.text, level, {"alarm": one.key})
    for one in before:
        if one.key not in present:
            yield Event("alarm", "alarm-over", utc, f"over: {one.text}", logging.INFO, {"alarm": one.key})
