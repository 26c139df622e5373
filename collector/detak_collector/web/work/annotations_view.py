"""What the pages about outages show, put together for their templates. No decisions, no requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detak_collector.annotations import chronology, drafts, kinds
from detak_collector.annotations.bodies import Annotation
from detak_collector.annotations.drafts import Typed, TypedTask
from detak_collector.annotations.faults import Fault
from detak_collector.annotations.rulings import touching
from detak_collector.annotations.told import Told
from detak_collector.downtime.numbering import Known
from detak_collector.translation.language import Language, mark
from detak_collector.web.telling import Telling
from detak_collector.web.work.annotations_desk import Outage
from detak_collector.web.work.annotations_words import ruling_rows, shared_values, size_words

BLANK_TASKS = 2
"""So many empty rows stand below what is to follow: without a script there is no button for more."""
NOTICES = {
    "saved": mark("The annotation is saved. Versions before it stay on record."),
    "acknowledged": mark("The outage is acknowledged: the status page says so."),
    "attached": mark("The file is attached; its SHA-256 is in the ledger."),
    "detached": mark("The file does not belong to this outage any more. It stays on record."),
    "noted": mark("The note stands on the status page."),
    "retracted": mark("The note was taken back. It stays on record."),
    "ruled": mark("The ruling counts from now on. No figure changes by it."),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """What was not taken: of which form, why, and what was typed into it."""

    where: str
    faults: Sequence[Fault] = ()
    typed: Typed | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    def words(self, language: Language) -> dict[str, list[str]]:
        """The faults by field, in the reader's language."""
        told: dict[str, list[str]] = {}
        for one in self.faults:
            told.setdefault(one.where, []).append(language.say(one.text, **one.named))
        return told


NOTHING_REFUSED = Refused("")


@dataclass(frozen=True, slots=True)
class Row:
    """An outage in the list."""

    known: Known
    name: str
    told: Told


def typed_of(told: Told, tell: Telling) -> Typed:
    """The latest version as the form has it."""
    latest = told.latest
    body = Annotation(1) if latest is None else latest.body
    tasks = tuple(TypedTask(one.what, one.who, one.until) for one in body.follow_up)
    return Typed(body.cause, body.effect, chronology.typed(body.chronology, tell.zone), tasks, len(told.versions))


def outage_values(outage: Outage, name: str, tell: Telling, refused: Refused, *, may_write: bool) -> dict[str, object]:
    """What the page of one outage needs."""
    known, told, say = outage.known, outage.told, tell.language.say
    typed = refused.typed or typed_of(told, tell)
    if refused.typed is not None and any(one.where == "version" for one in refused.faults):
        # Whoever saves again has seen the newer version, which stands below.
        typed = Typed(typed.cause, typed.effect, typed.chronology, typed.follow_up, len(told.versions))
    blank = tuple(TypedTask("") for _ in range(BLANK_TASKS))
    return {
        "known": known,
        "told": told,
        "story": told.story,
        "versions": list(reversed(list(enumerate(told.versions, 1)))),
        "typed": typed,
        "tasks": list(enumerate((*typed.follow_up, *blank), 1)),
        "name": name,
        "where": refused.where,
        "faults": refused.words(tell.language),
        "fields": refused.fields,
        "may_write": may_write,
        "rulings": ruling_rows(touching(outage.rulings, {known.number}), tell.language),
        "title": say("Outage {number}: {service}", number=str(known.number), service=name),
        "most": {
            "cause": drafts.MOST_CAUSE, "effect": drafts.MOST_EFFECT, "task": drafts.MOST_TASK,
            "who": drafts.MOST_WHO, "note": drafts.MOST_NOTE, "acknowledgement": drafts.MOST_ACKNOWLEDGEMENT,
            "file": size_words(kinds.MOST_BYTES), "files": str(kinds.MOST_OF_AN_OUTAGE),
        },
        "accepted": ",".join(one for endings in kinds.ENDINGS.values() for one in endings),
        **shared_values(tell),
    }  # fmt: skip
