"""Which version of the catalogue is in force when: read from the log of entries, and from nothing else. Pure.

A version that says nothing new of the time before it was recorded takes effect at once. One that does is held, and the
one before it stays in force, until somebody other than its proposer approves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from detak_collector.decisions.persons import same_person
from detak_collector.downtime.case import CatalogueVersion
from detak_collector.pair.entry import CATALOGUE, CATALOGUE_DECISION, Body, Entry, in_order

MOST_TOUCHED = 100
"""So many lines of what a version touches are kept with it."""

B = TypeVar("B", bound=Struct)
EntryId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Line = Annotated[str, Meta(max_length=4_000)]


class VersionBody(Struct, frozen=True):
    """What an entry of the kind `catalogue` says: the files by name, and what of the past `against` they touch.

    `proposed_by` is who owned the file, where that is a person.
    """

    digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    files: dict[str, str]
    touches: list[Line] = []
    against: EntryId | None = None
    proposed_by: Line = ""


class DecisionBody(Struct, frozen=True):
    """What an entry of the kind `catalogue-decision` says of the version with the entry `on`."""

    on: EntryId
    verdict: Literal["approve", "reject"]
    login: Line
    proposed_by: Line = ""
    document: Line = ""
    reason: Line = ""


class State(StrEnum):
    """How a version stands."""

    IN_FORCE = "in force"
    WAS = "was in force"
    HELD = "held"
    SUPERSEDED = "superseded"
    """A later one came before anybody approved it."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, when, and on what ground."""

    approved: bool
    by: str
    at: int
    proposed_by: str
    document: str
    reason: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version; numbers count in the order in which entries are read. `since`: from when it was to be in force."""

    number: int
    entry: str
    digest: str
    files: tuple[str, ...]
    collector: str
    recorded: int
    seen: Mapping[str, int]
    touches: tuple[str, ...]
    proposed_by: str
    since: int | None
    decision: Decision | None = None

    def knew(self, other: Version) -> bool:
        """Whether the other one was in the log when this one was recorded."""
        return self.seen.get(other.collector, 0) > other.seen.get(other.collector, 0)

    @property
    def told(self) -> CatalogueVersion:
        """What a report says of it."""
        return CatalogueVersion(self.number, self.digest, self.recorded if self.since is None else self.since)


@dataclass(frozen=True, slots=True)
class Versions:
    """All of them, in order."""

    all: tuple[Version, ...] = ()

    def in_force(self, moment: int | None = None) -> Version | None:
        """The one in force at a moment, or now; before the first one that one. None where there is none at all."""
        effective = [one for one in self.all if one.since is not None]
        then = [one for one in effective if moment is None or (one.since or 0) <= moment]
        return then[-1] if then else next(iter(effective), None)

    def latest(self) -> Version | None:
        """The one recorded last."""
        return self.all[-1] if self.all else None

    def state(self, version: Version) -> State:
        """How it stands."""
        if version.since is not None:
            return State.IN_FORCE if version is self.in_force() else State.WAS
        if version.decision is not None:
            return State.REJECTED
        later = (one for one in self.all if one.number > version.number)
        overtaken = any(one.decision is None or one.decision.approved for one in later)
        return State.SUPERSEDED if overtaken else State.HELD

    def held(self) -> Version | None:
        """The one that waits for an approver."""
        return next((one for one in reversed(self.all) if self.state(one) is State.HELD), None)

    def numbered(self, number: int) -> Version | None:
        """The one of that number."""
        return self.all[number - 1] if 1 <= number <= len(self.all) else None


def versions_of(entries: Iterable[Entry]) -> Versions:
    """The versions that these entries tell of. What is said in words of a later program is left out."""
    found: dict[str, Version] = {}
    for entry in in_order(entries):
        if entry.kind == CATALOGUE:
            version = _version(entry, len(found) + 1)
            if version is not None:
                found[entry.id] = version
        elif entry.kind == CATALOGUE_DECISION:
            _decide(found, entry)
    return Versions(tuple(found.values()))


def _version(entry: Entry, number: int) -> Version | None:
    body = _read(entry, VersionBody)
    if body is None:
        return None
    since = None if body.touches else entry.recorded_utc
    return Version(
        number, entry.id, body.digest, tuple(sorted(body.files)), entry.collector, entry.recorded_utc,
        dict(entry.seen), tuple(body.touches), body.proposed_by, since,
    )  # fmt: skip


def _decide(found: dict[str, Version], entry: Entry) -> None:
    """The first decision on a held version counts; an approval only of somebody other than a named proposer."""
    body = _read(entry, DecisionBody)
    version = None if body is None else found.get(body.on)
    if body is None or version is None or version.since is not None or version.decision is not None:
        return
    proposer = version.proposed_by or body.proposed_by
    decision = Decision(
        body.verdict == "approve", entry.author, entry.recorded_utc, proposer, body.document, body.reason
    )
    if decision.approved and (not proposer or same_person(proposer, entry.author)):
        return
    since = entry.recorded_utc if decision.approved else None
    found[body.on] = replace(version, decision=decision, since=since, proposed_by=proposer)


def _read(entry: Entry, kind: type[B]) -> B | None:
    try:
        return msgspec.convert(entry.told, kind)
    except msgspec.ValidationError:
        return None


def body_of(body: VersionBody | DecisionBody) -> Body:
    """What an entry is made of."""
    built: Body = msgspec.to_builtins(body)
    return built


def touched(lines: Sequence[str]) -> list[str]:
    """As many as are kept, and how many more there were."""
    kept = [line[:1_000] for line in lines[:MOST_TOUCHED]]
    return kept if len(kept) == len(lines) else [*kept, f"and {len(lines) - MOST_TOUCHED} more"]


def is_news(versions: Versions, digest: str, collector: str, *, asked: bool) -> bool:
    """Whether what is on disk becomes a version.

    At a reload (`asked`) all that differs from the latest does, but for what is in force already while none is held.
    At a start an older version does not, and nothing does on a collector other than the one that recorded the latest:
    nobody who promotes one means its old file by that.
    """
    latest = versions.latest()
    if latest is None:
        return True
    if asked:
        standing = versions.in_force()
        is_standing = standing is not None and standing.digest == digest and versions.held() is None
        return digest != latest.digest and not is_standing
    return latest.collector == collector and all(one.digest != digest for one in versions.all)
