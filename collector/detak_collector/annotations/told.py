"""What the log of entries says of outages, at any moment: versions, acknowledgements, attachments, notes. Pure.

Late evidence may make an outage part of another one: what was said of it is then said of that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from detak_collector.annotations.bodies import Acknowledgement, Annotation, Attachment, FollowUp, Note, Said, read
from detak_collector.downtime.stories import Happening, Story, Task
from detak_collector.pair.entry import Entry, in_order

B = TypeVar("B", Annotation, Acknowledgement, Attachment, Note)

HANDLE = 8
"""So many digits of an entry's id name a note for people."""


@dataclass(frozen=True, slots=True)
class Told:
    """Of one outage, each in the order in which it was said. `files` are those that were not withdrawn since."""

    versions: tuple[Said[Annotation], ...] = ()
    acknowledgements: tuple[Said[Acknowledgement], ...] = ()
    attached: tuple[Said[Attachment], ...] = ()
    notes: tuple[Said[Note], ...] = ()

    @property
    def latest(self) -> Said[Annotation] | None:
        """The version that counts."""
        return self.versions[-1] if self.versions else None

    @property
    def files(self) -> tuple[Said[Attachment], ...]:
        """The attachments that still belong to it, by the time at which they came."""
        standing: dict[str, Said[Attachment]] = {}
        for one in self.attached:
            if one.body.withdrawn:
                standing.pop(one.body.digest, None)
            else:
                standing.setdefault(one.body.digest, one)
        return tuple(standing.values())

    @property
    def story(self) -> Story | None:
        """The latest version as a report has it."""
        latest = self.latest
        if latest is None:
            return None
        body = latest.body
        return Story(
            body.cause,
            body.effect,
            tuple(Happening(one.at, one.text) for one in body.chronology),
            tuple(task_of(one) for one in body.follow_up),
            latest.by,
            latest.at,
            len(self.versions),
        )


NOTHING = Told()


def task_of(one: FollowUp) -> Task:
    """What is to follow, as a report has it."""
    return Task(one.what, one.who, one.until)


@dataclass(frozen=True, slots=True)
class ToldOfAll:
    """Of all outages, by number, and the notes that stand (also those about no outage)."""

    outages: Mapping[int, Told] = field(default_factory=dict)
    notes: tuple[Said[Note], ...] = ()

    @staticmethod
    def of(entries: Iterable[Entry], merged: Mapping[int, int], moment: int | None = None) -> ToldOfAll:
        """What these entries say, as of a moment. `merged`: the numbers that are part of another outage by now."""
        known = [one for one in in_order(entries) if moment is None or one.recorded_utc <= moment]
        gathered = _Gathered(merged)
        for one in known:
            gathered.take(one)
        return gathered.told()

    def of_outage(self, number: int | None) -> Told:
        """What was said of one outage."""
        return NOTHING if number is None else self.outages.get(number, NOTHING)

    def stories(self) -> Mapping[int, Story]:
        """The latest versions, by outage."""
        return {number: story for number, told in self.outages.items() if (story := told.story) is not None}

    def note(self, handle: str) -> Said[Note] | None:
        """The note that stands and whose id begins so; None where there is none, or more than one."""
        found = [one for one in self.notes if one.id.startswith(handle)] if len(handle) >= HANDLE else []
        return found[0] if len(found) == 1 else None


@dataclass(slots=True)
class _Gathered:
    merged: Mapping[int, int]
    versions: dict[int, list[Said[Annotation]]] = field(default_factory=dict)
    acknowledgements: dict[int, list[Said[Acknowledgement]]] = field(default_factory=dict)
    attached: dict[int, list[Said[Attachment]]] = field(default_factory=dict)
    notes: dict[str, Said[Note]] = field(default_factory=dict)
    retracted: set[str] = field(default_factory=set)

    def take(self, entry: Entry) -> None:
        self._keep(self.versions, read(entry, Annotation), lambda body: body.outage)
        self._keep(self.acknowledgements, read(entry, Acknowledgement), lambda body: body.outage)
        self._keep(self.attached, read(entry, Attachment), lambda body: body.outage)
        note = read(entry, Note)
        if note is not None and note.body.retracts is not None:
            self.retracted.add(note.body.retracts)
        elif note is not None:
            self.notes[note.id] = note

    def _keep(self, found: dict[int, list[Said[B]]], said: Said[B] | None, outage: Callable[[B], int]) -> None:
        if said is not None:
            found.setdefault(self._now(outage(said.body)), []).append(said)

    def _now(self, number: int) -> int:
        seen = set[int]()
        while number in self.merged and number not in seen:
            seen.add(number)
            number = self.merged[number]
        return number

    def told(self) -> ToldOfAll:
        notes = tuple(one for id_, one in self.notes.items() if id_ not in self.retracted)
        by_outage: dict[int, list[Said[Note]]] = {}
        for one in notes:
            if one.body.outage is not None:
                by_outage.setdefault(self._now(one.body.outage), []).append(one)
        numbers = {*self.versions, *self.acknowledgements, *self.attached, *by_outage}
        outages = {
            number: Told(
                tuple(self.versions.get(number, ())),
                tuple(self.acknowledgements.get(number, ())),
                tuple(self.attached.get(number, ())),
                tuple(by_outage.get(number, ())),
            )
            for number in sorted(numbers)
        }
        return ToldOfAll(outages, notes)
