"""What the API about outages takes and tells, as JSON. Times are ISO 8601; those that are told are UTC. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from detak_collector.annotations import chronology
from detak_collector.annotations.bodies import Acknowledgement, Annotation, Attachment, Line, Note, Said
from detak_collector.annotations.drafts import Draft, Typed, TypedTask, judged
from detak_collector.annotations.faults import Fault, FaultsError
from detak_collector.annotations.rulings import standing
from detak_collector.annotations.texts import plain
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.numbering import Known
from detak_collector.downtime.periods import to_ms
from detak_collector.report.numbers import iso_utc
from detak_collector.translation.language import mark

NO_MOMENT = mark('Write the moment with its offset, as "2026-11-28T10:05:00+07:00" (got "{got}").')
RULING_NAMES = mark("A merge names two outages or more, a split one, and the taking back of a ruling its number.")
SHOWN = 40

Number = Annotated[int, Meta(ge=1, le=2**53)]
Text = Annotated[str, Meta(max_length=10_000)]


class EventSent(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a chronology, at a moment with its offset from UTC."""

    at: Text
    text: Text


class ToDoSent(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to follow; `until` is a day such as 2026-12-31."""

    what: Text
    who: Text = ""
    until: Text = ""


class AnnotationSent(Struct, frozen=True, forbid_unknown_fields=True):
    """A version of what happened, whole. `version`: how many there were, so that another one meanwhile is noticed."""

    cause: Text = ""
    effect: Text = ""
    chronology: Annotated[list[EventSent], Meta(max_length=200)] = []
    follow_up: Annotated[list[ToDoSent], Meta(max_length=50)] = []
    version: Annotated[int, Meta(ge=0, le=2**31)] | None = None


class AcknowledgementSent(Struct, frozen=True, forbid_unknown_fields=True):
    """That somebody looks after an outage, and what is done about it."""

    note: Text = ""


class NoteSent(Struct, frozen=True, forbid_unknown_fields=True):
    """A note for the status page, in one language or both."""

    public: bool = False
    id: Text = ""
    en: Text = ""
    outage: Number | None = None


class RulingSent(Struct, frozen=True, forbid_unknown_fields=True):
    """Which outages belong together (`merge`), which one begins an incident (`split`), or which ruling is void."""

    kind: Literal["merge", "split", "undo"]
    reason: Text
    outages: Annotated[list[Number], Meta(max_length=50)] = []
    undoes: Number | None = None


SENT = (EventSent, ToDoSent, AnnotationSent, AcknowledgementSent, NoteSent, RulingSent)


def drafted(sent: AnnotationSent) -> Draft:
    """What may be entered; raises FaultsError."""
    read = [_line(one) for one in sent.chronology]
    faults = [one for one in read if isinstance(one, Fault)]
    lines, more = chronology.checked(one for one in read if isinstance(one, Line))
    tasks = tuple(TypedTask(one.what, one.who, one.until) for one in sent.follow_up)
    return judged(Typed(sent.cause, sent.effect, "", tasks, sent.version), lines, [*faults, *more])


def _line(sent: EventSent) -> Line | Fault:
    wrong = Fault(chronology.FIELD, NO_MOMENT, {"got": sent.at[:SHOWN]})
    try:
        at = datetime.fromisoformat(sent.at)
    except ValueError:
        return wrong
    is_sound = at.tzinfo is not None and chronology.FIRST_YEAR <= at.year <= chronology.LAST_YEAR
    return Line(to_ms(at), plain(sent.text)) if is_sound else wrong


def ruling(sent: RulingSent, reason: str, by: str, now: int) -> Ruling:
    """The ruling as it is judged."""
    return Ruling(0, sent.kind, tuple(sorted(set(sent.outages))), sent.undoes, reason, by, now)


def require_whole(sent: RulingSent) -> None:
    """Raises FaultsError where it names too little or too much for its kind."""
    names = {"merge": len(set(sent.outages)) > 1, "split": len(sent.outages) == 1, "undo": not sent.outages}
    if not names[sent.kind] or (sent.kind == "undo") != (sent.undoes is not None):
        raise FaultsError([Fault("outages", RULING_NAMES)])


def told_of(known: Known, versions: Sequence[Said[Annotation]], **more: object) -> dict[str, Any]:
    """All that was said of an outage; `more` are its other parts."""
    return {
        "outage": known.number,
        "service": known.service,
        "from": iso_utc(known.begin),
        "to": iso_utc(known.end),
        "running": known.running,
        "versions": [annotation(one, number) for number, one in enumerate(versions, 1)],
        **more,
    }


def annotation(one: Said[Annotation], number: int) -> dict[str, Any]:
    """One version."""
    body = one.body
    return {
        "version": number,
        "cause": body.cause,
        "effect": body.effect,
        "chronology": [{"at": iso_utc(line.at), "text": line.text} for line in body.chronology],
        "follow_up": [{"what": each.what, "who": each.who, "until": each.until or None} for each in body.follow_up],
        **_said(one),
    }


def acknowledgement(one: Said[Acknowledgement]) -> dict[str, Any]:
    """One acknowledgement."""
    return {"note": one.body.note, **_said(one)}


def attachment(one: Said[Attachment]) -> dict[str, Any]:
    """One attachment."""
    body = one.body
    return {"sha256": body.digest, "name": body.name, "type": body.type, "size": body.size, **_said(one)}


def note(one: Said[Note], *, with_name: bool = True) -> dict[str, Any]:
    """One note; in public neither who wrote it nor about which outage, since numbers count those of all services."""
    body = one.body
    told: dict[str, Any] = {
        "note": one.id,
        "public": body.public,
        "id": body.id,
        "en": body.en,
        "role": body.role,
        "at": iso_utc(one.at),
    }
    return {**told, "outage": body.outage, "by": one.by} if with_name else told


def rulings(every: Iterable[Ruling]) -> list[dict[str, Any]]:
    """All rulings, in order."""
    known = list(every)
    in_force = standing(known)
    return [
        {
            "ruling": one.id,
            "kind": one.kind,
            "outages": list(one.outages),
            "undoes": one.undoes,
            "reason": one.reason,
            "by": one.ruled_by,
            "at": iso_utc(one.ruled_at),
            "in_force": in_force[one.id],
        }
        for one in known
    ]


def _said(one: Said[Annotation] | Said[Acknowledgement] | Said[Attachment]) -> dict[str, Any]:
    return {"by": one.by, "role": one.body.role, "at": iso_utc(one.at)}
