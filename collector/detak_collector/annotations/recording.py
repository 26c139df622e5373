"""Enters what people say of outages; what may not be is refused in the transaction that would write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from detak_collector.annotations.bodies import (
    Acknowledgement,
    Annotation,
    Attachment,
    Note,
    Said,
    body_of,
    read,
)
from detak_collector.annotations.drafts import Draft, NoteDraft, Speaker
from detak_collector.annotations.faults import (
    EMPTY_FILE,
    FULL,
    LARGE_FILE,
    MANY_FILES,
    NO_KIND,
    NO_NOTE,
    NOT_THERE,
    THERE_ALREADY,
    UNCHANGED,
    Fault,
    FaultsError,
    MeanwhileError,
    UnknownOutageError,
)
from detak_collector.annotations.kinds import (
    MOST_BYTES,
    MOST_OF_AN_OUTAGE,
    MOST_TOGETHER,
    file_name,
    kind_of,
)
from detak_collector.annotations.known import log_of
from detak_collector.annotations.told import Told, ToldOfAll
from detak_collector.downtime.numbering import Known
from detak_collector.pair.entry import ACKNOWLEDGEMENT, ANNOTATION, ATTACHMENT, NOTE, Entry
from detak_collector.store.attachments import bytes_together, digest_of, holds, keep
from detak_collector.store.database import Connection, Database
from detak_collector.store.entries import append
from detak_collector.store.outages import known_of, merged_of

MEBIBYTE = 1024 * 1024
B = TypeVar("B", Annotation, Acknowledgement, Attachment, Note)
_NAMES: Mapping[type, str] = {
    Annotation: ANNOTATION,
    Acknowledgement: ACKNOWLEDGEMENT,
    Attachment: ATTACHMENT,
    Note: NOTE,
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as somebody brought it."""

    name: str
    content: bytes


def outage_now(connection: Connection, number: int) -> Known:
    """The outage that has this number, or of which it is part by now; raises UnknownOutageError."""
    known = known_of(connection, number)
    while known is not None and known.merged_into is not None:
        known = known_of(connection, known.merged_into)
    if known is None:
        raise UnknownOutageError
    return known


def annotate(database: Database, number: int, draft: Draft, by: Speaker, now_utc: int) -> Said[Annotation]:
    """Enters a version; raises FaultsError, MeanwhileError where there is a newer one than its writer had."""
    with database.writing() as connection:
        outage, told = _of_outage(connection, number)
        if draft.version is not None and draft.version != len(told.versions):
            raise MeanwhileError
        body = Annotation(
            outage.number, draft.cause, draft.effect, draft.chronology, draft.follow_up, by.role, by.login
        )
        before = None if told.latest is None else told.latest.body
        if before is not None and _same(before, body):
            raise FaultsError([Fault("version", UNCHANGED)])
        return _entered(connection, body, by, now_utc)


def acknowledge(database: Database, number: int, note: str, by: Speaker, now_utc: int) -> Said[Acknowledgement]:
    """Enters that he knows of the outage; raises UnknownOutageError."""
    with database.writing() as connection:
        outage = outage_now(connection, number)
        return _entered(connection, Acknowledgement(outage.number, note, by.role, by.login), by, now_utc)


def attach(database: Database, number: int, file: File, by: Speaker, now_utc: int) -> Said[Attachment]:
    """Keeps the file, and enters that it belongs to the outage; raises FaultsError."""
    kind = _kind(file)
    with database.writing() as connection:
        outage, told = _of_outage(connection, number)
        digest = digest_of(file.content)
        fault = _no_room(connection, told, digest, len(file.content))
        if fault is not None:
            raise FaultsError([fault])
        keep(connection, file.content, now_utc)
        name = file_name(PurePath(file.name).name, kind)
        body = Attachment(outage.number, digest, name, kind, len(file.content), role=by.role, login=by.login)
        return _entered(connection, body, by, now_utc)


def detach(database: Database, number: int, digest: str, by: Speaker, now_utc: int) -> Said[Attachment]:
    """Enters that a file does not belong to the outage any more; its bytes stay. Raises FaultsError."""
    with database.writing() as connection:
        outage, told = _of_outage(connection, number)
        found = next((one.body for one in told.files if one.body.digest == digest), None)
        if found is None:
            raise FaultsError([Fault("file", NOT_THERE)])
        body = Attachment(
            outage.number, digest, found.name, found.type, found.size, withdrawn=True, role=by.role, login=by.login
        )
        return _entered(connection, body, by, now_utc)


def say(database: Database, draft: NoteDraft, by: Speaker, now_utc: int) -> Said[Note]:
    """Enters a note; raises UnknownOutageError."""
    with database.writing() as connection:
        number = None if draft.outage is None else outage_now(connection, draft.outage).number
        body = Note(draft.public, draft.id, draft.en, number, role=by.role, login=by.login)
        return _entered(connection, body, by, now_utc)


def retract(database: Database, handle: str, by: Speaker, now_utc: int) -> Said[Note]:
    """Enters that a note is void, named by the begin of its id, and returns that note; raises FaultsError."""
    with database.writing() as connection:
        note = _all(connection).note(handle)
        if note is None:
            raise FaultsError([Fault("note", NO_NOTE)])
        body = Note(note.body.public, outage=note.body.outage, retracts=note.id, role=by.role, login=by.login)
        _entered(connection, body, by, now_utc)
        return note


def _kind(file: File) -> str:
    if not file.content:
        raise FaultsError([Fault("file", EMPTY_FILE)])
    if len(file.content) > MOST_BYTES:
        raise FaultsError([Fault("file", LARGE_FILE, {"most": _size(MOST_BYTES)})])
    kind = kind_of(file.content)
    if kind is None:
        raise FaultsError([Fault("file", NO_KIND)])
    return kind


def _no_room(connection: Connection, told: Told, digest: str, size: int) -> Fault | None:
    if any(one.body.digest == digest for one in told.files):
        return Fault("file", THERE_ALREADY)
    if len(told.files) >= MOST_OF_AN_OUTAGE:
        return Fault("file", MANY_FILES, {"most": str(MOST_OF_AN_OUTAGE)})
    if not holds(connection, digest) and bytes_together(connection) + size > MOST_TOGETHER:
        return Fault("file", FULL, {"most": _size(MOST_TOGETHER)})
    return None


def _size(number: int) -> str:
    return f"{number // MEBIBYTE} MiB"


def _same(one: Annotation, other: Annotation) -> bool:
    told = (one.cause, one.effect, one.chronology, one.follow_up)
    return told == (other.cause, other.effect, other.chronology, other.follow_up)


def _all(connection: Connection) -> ToldOfAll:
    return ToldOfAll.of(log_of(connection), merged_of(connection))


def _of_outage(connection: Connection, number: int) -> tuple[Known, Told]:
    outage = outage_now(connection, number)
    return outage, _all(connection).of_outage(outage.number)


def _entered(connection: Connection, body: B, by: Speaker, now_utc: int) -> Said[B]:
    made: Entry = append(connection, _NAMES[type(body)], body_of(body), by.name, now_utc)
    said = read(made, type(body))
    assert said is not None, "what was just checked can be read"
    return said
