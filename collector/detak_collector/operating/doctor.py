"""What is usually wrong with a collector, found in facts that others gathered. Pure.

Each finding says what is so, why it matters and what to do; there is none where all is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from detak_collector.board.node_standing import standing
from detak_collector.catalogue.versions import Versions
from detak_collector.channel.certificate_files import WARN_DAYS, Period
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.operating.catalogue_alarms import OnDisk
from detak_collector.operating.disk import Disk, in_words
from detak_collector.operating.doctor_catalogue import Finding, Severity, catalogue_findings, version_findings
from detak_collector.operating.doctor_seals import seal_findings
from detak_collector.operating.ntp import ClockState
from detak_collector.store.base import NodeRow

MOST_CLOCK_ERROR_MS = 1_000
STILL_WATCHING_MS = 10_000
BACKUP_AFTER_MS = 8 * 86_400_000
DAY_MS = 86_400_000
SHOWN_NAMES = 10


class Secrecy(StrEnum):
    """Who may read a file."""

    PRIVATE = "its owner only"
    WRITTEN_BY_OWNER = "anybody, but only its owner may write it"


@dataclass(frozen=True, slots=True)
class FileFact:
    """A file or folder that matters. `owner`: the user it belongs to; `expected`: the one it is to belong to."""

    path: str
    mode: int
    owner: str
    expected: str
    secrecy: Secrecy


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything that is looked at."""

    now_utc: int
    catalogue: Catalogue | None
    """None where no catalogue can be taken, or the store that has it cannot be read."""
    down_after_ms: int
    rows: Sequence[NodeRow]
    watched_to: int | None
    clock: ClockState | None
    certificates: Mapping[str, Period]
    refusers: int
    files: Sequence[FileFact]
    disk: Disk | None
    last_backup: int | None
    hindrance: str | None
    lacks_standby: bool = False
    versions: Versions = field(default_factory=Versions)
    on_disk: OnDisk = field(default_factory=lambda: OnDisk(""))
    leads: bool = True
    troubles: Sequence[Finding] = ()
    """What was in the way of looking."""
    is_running: bool = False
    """Whether a collector has the state directory; of a store on a server that says nothing of others there."""
    is_known: bool = True
    """Whether the store could be read."""
    is_unheard: bool = False
    """Whether so many refuse the certificate that the collector says of itself that it does not watch."""
    unseen_seals: Sequence[str] = ()
    """Seals that another version made and this one has not recomputed."""
    differing_seals: Sequence[str] = ()
    """Those that it came to another account of."""


def findings(facts: Examined) -> list[Finding]:
    """All of them, the worst first."""
    found = [
        *facts.troubles,
        *_serving(facts),
        *_clock(facts.clock),
        *_certificates(facts),
        *_permissions(facts.files),
        *(_disk(facts.disk) if facts.disk is not None else ()),
        *_standby(facts),
        *_backup(facts),
        *(_of_catalogue(facts, facts.catalogue) if facts.catalogue is not None else ()),
        *version_findings(facts.versions, facts.on_disk, leads=facts.leads),
        *seal_findings(facts.unseen_seals, facts.differing_seals),
    ]
    return sorted(found, key=lambda one: one.severity is not Severity.FAULT)


def _of_catalogue(facts: Examined, catalogue: Catalogue) -> Iterator[Finding]:
    """What does not fit what is measured, as far as that is known."""
    if facts.is_known:
        yield from _nodes(facts, catalogue)
        yield from catalogue_findings(catalogue, facts.rows, facts.now_utc)


def _serving(facts: Examined) -> Iterator[Finding]:
    is_watching = facts.watched_to is not None and facts.now_utc - facts.watched_to <= STILL_WATCHING_MS
    if facts.hindrance is not None:
        why, _, what_to_do = facts.hindrance.partition(". ")
        yield Finding(
            Severity.FAULT, "collector", "it must not serve from this store", why,
            f"{what_to_do[:1].lower()}{what_to_do[1:]}" or "`detak-collector adopt`, if no other one ever serves again",
        )  # fmt: skip
    elif is_watching or (facts.is_running and (facts.is_unheard or not facts.is_known)):
        return
    elif facts.is_running:
        since = "" if facts.watched_to is None else f" for {(facts.now_utc - facts.watched_to) // 1_000} s"
        yield Finding(
            Severity.FAULT, "collector", f"it is running, and has written nothing to its store{since}",
            "evidence is refused and agents keep it, and a node that falls silent is not shown as down",
            "`journalctl -u detak-collector` says why; most often the disk is full or takes nothing",
        )  # fmt: skip
    else:
        yield Finding(
            Severity.FAULT, "collector", "it is not running",
            "agents keep what they measure and deliver it later, but a node that falls silent now is not shown as down",
            "systemctl start detak-collector, and see `journalctl -u detak-collector` if it ends again",
        )  # fmt: skip


def _clock(clock: ClockState | None) -> Iterator[Finding]:
    what = None
    if clock is not None and not clock.is_synchronised:
        what = "nothing keeps this machine's clock right"
    elif clock is not None and clock.error_ms > MOST_CLOCK_ERROR_MS:
        what = f"this machine's clock may be off by {clock.error_ms} ms"
    if what is not None:
        yield Finding(
            Severity.FAULT, "clock", what,
            "all times of all nodes are told by this clock: outages would be reported at wrong moments",
            "install and start chrony or systemd-timesyncd, and see `timedatectl`",
        )  # fmt: skip


def _certificates(facts: Examined) -> Iterator[Finding]:
    for name, period in facts.certificates.items():
        left = period.days_left(facts.now_utc)
        if left < max(WARN_DAYS):
            severity = Severity.FAULT if left < min(WARN_DAYS) else Severity.WARNING
            what = (
                f"the {name}'s certificate has ended" if left < 0 else f"the {name}'s certificate ends in {left} days"
            )
            yield Finding(
                severity, "tls", what, "agents do not deliver to a collector whose certificate has ended",
                "renew it with `detak-collector certificate renew`, or have the authority that made it do so",
            )  # fmt: skip
    if facts.refusers:
        yield Finding(
            Severity.FAULT, "tls", f"{facts.refusers} addresses refuse this collector's certificate",
            "their nodes cannot be heard, and are not down"
            + ("; they are so many that no node that falls silent is shown as down" if facts.is_unheard else ""),
            "see `detak-collector certificate show`",
        )  # fmt: skip


def _permissions(files: Sequence[FileFact]) -> Iterator[Finding]:
    for one in files:
        too_open = one.mode & (0o077 if one.secrecy is Secrecy.PRIVATE else 0o022)
        if too_open:
            yield Finding(
                Severity.FAULT, "permissions", f"{one.path} has mode {one.mode:03o}",
                f"it is meant to be read by {one.secrecy}",
                f"chmod {'go=' if one.secrecy is Secrecy.PRIVATE else 'go-w'} {one.path}",
            )  # fmt: skip
        if one.owner != one.expected:
            yield Finding(
                Severity.FAULT, "permissions", f"{one.path} belongs to {one.owner}, not to {one.expected}",
                "the collector could not read or write it: a command was run as another user",
                f"chown {one.expected}: {one.path}",
            )  # fmt: skip


def _disk(disk: Disk) -> Iterator[Finding]:
    if not disk.is_scarce:
        return
    soon = "" if disk.days_left is None else f", enough for {disk.days_left:.0f} days at its present growth"
    yield Finding(
        Severity.FAULT if disk.is_full else Severity.WARNING, "disk",
        f"{in_words(disk.free_bytes)} are free where the store lies{soon}",
        "once nothing is free evidence is refused, and agents keep what they measure",
        f"make room on the file system of {disk.path}, or `detak-collector move` to a larger one",
    )  # fmt: skip


def _standby(facts: Examined) -> Iterator[Finding]:
    if facts.lacks_standby:
        yield Finding(
            Severity.WARNING, "store", "the database has several servers and no synchronous standby",
            "what is acknowledged now is on one server only, and a failover could lose it",
            "bring the standby back; see that Patroni has `synchronous_mode: true`, or set synchronous_standby_names",
        )  # fmt: skip


def _backup(facts: Examined) -> Iterator[Finding]:
    if facts.last_backup is not None and facts.now_utc - facts.last_backup <= BACKUP_AFTER_MS:
        return
    days = None if facts.last_backup is None else (facts.now_utc - facts.last_backup) // DAY_MS
    yield Finding(
        Severity.WARNING, "backup",
        "no backup was made here yet" if days is None else f"the last backup is {days} days old",
        "agents keep what they delivered for a week: what is older and in no backup is lost with this disk",
        "let cron run `detak-collector backup FILE` each night, and carry FILE to another machine",
    )  # fmt: skip


def _nodes(facts: Examined, catalogue: Catalogue) -> Iterator[Finding]:
    as_of = facts.now_utc if facts.watched_to is None else min(facts.now_utc, facts.watched_to)
    states: dict[str, list[str]] = {}
    for row in facts.rows:
        retired = catalogue.node(row.name).retired
        if retired is None or retired > facts.now_utc:
            states.setdefault(standing(row, as_of, facts.down_after_ms), []).append(row.name)
    for state, severity, why, what_to_do in (
        ("silent", Severity.FAULT, "its checks are presumed down", "look at the node, or give it a `retired` date"),
        ("failed", Severity.FAULT, "its agent could not write its journal", "see the agent's log on the node"),
        ("two agents", Severity.FAULT, "their time is not observed", "see `detak-collector nodes`"),
        ("never heard", Severity.WARNING, "it was enrolled and delivers nothing", "start its agent, or revoke it"),
    ):
        if state in states:
            names = states[state]
            yield Finding(severity, "nodes", f"{state}: {listed(names)}", why, what_to_do)


def listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown = ", ".join(sorted(names)[:SHOWN_NAMES])
    return shown if len(names) <= SHOWN_NAMES else f"{shown} and {len(names) - SHOWN_NAMES} more"
