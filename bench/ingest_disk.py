"""What quiet nodes cost on the disk: a month of them, put into a store as their collector would, and the file weighed.

A quiet node says each day how its spans ended and began again, and each hour which clock exchange was the narrowest;
what lies between changes one row. Metrics have a retention of their own, and are weighed apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.clocks import Reading
from detak_collector.metrics import kept, moments
from detak_collector.store.base import Arrival
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_collector.store.sqlite_database import connect
from detak_wire import PROTOCOL_VERSION
from detak_wire.messages import CheckSettings, ClockClaim, Evidence, Exchange, Growth, Part, RunOpening, Span
from ingest_beats import BEAT_MS, BOOT, CHECKS, COLLECTOR, FIRST_AGENT, NAMES, metrics_at, node_name, run_of
from ingest_estate import Sizes

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BEGIN_UTC = 1_790_000_000_000
OFFSET = BEGIN_UTC - FIRST_AGENT
BATCH = 200
METRICS_EVERY_MS = 60_000
METRICS_DAYS = 1
KEPT_POINT_DAYS = 8
KEPT_HOUR_DAYS = 400
KIB = 1_024


def show(home: Path, sizes: Sizes) -> float:
    """A month of some nodes, and a day of metrics of the same; KiB of evidence and ledger of a node and month."""
    with tempfile.TemporaryDirectory(dir=home) as folder:
        empty, full = _sizes_kib(Path(folder), sizes)
    a_node = (full - empty) / sizes.disk_nodes
    print(f"\non the disk, {sizes.disk_nodes} quiet nodes of {CHECKS} checks for {sizes.days} days")
    print(f"  evidence and ledger: {a_node:.0f} KiB a node and month, {a_node * KIB / sizes.days:.0f} bytes a node-day")
    with tempfile.TemporaryDirectory(dir=home) as folder:
        point, hour = _metric_bytes(Path(folder))
    points, hours = point * DAY_MS / METRICS_EVERY_MS * KEPT_POINT_DAYS, hour * 24 * KEPT_HOUR_DAYS
    print(
        f"  metrics, apart: {point:.0f} bytes a point, {hour:.0f} an hour; "
        f"with {KEPT_POINT_DAYS} days of points {points / KIB**2:.1f} MiB a node, "
        f"with {KEPT_HOUR_DAYS} days of hours {hours / KIB**2:.1f} MiB more\n"
    )
    return a_node


def _sizes_kib(folder: Path, sizes: Sizes) -> tuple[float, float]:
    """The file of a store that knows the nodes and nothing else, and a month later."""
    store = open_store(folder, reading(0))
    try:
        enrol(store, sizes.disk_nodes)
        empty = _file_kib(folder)
        for at_ms, evidences in month(sizes):
            for begin in range(0, len(evidences), BATCH):
                arrivals = [Arrival(one.node, one, reading(at_ms)) for one in evidences[begin : begin + BATCH]]
                refused = [one for one in store.evidence.commit(arrivals) if isinstance(one, Exception)]
                assert not refused, refused[0]
            store.ledger.append(reading(at_ms).utc, only_due=True)
        return empty, _file_kib(folder)
    finally:
        store.close()


def _metric_bytes(folder: Path) -> tuple[float, float]:
    """What a point and a rolled up hour take in the file."""
    store = open_store(folder, reading(0))
    try:
        enrol(store, 1)
        before = _file_kib(folder)
        beats = range(0, METRICS_DAYS * DAY_MS // BEAT_MS, METRICS_EVERY_MS // BEAT_MS)
        found = []
        for beat in beats:
            point = metrics_at(beat)
            said = Evidence(PROTOCOL_VERSION, node_name(0), run_of(0), point.measured_agent + 400, [], metrics=[point])
            found += [kept(said.node, moment) for moment in moments(said, OFFSET + said.sent_agent)]
        store.metrics.keep(found)
        after = _file_kib(folder)
        for _ in range(24 * METRICS_DAYS):
            store.metrics.tidy(reading(2 * DAY_MS).utc)
        hours = 24 * METRICS_DAYS
        return (after - before) * KIB / len(found), (_file_kib(folder) - after) * KIB / hours
    finally:
        store.close()


def enrol(store: Store, nodes: int) -> None:
    for at in range(nodes):
        token = issue_token(store.registry, node_name(at), HOUR_MS, reading(0))
        redeem(store.registry, node_name(at), token, reading(0))


def _file_kib(folder: Path) -> float:
    """The file, once all that the log beside it holds is in it."""
    with closing(connect(folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / FILE_NAME).stat().st_size / KIB


def reading(at_ms: int) -> Reading:
    return Reading(BEGIN_UTC + at_ms, FIRST_AGENT + at_ms, BOOT)


def month(sizes: Sizes) -> Iterator[tuple[int, list[Evidence]]]:
    """Hour by hour what all nodes say that is more than growth, and with it how far they have come."""
    nodes = range(sizes.disk_nodes)
    yield 0, [evidence(at, 0, Part(run_of(at), opening(), [span(place, 0, 0) for place in PLACES])) for at in nodes]
    number = len(NAMES)
    for hour in range(1, sizes.days * 24 + 1):
        at_ms, number = hour * HOUR_MS, number + 1
        exchange = Exchange(
            number,
            COLLECTOR,
            FIRST_AGENT + at_ms - 9,
            BEGIN_UTC + at_ms - 8,
            BEGIN_UTC + at_ms - 7,
            FIRST_AGENT + at_ms,
        )
        day, is_new_day = hour // 24, hour % 24 == 0
        spans = _turn(day) if is_new_day else []
        growths = [] if is_new_day else growths_of(day, at_ms)
        number += len(NAMES) * is_new_day
        yield at_ms, [evidence(at, at_ms, Part(run_of(at), None, spans, growths, [exchange])) for at in nodes]


PLACES = range(len(NAMES))


def _number(place: int, day: int) -> int:
    """Of a check's span of this day: each day takes one number for each check and one for each hour."""
    return place + 1 if day == 0 else len(NAMES) + 24 * day + len(NAMES) * (day - 1) + place + 1


def _turn(day: int) -> list[Span]:
    ended = [span(place, day - 1, day * DAY_MS, closed=True) for place in PLACES]
    return [*ended, *(span(place, day, day * DAY_MS) for place in PLACES)]


def growths_of(day: int, at_ms: int) -> list[Growth]:
    return [
        Growth(_number(place, day), 20 + place, 8 + place, 1 + (at_ms - day * DAY_MS) // BEAT_MS, BEAT_MS)
        for place in PLACES
    ]


def span(place: int, day: int, at_ms: int, *, closed: bool = False) -> Span:
    first, last = FIRST_AGENT + day * DAY_MS - 20 - place, FIRST_AGENT + at_ms - 20 - place - (BEAT_MS if closed else 0)
    samples = 1 + (last - first) // BEAT_MS
    return Span(
        _number(place, day), NAMES[place], "up", first, first + 12, last, last + 12, samples,
        BEAT_MS if samples > 1 else 0, closed,
    )  # fmt: skip


def opening() -> RunOpening:
    checks = [CheckSettings(name, "http", BEAT_MS, 4_000, remote=True, digest="0" * 32) for name in NAMES[1:]]
    clock = ClockClaim(FIRST_AGENT - 1_000, BEGIN_UTC - 1_000, 4)
    # It says that it speaks each hour, or each of those messages would end a silence, and leave a row of that.
    return RunOpening(BOOT, FIRST_AGENT - 1_000, 900, "0.1.0", 1_000, HOUR_MS, checks, clock)


def evidence(at: int, at_ms: int, part: Part) -> Evidence:
    return Evidence(PROTOCOL_VERSION, node_name(at), run_of(at), FIRST_AGENT + at_ms, [part])
