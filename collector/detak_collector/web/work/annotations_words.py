"""How templates say what people said of outages: sizes, roles, days, texts in two languages. Pure; no HTTP."""

from __future__ import annotations

from collections.abc import Iterable

from detak_collector.annotations.bodies import Note, Said
from detak_collector.annotations.rulings import standing
from detak_collector.annotations.told import HANDLE
from detak_collector.downtime.incidents import MERGE, UNDO, Ruling
from detak_collector.report.stories import day_words
from detak_collector.translation.language import Language, mark
from detak_collector.web.telling import Telling

MEBIBYTE, KIBIBYTE = 1024 * 1024, 1024
ROLE_WORDS = {
    "operator": mark("operator"),
    "approver": mark("approver"),
}


def shared_values(tell: Telling) -> dict[str, object]:
    """What every template about outages says values with."""
    return {
        "size_words": size_words,
        "role_words": lambda role: role_words(role, tell.language),
        "day_words": lambda day: day_words(day, tell.language),
        "handle": lambda said: said.id[:HANDLE],
        "note_texts": lambda note: note_texts(note, tell.language.code),
    }


def role_words(role: str, language: Language) -> str:
    """In which role somebody spoke; as it stands where this version does not know it."""
    return language.say(ROLE_WORDS[role]) if role in ROLE_WORDS else role


def note_texts(note: Said[Note], code: str) -> list[tuple[str, str]]:
    """The texts of a note with their languages, the reader's first."""
    texts = [("id", note.body.id), ("en", note.body.en)]
    return sorted((one for one in texts if one[1]), key=lambda one: one[0] != code)


def size_words(size: int) -> str:
    """A size as people know it from their files."""
    if size >= MEBIBYTE:
        return f"{size / MEBIBYTE:.1f} MiB".replace(".0 ", " ")
    return f"{max(1, size // KIBIBYTE)} KiB"


def ruling_rows(rulings: Iterable[Ruling], language: Language) -> list[dict[str, object]]:
    """Rulings in words, with whether they stand."""
    every = list(rulings)
    in_force = standing(every)
    return [{"ruling": one, "words": ruling_words(one, language), "stands": in_force[one.id]} for one in every]


def ruling_words(one: Ruling, language: Language) -> str:
    """What a ruling says."""
    if one.kind == UNDO:
        return language.say("ruling {number} is taken back", number=str(one.undoes))
    if one.kind == MERGE:
        names = [str(number) for number in one.outages]
        return language.say("outages {numbers} are one incident", numbers=language.listed(names))
    return language.say("outage {number} begins an incident of its own", number=str(one.outages[0]))
