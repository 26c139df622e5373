"""What the pages of exclusions and declarations say: titles, choices, notices, why somebody may not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from detak_collector.catalogue.corrections import SCOPES, targets_of
from detak_collector.decisions.proposal import DECLARATION, EXCLUSION, About
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.report.wording import SCOPES as SCOPE_WORDS
from detak_collector.translation.language import Language, mark
from detak_collector.web.telling import NONE, Telling
from detak_collector.web.work.exclusions_form import CATEGORIES, KINDS, OWN_RULE
from detak_collector.web.work.exclusions_view import Row, about_words, category_words

MOST_TARGETS = 2_000
ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "UTC")
NOTICES = {
    "proposed": mark("It is proposed, and takes effect once somebody else approves it."),
    "approved": mark("It is approved."),
    "rejected": mark("It is rejected."),
    "taken-back": mark("It is taken back."),
    "claimed": mark("What the provider says is kept."),
    "imported": mark("The calendar is proposed; each window takes effect once somebody else approves it."),
}
NO_MORE = mark("That could not be done: by now it stands otherwise. This is how it is.")
OWN = mark("You proposed it, so somebody else must decide.")
FOLLOWS = mark("Things are entered at the other collector: {place}")
SAME = mark("It says that already: change something.")
NO_RIGHT = mark("Your roles do not include that.")
NOTHING = mark("Nothing is entered")
HELD = mark("Something else of this one waits for a decision: let that be decided first.")
REPEAT_WORDS = {
    "": mark("not"),
    "DAILY": mark("every day"),
    "WEEKLY": mark("every week"),
    "MONTHLY": mark("every month on this day"),
    OWN_RULE: mark("by a rule of its own"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One of the two kinds of corrections: where its pages stand, and what they are called."""

    about: About
    base: str
    title: str
    fresh: str
    one: str
    amend: str
    withdraw: str


EXCLUSIONS = Subject(
    EXCLUSION,
    "exclusions",
    mark("Exclusions"),
    mark("Propose an exclusion"),
    mark("Exclusion {name}"),
    mark("Another exclusion in place of {name}"),
    mark("Withdrawal of {name}"),
)
DECLARATIONS = Subject(
    DECLARATION,
    "declarations",
    mark("Declarations"),
    mark("Propose a declaration"),
    mark("Declaration {name}"),
    mark("Another declaration in place of {name}"),
    mark("Withdrawal of {name}"),
)


def what_words(row: Row, tell: Telling) -> str:
    """What a proposal is, in a few words."""
    language = tell.language
    if row.matter.is_withdrawal:
        target = row.matter.target
        return language.say("withdrawal of {name}", name="" if target is None else target.name)
    if row.one is None:
        return language.say("a record of another version")
    return f"{category_words(row.one.category, language)}, {about_words(row.one, language)}"


def total(number: int, language: Language) -> str:
    """How many there are."""
    return language.count("{number} proposal", "{number} proposals", number)


def waiting(number: int, language: Language) -> str:
    """How many wait for the reader."""
    return language.count(
        "{number} proposal of others waits for your decision",
        "{number} proposals of others wait for your decision",
        number,
    )


def categories(about: About, language: Language) -> list[tuple[str, str]]:
    """The categories with their words."""
    return [(one, category_words(one, language)) for one in CATEGORIES[about]]


def kinds(about: About, language: Language) -> list[tuple[str, str]]:
    """The kinds of scope with their words."""
    return [(one, language.say(SCOPE_WORDS[one])) for one in KINDS[about]]


def repeats(language: Language) -> list[tuple[str, str]]:
    """How it may recur."""
    return [(value, language.say(words)) for value, words in REPEAT_WORDS.items()]


def zones(catalogue: Catalogue, also: str) -> list[tuple[str, str]]:
    """The zones to choose from."""
    return [(one, one) for one in dict.fromkeys((catalogue.timezone, *ZONES, also)) if one]


def targets(about: About, catalogue: Catalogue, tell: Telling) -> list[tuple[str, str]]:
    """What may be picked, services first, as far as a page can hold it."""
    language, known = tell.language, targets_of(catalogue)
    names = {one.id: one.name.value_at(tell.now) for one in catalogue.services}
    order = sorted(KINDS[about], key=lambda kind: (kind not in {"service", "group"}, SCOPES.index(kind)))
    found = [
        (one, f"{language.say(SCOPE_WORDS[kind])} {NONE} {names[one]}" if kind == "service" else
         language.say(SCOPE_WORDS[kind]))
        for kind in order
        for one in sorted(known.get(kind, ()))
    ]  # fmt: skip
    return found[:MOST_TARGETS]
