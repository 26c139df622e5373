"""A mail that tells somebody of proposals that wait, as plain data, and its words. What is due is said in `waiting`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.mail.waiting import Cause, Due
from detak_collector.report.terminal import printable
from detak_collector.report.wording import reason_words, scope_words
from detak_collector.translation.language import Language, mark

MOST_ITEMS = 20
MOST_LETTERS = 300

_SENTENCES = {
    Cause.WAITS: mark("Somebody other than the proposer decides. Until then the figure stays as it is."),
    Cause.DEPUTY: mark("The approvers were told in time. You stand in for them: please decide, or remind them."),
    Cause.BEGINS: mark("Until it is approved, downtime in it counts. It can also be approved later, marked as late."),
}
ABOUT = {
    "exclusion": mark("Exclusion {name}, proposed by {person}"),
    "declaration": mark("Declaration {name}, proposed by {person}"),
    "catalogue": mark("Version {name} of the catalogue, proposed by {person}"),
}
ACTIONS = {"replace": mark("It replaces {name}."), "withdraw": mark("It ends {name}.")}


@dataclass(frozen=True, slots=True)
class Item:
    """One proposal."""

    title: str
    lines: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Notice:
    """All that the mail says."""

    language: Language
    subject: str
    title: str
    sentence: str
    items: tuple[Item, ...]
    more: str
    footer: str


def notice(dues: Sequence[Due], language: Language, zone: tzinfo, url: str, organisation: str) -> Notice:
    """The mail of what is due to one person for one cause; the same cause in all of `dues`."""
    title = _title(dues[0].cause, len(dues), language)
    left = len(dues) - MOST_ITEMS
    more = language.count("{number} more is on the page.", "{number} more are on the page.", left) if left > 0 else ""
    return Notice(
        language=language,
        subject=f"{title} \N{EN DASH} {organisation}",
        title=title,
        sentence=language.say(_SENTENCES[dues[0].cause]),
        items=tuple(_item(due, language, zone, url) for due in dues[:MOST_ITEMS]),
        more=more,
        footer=language.say("You get this because you may approve, or because you proposed it. Sent by {url}", url=url),
    )


def _title(cause: Cause, number: int, language: Language) -> str:
    match cause:
        case Cause.WAITS:
            return language.count("{number} proposal waits for you", "{number} proposals wait for you", number)
        case Cause.DEPUTY:
            return language.count(
                "{number} proposal waits, and nobody has decided yet",
                "{number} proposals wait, and nobody has decided yet",
                number,
            )
        case Cause.BEGINS:
            return language.count(
                "{number} planned window begins soon and is not approved",
                "{number} planned windows begin soon and are not approved",
                number,
            )


def _item(due: Due, language: Language, zone: tzinfo, url: str) -> Item:
    thing = due.thing
    title = language.say(ABOUT[thing.about], name=thing.name, person=printable(thing.author) or "\N{EN DASH}")
    lines = []
    if thing.action in ACTIONS:
        lines.append(language.say(ACTIONS[thing.action], name=thing.target))
    if thing.begin is not None and thing.end is not None:
        begin, end = (language.moment(at, zone) for at in (thing.begin, thing.end))
        lines.append(f"{begin} \N{EN DASH} {end}")
    if thing.category:
        what = reason_words(thing.category, language)
        lines.append(f"{what}: {scope_words(thing.scope_kind, printable(thing.scope), language)}")
    lines += [printable(words)[:MOST_LETTERS] for words in (thing.document, thing.reason) if words]
    return Item(title, tuple(lines), f"{url}{thing.path}")
