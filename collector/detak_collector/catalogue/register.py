"""The versions of the catalogue in the log of entries: recorded once, decided on, and parsed where one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from detak_collector.catalogue.past import differences
from detak_collector.catalogue.texts import SERVICES, Read, Texts
from detak_collector.catalogue.versions import (
    DecisionBody,
    Version,
    VersionBody,
    Versions,
    body_of,
    touched,
    versions_of,
)
from detak_collector.downtime.case import CatalogueVersion
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.pair.entry import CATALOGUE, CATALOGUE_DECISION, Body, Entry

UNKNOWN = "the collector"
"""The author of a version where nobody knows whose change it is."""


class Entries(Protocol):
    """Of the log what is needed here, as `store/entries.py` has it."""

    def of(self, kind: str) -> Sequence[Entry]:
        """All entries of a kind, in order."""
        ...

    def append(self, kind: str, body: Body, author: str, now_utc: int) -> Entry:
        """Makes an entry."""
        ...


@dataclass(slots=True, eq=False)
class Register:
    """Over one log. What it has parsed is kept: a version never changes."""

    entries: Entries
    _parsed: dict[str, Catalogue] = field(default_factory=dict, init=False)

    def __reduce__(self) -> tuple[type[Register], tuple[Entries]]:
        """Another process derives by what is in force; what was before is only ever asked of the log itself."""
        return Register, (_Elsewhere(),)

    def versions(self) -> Versions:
        """All versions, as the log tells of them now."""
        return versions_of((*self.entries.of(CATALOGUE), *self.entries.of(CATALOGUE_DECISION)))

    def texts(self, version: Version) -> Texts:
        """The files of a version."""
        (entry,) = (one for one in self.entries.of(CATALOGUE) if one.id == version.entry)
        return Texts(entry.told["files"])

    def catalogue(self, version: Version) -> Catalogue:
        """What a version says; raises CatalogueError where this program does not take it any more."""
        found = self._parsed.get(version.entry)
        if found is None:
            called = f"version {version.number} of the catalogue: {SERVICES}"
            found = self._parsed[version.entry] = self.texts(version).parse(called)
        return found

    def standing(self) -> Standing | None:
        """What is in force now, and was before; None while there is no version."""
        versions = self.versions()
        version = versions.in_force()
        return None if version is None else Standing(self, versions, version)

    def record(self, read: Read, proposed_by: str, now_utc: int, *, has_past: bool) -> Version:
        """Makes a version of what is on disk; held, where there is a past and it says something new of that.

        One that is the latest already, since another collector on this store was quicker, is not recorded again.
        """
        versions = self.versions()
        latest, standing = versions.latest(), versions.in_force()
        digest = read.texts.digest
        if latest is not None and latest.digest == digest:
            return latest
        touches: tuple[str, ...] = ()
        if standing is not None and has_past:
            touches = differences(self.catalogue(standing), read.catalogue, now_utc)
        return self._append(
            VersionBody(
                digest,
                dict(read.texts.files),
                touched(touches),
                None if standing is None else standing.entry,
                proposed_by,
            ),
            now_utc,
        )

    def affirm(self, version: Version, now_utc: int) -> Version:
        """Records that version once more: the one that leads goes on with it, whatever the other one had recorded."""
        body = VersionBody(version.digest, dict(self.texts(version).files), [], version.entry, version.proposed_by)
        return self._append(body, now_utc)

    def decide(self, version: Version, body: DecisionBody, author: str, now_utc: int) -> Version:
        """Keeps a decision, and tells how the version stands now."""
        self.entries.append(CATALOGUE_DECISION, body_of(body), author, now_utc)
        return self._again(version.entry)

    def _append(self, body: VersionBody, now_utc: int) -> Version:
        return self._again(self.entries.append(CATALOGUE, body_of(body), body.proposed_by or UNKNOWN, now_utc).id)

    def _again(self, entry: str) -> Version:
        return next(one for one in self.versions().all if one.entry == entry)


@dataclass(frozen=True, slots=True)
class Standing:
    """The versions as they were read at one moment, and the one in force then."""

    register: Register
    versions: Versions
    version: Version

    @property
    def catalogue(self) -> Catalogue:
        """What is in force; raises CatalogueError."""
        return self.register.catalogue(self.version)

    @property
    def told(self) -> CatalogueVersion:
        """What a report says of it."""
        return self.version.told

    def as_of(self, moment: int) -> Standing:
        """The same as it was in force at an earlier moment."""
        return replace(self, version=self.versions.in_force(moment) or self.version)


class _Elsewhere:
    """A log that is not at hand."""

    def of(self, kind: str) -> Sequence[Entry]:
        raise AssertionError(f"entries of the kind {kind} are not read in this process")

    def append(self, kind: str, body: Body, author: str, now_utc: int) -> Entry:
        del body, author, now_utc
        raise AssertionError(f"no entry of the kind {kind} is made in this process")
