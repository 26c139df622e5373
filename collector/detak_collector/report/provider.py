"""The report of one third party: what is put down to him, his tickets, how he takes it, and what it took out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import msgspec

from detak_collector.decisions.claims import STANCES
from detak_collector.decisions.providers import Attributed
from detak_collector.decisions.register import State
from detak_collector.downtime.derive import Result
from detak_collector.report.delimited import plain_row
from detak_collector.report.numbers import iso_utc
from detak_collector.report.paper import (
    NONE,
    Column,
    FirstPage,
    Kind,
    Paper,
    Point,
    Section,
    Signer,
    Table,
    Value,
    shown,
)
from detak_collector.report.wording import period_words, scope_words
from detak_collector.translation.language import Language, mark

STANCE_WORDS = {
    "claimed": mark("claimed of him"),
    "disputed": mark("disputed by him"),
    "accepted": mark("accepted by him"),
}
STATE_WORDS = {State.IN_FORCE: mark("in force"), State.PENDING: mark("waiting for approval")}
MOST_POINTS = 3
FIELDS = (
    "provider", "exclusion", "state", "category", "scope_kind", "scope", "from", "to", "length_ms", "took_out_ms",
    "stance", "stance_reason", "circuit", "ticket", "told_from", "told_to", "document", "reason", "outages", "ledger",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfProvider:
    """What the report is made of."""

    name: str
    result: Result
    rows: Sequence[Attributed]

    @property
    def took_out_ms(self) -> int:
        """What all that is in force took out of the figure, one by one; each exclusion once."""
        return sum({one.name: one.took_out_ms or 0 for one in self.rows}.values())

    def lengths(self) -> dict[str, tuple[int, int]]:
        """By how he takes it: how many, and how long."""
        by_stance = {stance: [one for one in self.rows if one.stance == stance] for stance in STANCES}
        return {stance: (len(chosen), sum(one.length_ms for one in chosen)) for stance, chosen in by_stance.items()}


def provider_json(of: OfProvider) -> bytes:
    """Everything, for programs."""
    result = of.result
    told = {
        "provider": of.name,
        "organisation": result.case.catalogue.organisation.value_at(result.last),
        "period": {
            "name": result.period.name,
            "from": iso_utc(result.period.begin),
            "to": iso_utc(result.period.end),
        },
        "as_of": iso_utc(result.as_of),
        "ledger": result.ledger,
        "took_out_ms": of.took_out_ms,
        "stances": {
            stance: {"number": number, "length_ms": length} for stance, (number, length) in of.lengths().items()
        },
        "exclusions": [{**_plain(one), "outages": list(_outages(one, result))} for one in of.rows],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def provider_csv(of: OfProvider) -> bytes:
    """A row for each window of an exclusion; outages are numbers with a blank between them."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS)
    writer.writeheader()
    for one in of.rows:
        numbers = " ".join(str(told["number"] or told["id"]) for told in _outages(one, of.result))
        row = {**_plain(one), "provider": of.name, "outages": numbers, "ledger": of.result.ledger}
        writer.writerow(plain_row(row))
    return out.getvalue().encode()


def _plain(one: Attributed) -> dict[str, Any]:
    told, window = one.told, one.window
    return {
        "exclusion": one.name,
        "state": one.state.value,
        "category": window.category,
        "scope_kind": window.scope_kind,
        "scope": window.scope,
        "from": iso_utc(one.begin),
        "to": iso_utc(one.end),
        "length_ms": one.length_ms,
        "took_out_ms": one.took_out_ms,
        "stance": one.stance,
        "stance_reason": one.why,
        "circuit": told.circuit,
        "ticket": told.ticket,
        "told_from": None if told.begin is None else iso_utc(told.begin),
        "told_to": None if told.end is None else iso_utc(told.end),
        "document": window.document,
        "reason": window.reason,
    }


def _outages(one: Attributed, result: Result) -> Iterator[Mapping[str, Any]]:
    for outage, shared in one.outages:
        yield {
            "number": result.numbers.get((outage.service, outage.begin)),
            "id": f"{outage.service}/{iso_utc(outage.begin)}",
            "service": outage.service,
            "from": iso_utc(outage.begin),
            "to": iso_utc(outage.end),
            "shared_ms": shared,
        }


def provider_paper(of: OfProvider, language: Language) -> Paper:
    """The same for people, in one language."""
    result = of.result
    zone = result.case.zone
    organisation = result.case.catalogue.organisation.value_at(result.last)
    title = language.say("What {provider} answers for", provider=of.name)
    return Paper(
        language=language,
        zone=zone,
        title=f"{title} {NONE} {organisation}",
        first=_first(of, language, organisation, title),
        sections=(_section(of, language), _outages_section(of, language)),
        footer=language.say(
            "{organisation} · {title} · as of {moment}",
            organisation=organisation,
            title=title,
            moment=language.moment(result.as_of, zone),
        ),
        page=language.say("page {page} of {pages}"),
    )


def _first(of: OfProvider, language: Language, organisation: str, title: str) -> FirstPage:
    longest = sorted(of.rows, key=lambda one: -one.length_ms)[:MOST_POINTS]
    disputed = [one for one in of.rows if one.stance == "disputed"]
    stances = [
        f"{language.say(STANCE_WORDS[stance])}: {language.whole(number)}, {language.length(length)}"
        for stance, (number, length) in of.lengths().items()
    ]
    return FirstPage(
        organisation=organisation,
        title=title,
        period=period_words(of.result.period, language),
        standing="",
        figure=language.length(of.took_out_ms),
        figure_label=language.say("taken out of the figure"),
        counted_ms=of.took_out_ms,
        target=language.say("taken out of the figure"),
        verdict=language.count("{number} exclusion", "{number} exclusions", len(of.rows)),
        tone="none",
        summary="; ".join(stances),
        gauge=None,
        points_title=language.say("The longest"),
        points=tuple(Point(_titled(one, language), _pointed(one, of, language)) for one in longest),
        points_empty=language.say("Nothing is put down to {provider} in this period.", provider=of.name),
        action_title=language.say("What is disputed"),
        action=tuple(f"{one.name}: {one.why}" for one in disputed) or (language.say("Nothing."),),
        certainty_title=language.say("How this was measured"),
        certainty=language.say(
            "Beginnings and ends are those of the organisation's own monitoring. What an exclusion took out is how "
            "much more would be counted without it alone; while it waits for approval it takes nothing out."
        ),
        signers=(Signer(language.say("For the organisation")), Signer(of.name)),
        signing=(language.say("Place, date"), language.say("Name, employee number")),
    )


def _titled(one: Attributed, language: Language) -> str:
    return f"{one.name} {NONE} {language.length(one.length_ms)}, {language.say(STANCE_WORDS[one.stance])}"


def _pointed(one: Attributed, of: OfProvider, language: Language) -> str:
    zone = of.result.case.zone
    times = f"{language.moment(one.begin, zone)} {NONE} {language.moment(one.end, zone)}"
    return f"{times}. {one.window.reason}"


def _section(of: OfProvider, language: Language) -> Section:
    say, zone = language.say, of.result.case.zone
    columns = (
        Column(say("No."), width=5),
        Column(say("Ticket, circuit"), width=13),
        Column(say("About"), width=13),
        Column(say("From"), Kind.MOMENT, 13),
        Column(say("To"), Kind.MOMENT, 13),
        Column(say("Length"), Kind.LENGTH, 9),
        Column(say("By his own word"), width=16),
        Column(say("How he takes it"), width=12),
        Column(say("Taken out"), Kind.LENGTH, 11),
    )
    rows = [_row(one, language, shown_at=lambda utc: shown(utc, Kind.MOMENT, language, zone)) for one in of.rows]
    empty = say("Nothing is put down to {provider} in this period.", provider=of.name)
    return Section("exclusions", say("What is put down to him"), tables=(Table(columns, rows, empty=empty),))


def _row(one: Attributed, language: Language, shown_at: Callable[[int], str]) -> tuple[Value, ...]:
    told = one.told
    own = [NONE if each is None else shown_at(each) for each in (told.begin, told.end)]
    state = "" if one.state is State.IN_FORCE else f" ({language.say(STATE_WORDS[one.state])})"
    return (
        one.name,
        ", ".join(part for part in (told.ticket, told.circuit) if part) or None,
        scope_words(one.window.scope_kind, one.window.scope, language),
        one.begin,
        one.end,
        one.length_ms,
        None if told.begin is None and told.end is None else f" {NONE} ".join(own),
        f"{language.say(STANCE_WORDS[one.stance])}{state}",
        one.took_out_ms,
    )


def _outages_section(of: OfProvider, language: Language) -> Section:
    say, result = language.say, of.result
    columns = (
        Column(say("Exclusion"), width=8),
        Column(say("Outage"), width=8),
        Column(say("Service"), width=20),
        Column(say("From"), Kind.MOMENT, 13),
        Column(say("To"), Kind.MOMENT, 13),
        Column(say("In this time"), Kind.LENGTH, 10),
    )
    names = {one.service.id: one.service.name.value_at(result.last) for one in result.services}
    rows = [
        (
            one.name,
            str(result.numbers.get((outage.service, outage.begin)) or NONE),
            names[outage.service],
            outage.begin,
            outage.end,
            shared,
        )
        for one in of.rows
        for outage, shared in one.outages
    ]
    empty = say("No outage shares time with what is put down to him.")
    return Section("outages", say("Outages in that time"), tables=(Table(columns, rows, empty=empty),))
