"""A mail that tells somebody of what waits for him, as plain data, and its words. What is due is said in `waiting`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.mail.waiting import Cause, Due, Family
from detak_collector.report.terminal import printable
from detak_collector.report.wording import reason_words, scope_words
from detak_collector.translation.language import Language, mark

MOST_ITEMS = 20
MOST_LETTERS = 300

_DEPUTY = mark("The approvers were told in time. You stand in for them: please decide, or remind them.")
_SENTENCES = {
    (Family.PROPOSAL, Cause.WAITS): mark(
        "Somebody other than the proposer decides. Until then the figure stays as it is."
    ),
    (Family.PROPOSAL, Cause.DEPUTY): _DEPUTY,
    (Family.PROPOSAL, Cause.BEGINS): mark(
        "Until it is approved, downtime in it counts. It can also be approved later, marked as late."
    ),
    (Family.DISPUTE, Cause.WAITS): mark(
        "Somebody other than the one who disputes it answers. Until then it hinders the seal of its period."
    ),
    (Family.DISPUTE, Cause.DEPUTY): _DEPUTY,
    (Family.DISPUTE, Cause.OVERDUE): mark(
        "The time for the answer is over, and nobody has answered. It still hinders the seal of its period."
    ),
    (Family.PERIOD, Cause.WAITS): mark(
        "Late evidence of it is waited for no longer. Its page tells what still hinders a seal, and who is responsible."
    ),
    (Family.PERIOD, Cause.DEPUTY): mark(
        "Those who may ask for the seal were told in time. You stand in for them: please ask for it, or remind them."
    ),
}
_TITLES = {
    (Family.PROPOSAL, Cause.WAITS): (mark("{number} proposal waits for you"), "{number} proposals wait for you"),
    (Family.PROPOSAL, Cause.DEPUTY): (
        mark("{number} proposal waits, and nobody has decided yet"),
        "{number} proposals wait, and nobody has decided yet",
    ),
    (Family.PROPOSAL, Cause.BEGINS): (
        mark("{number} planned window begins soon and is not approved"),
        "{number} planned windows begin soon and are not approved",
    ),
    (Family.DISPUTE, Cause.WAITS): (
        mark("{number} dispute waits for your answer"),
        "{number} disputes wait for your answer",
    ),
    (Family.DISPUTE, Cause.DEPUTY): (
        mark("{number} dispute waits, and nobody has answered yet"),
        "{number} disputes wait, and nobody has answered yet",
    ),
    (Family.DISPUTE, Cause.OVERDUE): (
        mark("{number} dispute is past its deadline"),
        "{number} disputes are past their deadlines",
    ),
    (Family.PERIOD, Cause.WAITS): (mark("{number} period can be sealed"), "{number} periods can be sealed"),
    (Family.PERIOD, Cause.DEPUTY): (
        mark("{number} period can be sealed, and nobody has asked for it yet"),
        "{number} periods can be sealed, and nobody has asked for it yet",
    ),
}
_FOOTERS = {
    Family.PROPOSAL: mark("You get this because you may approve, or because you proposed it. Sent by {url}"),
    Family.DISPUTE: mark("You get this because you may answer, or because you dispute it. Sent by {url}"),
    Family.PERIOD: mark("You get this because you may ask for the seal. Sent by {url}"),
}
ABOUT = {
    "exclusion": mark("Exclusion {name}, proposed by {person}"),
    "declaration": mark("Declaration {name}, proposed by {person}"),
    "catalogue": mark("Version {name} of the catalogue, proposed by {person}"),
    "seal": mark("Seal of {name}, asked for by {person}"),
    "restatement": mark("Restatement of {name}, asked for by {person}"),
    "dispute": mark("Outage {name}, disputed by {person}"),
    "period": mark("{name} can be sealed"),
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
    """The mail of what is due to one person for one cause; the same cause and family in all of `dues`."""
    family = dues[0].thing.family
    title = language.count(*_TITLES[family, dues[0].cause], len(dues))
    left = len(dues) - MOST_ITEMS
    more = language.count("{number} more is on the page.", "{number} more are on the page.", left) if left > 0 else ""
    return Notice(
        language=language,
        subject=f"{title} \N{EN DASH} {organisation}",
        title=title,
        sentence=language.say(_SENTENCES[family, dues[0].cause]),
        items=tuple(_item(due, language, zone, url) for due in dues[:MOST_ITEMS]),
        more=more,
        footer=language.say(_FOOTERS[family], url=url),
    )


def _item(due: Due, language: Language, zone: tzinfo, url: str) -> Item:
    thing = due.thing
    title = language.say(ABOUT[thing.about], name=thing.name, person=printable(thing.author) or "\N{EN DASH}")
    return Item(title, tuple(_lines(due, language, zone)), f"{url}{thing.path}")


def _lines(due: Due, language: Language, zone: tzinfo) -> Iterator[str]:
    thing = due.thing
    if thing.action in ACTIONS:
        yield language.say(ACTIONS[thing.action], name=thing.target)
    if thing.begin is not None and thing.end is not None:
        begin, end = (language.moment(at, zone) for at in (thing.begin, thing.end))
        yield f"{begin} \N{EN DASH} {end}"
    if thing.scope_kind:
        where = scope_words(thing.scope_kind, printable(thing.scope), language)
        category = reason_words(thing.category, language)
        drill = language.say("drill")
        category += f" ({drill})" if thing.drill else ""
        yield f"{category}: {where}" if thing.category else where
    if thing.deadline is not None:
        was_due = due.cause is Cause.OVERDUE
        words = mark("The answer was due on {moment}.") if was_due else mark("The answer is due on {moment}.")
        yield language.say(words, moment=language.moment(thing.deadline, zone))
    yield from (printable(words)[:MOST_LETTERS] for words in (thing.document, thing.reason) if words)
