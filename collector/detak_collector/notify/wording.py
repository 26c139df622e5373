"""What people read of a message: a title and a text in their language. Pure; no markup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from detak_collector.notify.items import (
    LOW_COVERAGE,
    OUTAGE,
    STOPPED_AGENT,
    UNSEEN_NODE,
    UNSEEN_SERVICE,
    UNWATCHED,
    Event,
    Item,
    Message,
    Sighting,
    Why,
)
from detak_collector.report.terminal import printable
from detak_collector.report.wording import cause_words, detail_words, shown_words
from detak_collector.translation.language import Language, mark

MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the language, the organisation's zone and name, where the pages are.

    `escalated`: it is told because nobody acknowledged the outage.
    """

    language: Language
    zone: tzinfo
    organisation: str = ""
    url: str = ""
    escalated: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A message in words."""

    title: str
    body: str


_OF_ONE: dict[tuple[str, Event], str] = {
    (OUTAGE, Event.OPENED): mark("{name} is down"),
    (OUTAGE, Event.CONFIRMED): mark("{name} is down: this is proven now"),
    (OUTAGE, Event.CAUSE_CHANGED): mark("{name} is down: another cause is known now"),
    (OUTAGE, Event.RECLASSIFIED): mark("{name}: {why}"),
    (OUTAGE, Event.CLOSED): mark("{name} is up again"),
    (UNSEEN_NODE, Event.OPENED): mark("Node {name} has not been heard for over 5 minutes"),
    (UNSEEN_NODE, Event.CLOSED): mark("Node {name} is heard again"),
    (STOPPED_AGENT, Event.OPENED): mark("The agent on {name} has been stopped for over an hour"),
    (STOPPED_AGENT, Event.CLOSED): mark("The agent on {name} runs again"),
    (UNSEEN_SERVICE, Event.OPENED): mark("{name} has not been observed for over 5 minutes"),
    (UNSEEN_SERVICE, Event.CLOSED): mark("{name} is observed again"),
    (LOW_COVERAGE, Event.OPENED): mark("{name} was hardly observed yesterday"),
    (LOW_COVERAGE, Event.CLOSED): mark("{name} was observed again for a whole day"),
    (UNWATCHED, Event.CLOSED): mark("Detak itself was away: {name}"),
}
_OF_MANY: dict[tuple[str, Event], str] = {
    (OUTAGE, Event.OPENED): mark("{number} services are down"),
    (OUTAGE, Event.CONFIRMED): mark("{number} services are down: this is proven now"),
    (OUTAGE, Event.CAUSE_CHANGED): mark("{number} services are down: another cause is known now"),
    (OUTAGE, Event.RECLASSIFIED): mark("{number} outages: {why}"),
    (OUTAGE, Event.CLOSED): mark("{number} services are up again"),
    (UNSEEN_NODE, Event.OPENED): mark("{number} nodes have not been heard for over 5 minutes"),
    (UNSEEN_NODE, Event.CLOSED): mark("{number} nodes are heard again"),
    (STOPPED_AGENT, Event.OPENED): mark("{number} agents have been stopped for over an hour"),
    (STOPPED_AGENT, Event.CLOSED): mark("{number} agents run again"),
    (UNSEEN_SERVICE, Event.OPENED): mark("{number} services have not been observed for over 5 minutes"),
    (UNSEEN_SERVICE, Event.CLOSED): mark("{number} services are observed again"),
    (LOW_COVERAGE, Event.OPENED): mark("{number} services were hardly observed yesterday"),
    (LOW_COVERAGE, Event.CLOSED): mark("{number} services were observed again for a whole day"),
    (UNWATCHED, Event.CLOSED): mark("Detak itself was away {number} times"),
}
_PRESUMED = (mark("{name} is presumed down"), mark("{number} services are presumed down"))
_WHY = {
    Why.WITHDRAWN: mark("it was not down after all"),
    Why.MERGED: mark("it is part of outage {other}"),
    Why.NOT_COUNTED: mark("it does not count in the figure any more"),
    Why.COUNTED: mark("it counts in the figure now"),
    Why.GOES_ON: mark("it had not ended, and goes on"),
    Why.WAS_DOWN: mark("it was down after all"),
}


def text_of(message: Message, reader: Reader) -> Text:
    """The message for this reader."""
    say = reader.language.say
    told = [_line(one, reader) for one in message.items[:MOST_LINES]]
    left = len(message.items) - len(told)
    if left:
        told.append(say("and {number} more", number=reader.language.whole(left)))
    ends = [one for one in (reader.organisation, reader.url) if one]
    title = _title(message, reader)
    if reader.escalated and message.event is Event.OPENED and message.items[0].kind == OUTAGE:
        title = say("Not acknowledged: {title}", title=title)
    return Text(title, "\n".join([*told, *(["", " · ".join(ends)] if ends else [])]))


def trial_text(reader: Reader, target: str) -> Text:
    """A message that only tries the way to a target."""
    title = reader.language.say("Detak: a test message")
    told = reader.language.say("This message only shows that {target} can be reached.", target=target)
    return Text(title, "\n".join(one for one in (told, reader.organisation, reader.url) if one))


def sighting_title(one: Sighting, language: Language) -> str:
    """What a matter that runs, or ran, is called by."""
    return language.say(_OF_ONE[one.kind, Event.OPENED if one.end is None else Event.CLOSED], name=one.name)


def _title(message: Message, reader: Reader) -> str:
    first, event = message.items[0], message.event
    is_presumed = first.kind == OUTAGE and event is Event.OPENED and not any(one.proven for one in message.items)
    of_one, of_many = _PRESUMED if is_presumed else (_OF_ONE[first.kind, event], _OF_MANY[first.kind, event])
    named = {"name": first.name, "number": reader.language.whole(len(message.items)), "why": _why(first, reader)}
    title = reader.language.say(of_one if len(message.items) == 1 else of_many, **named)
    if first.kind != OUTAGE or is_presumed or event is Event.RECLASSIFIED or not first.cause:
        return title
    return f"{title} ({cause_words(first.cause, reader.language)})"


def _why(one: Item, reader: Reader) -> str:
    return "" if one.why is None else reader.language.say(_WHY[one.why], other=str(one.other))


def _line(one: Item, reader: Reader) -> str:
    tell: dict[str, Callable[[Item, Reader], str]] = {
        OUTAGE: _outage_line,
        LOW_COVERAGE: _coverage_line,
        UNWATCHED: _unwatched_line,
    }
    return f"• {tell.get(one.kind, _observation_line)(one, reader)}"


def _outage_line(one: Item, reader: Reader) -> str:
    say = reader.language.say
    name = one.name if one.number is None else say("{name} (outage {number})", name=one.name, number=str(one.number))
    parts = [f"{name}: {_times(one, reader)}"]
    if one.why is not None:
        parts.append(_why(one, reader))
    elif one.cause:
        shown = f", {shown_words(one.shown_as, reader.language)}" if one.shown_as else ""
        parts.append(f"{cause_words(one.cause, reader.language)}{shown}")
    if one.detail and one.event is not Event.CLOSED:
        parts.append(printable(detail_words(one.detail, reader.language)))
    return "; ".join(parts)


def _times(one: Item, reader: Reader) -> str:
    say, stamp = reader.language.say, reader.language.stamp
    if one.end is None:
        return say("since {begin}", begin=stamp(one.begin, reader.zone))
    length = reader.language.spoken(one.end - one.begin)
    begin, end = stamp(one.begin, reader.zone), stamp(one.end, reader.zone)
    return say("{begin} to {end}, {length}", begin=begin, end=end, length=length)


def _observation_line(one: Item, reader: Reader) -> str:
    return f"{one.name}: {_times(one, reader)}"


def _coverage_line(one: Item, reader: Reader) -> str:
    percent, _, day = one.detail.partition(" ")
    if not day:
        return one.name
    return reader.language.say("{name}: {percent} % of {day} was observed", name=one.name, percent=percent, day=day)


def _unwatched_line(one: Item, reader: Reader) -> str:
    told = reader.language.say("what the agents saw meanwhile is being delivered, and may change what was told")
    return f"{_times(one, reader)}; {told}"
