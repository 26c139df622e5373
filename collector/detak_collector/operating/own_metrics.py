"""What `/metrics` tells: every number of this collector, in families. It reads what it is given and decides nothing.

No family has a label for each node: ten thousand nodes would be ten thousand series in whatever scrapes them.
"""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from detak_collector.board.board import Condition
from detak_collector.board.glance import Glance
from detak_collector.board.node_standing import Census
from detak_collector.channel.certificate_files import Period
from detak_collector.operating.alarms import Alarm
from detak_collector.operating.counters import commit_time, commits, jobs, latency, records, refusals, repeats
from detak_collector.operating.disk import Disk
from detak_collector.operating.exposition import Distribution, Family, by, counter, gauge

DAY_S = 86_400
SHOWN = {
    Condition.UP: "up", Condition.DEGRADED: "degraded", Condition.UNOBSERVED: "not_observed",
    Condition.PRESUMED_DOWN: "presumed_down", Condition.DOWN: "down",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What is told at one moment, beside what is counted. None is what is not known yet."""

    now_utc: int
    version: str
    schema: str
    ready: bool
    waiting_messages: int
    waiting_bytes: int
    room: tuple[int, int]
    """How many messages and how many bytes may wait."""
    census: Census | None
    glance: Glance | None
    disk: Disk | None
    alarms: tuple[Alarm, ...]
    certificates: Mapping[str, Period]
    syslog: tuple[int, int, int] | None
    """Messages sent, lost and waiting."""


Families = Iterator[Family | Distribution]


def families(told: Told) -> Families:
    """All of them, in the order in which they are written."""
    yield from _self(told)
    yield from _ingest(told)
    yield from _known(told)
    yield from _upkeep(told)


def _self(told: Told) -> Families:
    about = {"version": told.version, "schema": told.schema, "python": platform.python_version()}
    yield Family("detak_build_info", "gauge", "Which program this is.", [(about, 1)])
    yield gauge("detak_ready", "1 while evidence can be stored, as /readyz says.", int(told.ready))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield counter("process_cpu_seconds_total", "Processor time used.", round(usage.ru_utime + usage.ru_stime, 3))
    yield gauge("process_resident_memory_bytes", "Memory in use.", _resident_bytes())
    yield gauge("process_open_fds", "Open files and connections.", len(list(Path("/proc/self/fd").iterdir())))
    yield gauge("process_start_time_seconds", "When the process began, UTC.", round(_started_s(told.now_utc), 3))


def _ingest(told: Told) -> Families:
    yield Distribution("detak_beat_seconds", "From the arrival of a message that was stored to its answer.", latency)
    yield Distribution("detak_commit_seconds", "How long each group commit took.", commit_time)
    yield Family("detak_commits_total", "counter", "Group commits by outcome.", by("outcome", commits.counts))
    yield Family("detak_records_total", "counter", "Records received and stored, by kind.", by("kind", records.counts))
    yield counter(
        "detak_repeats_total", "Messages that told nothing new: sent again.", repeats.counts.get("message", 0)
    )
    yield Family("detak_refusals_total", "counter", "Requests turned away, by reason.", by("reason", refusals.counts))
    yield gauge("detak_waiting_messages", "Messages that wait for a commit.", told.waiting_messages)
    yield gauge("detak_waiting_bytes", "Their size.", told.waiting_bytes)
    yield gauge("detak_waiting_messages_limit", "How many may wait.", told.room[0])
    yield gauge("detak_waiting_bytes_limit", "How much may wait.", told.room[1])


def _known(told: Told) -> Families:
    if told.census is not None:
        yield Family("detak_nodes", "gauge", "Nodes by what is known of them.", by("state", told.census.nodes))
        yield Family("detak_checks", "gauge", "Checks of nodes that are heard.", by("state", told.census.checks))
    if told.glance is not None:
        counts = {name: told.glance.conditions.get(condition, 0) for condition, name in SHOWN.items()}
        yield Family("detak_services", "gauge", "Services by condition.", by("condition", counts))
        yield gauge("detak_outages_running", "Outages that run now.", len(told.glance.running))


def _upkeep(told: Told) -> Families:
    if told.disk is not None:
        disk = told.disk
        yield gauge("detak_disk_free_bytes", "Free space where the store lies.", disk.free_bytes)
        yield gauge("detak_disk_size_bytes", "The size of that file system.", disk.total_bytes)
        yield gauge("detak_store_bytes", "What the store's files take.", disk.store_bytes)
        left = None if disk.days_left is None else round(disk.days_left * DAY_S)
        yield gauge("detak_disk_left_seconds", "Until it is full at its present growth; absent without growth.", left)
    ends = {name: (one.end_utc - told.now_utc) / 1_000 for name, one in told.certificates.items()}
    yield Family("detak_certificate_left_seconds", "gauge", "Until a certificate ends.", by("certificate", ends))
    raised = {one.key: int(one.is_urgent) for one in told.alarms}
    yield Family("detak_alarm", "gauge", "Alarms now: 1 is urgent, 0 is not.", by("alarm", raised))
    last = {job: at / 1_000 for job, at in jobs.at.items()}
    yield Family("detak_job_last_seconds", "gauge", "When each job was last finished, UTC.", by("job", last))
    if told.syslog is not None:
        yield counter("detak_syslog_sent_total", "Messages given to the syslog server.", told.syslog[0])
        yield counter("detak_syslog_lost_total", "Messages let go because it was not reached.", told.syslog[1])
        yield gauge("detak_syslog_waiting", "Messages that wait for it.", told.syslog[2])


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def _started_s(now_utc: int) -> float:
    """From the kernel's own note, in the machine's time as it is counted now."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    alive_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return now_utc / 1_000 - alive_s
