"""What the entries of this package say, and how they are read. Pure.

What was entered by another version of the other collector is read as far as it is understood, and else left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from detak_collector.pair.entry import ACKNOWLEDGEMENT, ANNOTATION, ATTACHMENT, NOTE, Body, Entry

KINDS = (ANNOTATION, ACKNOWLEDGEMENT, ATTACHMENT, NOTE)

MOST_TEXT = 4_000
Number = Annotated[int, Meta(ge=1, le=2**53)]
Text = Annotated[str, Meta(max_length=MOST_TEXT)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
EntryId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Utc = Annotated[int, Meta(ge=0, le=2**53)]


class Line(Struct, frozen=True, array_like=True):
    """One line of a chronology."""

    at: Utc
    text: Text


class FollowUp(Struct, frozen=True):
    """What is to be done, by whom, until which day (empty where that is open)."""

    what: Text
    who: Text = ""
    until: Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\d)?\Z")] = ""


class Annotation(Struct, frozen=True):
    """A version of what happened in an outage, whole each time. `login`: the account or login it was entered under."""

    outage: Number
    cause: Text = ""
    effect: Text = ""
    chronology: Annotated[tuple[Line, ...], Meta(max_length=200)] = ()
    follow_up: Annotated[tuple[FollowUp, ...], Meta(max_length=50)] = ()
    role: Text = ""
    login: Text = ""


class Acknowledgement(Struct, frozen=True):
    """Somebody knows of an outage, and looks after it."""

    outage: Number
    note: Text = ""
    role: Text = ""
    login: Text = ""


class Attachment(Struct, frozen=True):
    """A file that belongs to an outage, by the SHA-256 of its bytes; or word that it does no longer."""

    outage: Number
    digest: Digest
    name: Text
    type: Text
    size: Annotated[int, Meta(ge=0, le=2**53)]
    withdrawn: bool = False
    role: Text = ""
    login: Text = ""


class Note(Struct, frozen=True):
    """A word to those who look at the status page, in one language or two; or word that an earlier one is void."""

    public: bool = False
    id: Text = ""
    en: Text = ""
    outage: Number | None = None
    retracts: EntryId | None = None
    role: Text = ""
    login: Text = ""


_READ: dict[str, type[Annotation | Acknowledgement | Attachment | Note]] = {
    ANNOTATION: Annotation,
    ACKNOWLEDGEMENT: Acknowledgement,
    ATTACHMENT: Attachment,
    NOTE: Note,
}

B = TypeVar("B", Annotation, Acknowledgement, Attachment, Note)


@dataclass(frozen=True, slots=True)
class Said(Generic[B]):
    """A body with its entry's author and time (UTC ms). `id` names it for good."""

    id: str
    by: str
    at: int
    body: B


def body_of(body: Annotation | Acknowledgement | Attachment | Note) -> Body:
    """What an entry is made of."""
    built: Body = msgspec.to_builtins(body)
    return built


def read(entry: Entry, kind: type[B]) -> Said[B] | None:
    """What the entry says; None where it says something else, or in words of another version."""
    if _READ.get(entry.kind) is not kind:
        return None
    try:
        body = msgspec.convert(entry.told, kind)
    except msgspec.ValidationError:
        return None
    return Said(entry.id, entry.author, entry.recorded_utc, body)
