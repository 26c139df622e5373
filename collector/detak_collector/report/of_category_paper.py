"""The report of a category for people: its first page, then months, services, outages and the method."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property

from detak_collector.downtime.figure import Totals
from detak_collector.downtime.shares import Share
from detak_collector.report.charts import Bar, Beam, beams, columns
from detak_collector.report.drawing import Ink
from detak_collector.report.matter import Matter
from detak_collector.report.method import rules_in_force, sources
from detak_collector.report.of_category import OfCategory, ServiceShare, ranked
from detak_collector.report.of_category_first import category_page
from detak_collector.report.paper import (
    NONE,
    Column,
    Kind,
    Paper,
    Picture,
    Section,
    Table,
    Value,
)
from detak_collector.report.rows import MOST_DETAIL, exclusions_section
from detak_collector.report.terminal import printable
from detak_collector.report.wording import cause_words, detail_words, period_words, shown_words
from detak_collector.translation.language import Language

MOST_BEAMS = 12


def category_paper(of: OfCategory, language: Language) -> Paper:
    """The report in one language."""
    return _Writer(of, Matter(of.result, language, {})).paper()


@dataclass(frozen=True)
class _Writer:
    of: OfCategory
    matter: Matter

    @property
    def language(self) -> Language:
        return self.matter.language

    @cached_property
    def called(self) -> str:
        return cause_words(self.of.category, self.language)

    @cached_property
    def title(self) -> str:
        period = period_words(self.of.result.period, self.language)
        return self.language.say("Downtime by cause: {cause}, {period}", cause=self.called, period=period)

    def paper(self) -> Paper:
        matter, language = self.matter, self.language
        sections = self.months(), self.services(), self.outages(), exclusions_section(matter), self.method()
        return Paper(
            language=language,
            zone=matter.zone,
            title=f"{self.title} {NONE} {matter.organisation}",
            first=category_page(self.of, matter, self.title),
            sections=sections,
            footer=language.say(
                "{organisation} · {title} · as of {moment}",
                organisation=matter.organisation,
                title=self.title,
                moment=language.moment(self.of.result.as_of, matter.zone),
            ),
            page=language.say("page {page} of {pages}"),
        )

    def months(self) -> Section:
        of, language = self.of, self.language
        rates = [(month, month.totals.ratio(share.counted_ms)) for month, share in of.months]
        bars = [
            Bar(
                language.short_month(_day(month.name)),
                rate,
                NONE if rate is None else language.decimals(rate, 4),
                None,
                over=False,
            )
            for month, rate in rates
        ]
        table = Table(
            columns=(
                Column(language.say("month"), width=14),
                *self._share_columns(),
                Column(language.say("all causes"), Kind.PERCENT, 10),
            ),
            rows=[
                (language.month(_day(month.name)), *_shown(share, month.totals), month.totals.percent)
                for month, share in of.months
            ],
            empty=language.say("No time of this period has passed."),
        )  # fmt: skip
        told = "; ".join(f"{bar.label} {bar.text}" for bar in bars)
        caption = language.say("Downtime by this cause in each month, in percent of the service time")
        pictures = (Picture(columns(bars, "", told), caption),) if len(bars) > 1 and of.share.counted_ms else ()
        return Section("months", language.say("Months"), pictures=pictures, tables=(table,))

    def services(self) -> Section:
        language = self.language
        rows = list(ranked(self.of))
        table = Table(
            columns=(
                Column(language.say("service"), width=26),
                *self._share_columns(),
            ),
            rows=[self._service(one) for one in rows],
            empty=language.say("There is no service."),
        )
        beams_of = [one for one in rows if one.share.counted_ms][:MOST_BEAMS]
        drawn = [
            Beam(
                self.matter.names[one.service.service.id], 0, one.share.counted_ms,
                language.length(one.share.counted_ms), Ink.MISSED,
            )
            for one in beams_of
        ]  # fmt: skip
        told = "; ".join(f"{one.label} {one.text}" for one in drawn)
        pictures = (Picture(beams(drawn, told), language.say("Downtime by this cause, by service")),) if drawn else ()
        notes = [language.say("At least: proven downtime. At most: downtime and all that could not be ruled out.")]
        if any(one.service.in_figure is None for one in rows):
            notes.append(language.say("* does not enter the figure"))
        return Section("services", language.say("Services"), pictures=pictures, tables=(table,), notes=tuple(notes))

    def _share_columns(self) -> tuple[Column, ...]:
        """Of what `_shown` shows."""
        language = self.language
        return (
            Column(language.say("rate"), Kind.PERCENT, 10),
            Column(language.say("downtime"), Kind.LENGTH, 13),
            Column(language.say("at least"), Kind.LENGTH, 13),
            Column(language.say("at most"), Kind.LENGTH, 13),
            Column(language.say("share"), Kind.SHARE, 12),
        )

    def _service(self, one: ServiceShare) -> tuple[Value, ...]:
        totals, share = one.service.totals, one.share
        return (
            self._starred(one), *_shown(share, totals),
        )  # fmt: skip

    def _starred(self, one: ServiceShare) -> str:
        name = self.matter.names[one.service.service.id]
        return name if one.service.in_figure is not None else f"{name} *"

    def outages(self) -> Section:
        language, result = self.language, self.of.result
        table = Table(
            columns=(
                Column(language.say("no."), width=6),
                Column(language.say("from"), Kind.MOMENT, 15),
                Column(language.say("to"), Kind.MOMENT, 15),
                Column(language.say("service"), width=19),
                Column(language.say("by this cause"), Kind.LENGTH, 11),
                Column(language.say("all of it"), Kind.LENGTH, 11),
                Column(language.say("how it was told"), width=34),
            ),
            rows=[
                (
                    None if (number := result.numbers.get(one.outage.key)) is None else str(number),
                    one.outage.begin,
                    language.say("still going on") if one.outage.running else one.outage.end,
                    self._starred(service),
                    one.counted_ms,
                    one.outage.counted_ms,
                    self._how(one.outage.shown_as, one.outage.detail),
                )
                for service, one in self.of.outages
            ],
            empty=language.say("There was no outage by this cause."),
        )
        return Section("outages", language.say("Outages"), tables=(table,))

    def _how(self, shown_as: str, detail: str) -> str:
        words, said = shown_words(shown_as, self.language), printable(detail_words(detail, self.language))
        return f"{words}. {said[:MOST_DETAIL]}" if said else words

    def method(self) -> Section:
        language, of = self.language, self.of
        figure = of.result.figure
        sentences = (
            language.say(
                "Each counted second belongs to the lowest layer that was down at that time, so the causes add up to "
                "the figure. The rate of a cause is its counted time over the service time of all services that count; "
                "a cause has no target of its own."
            ),
            language.say(
                "At least: time in which this layer was down for certain and no lower one can have been. At most: time "
                "in which it may have been down and no lower one was for certain; what was not watched of it is in "
                "there."
            ),
        )
        rules = Table(
            (Column(language.say("rule"), width=24), Column(language.say("in force"), width=54)),
            [*rules_in_force(self.matter), *sources(self.matter)],
        )
        share = of.share
        exact = Table(
            (Column(language.say("exact values"), width=54), Column("ms", Kind.EXACT, 24)),
            [
                ("counted_ms", share.counted_ms), ("certain_ms", share.certain_ms), ("possible_ms", share.possible_ms),
                ("gross_ms", share.gross_ms), ("figure.counted_ms", figure.counted_ms),
                ("figure.service_time_ms", figure.service_time_ms), ("figure.unobserved_ms", figure.unobserved_ms),
            ],
        )  # fmt: skip
        return Section("method", language.say("Method"), sentences, tables=(rules, exact))


def _shown(share: Share, totals: Totals) -> tuple[Value, ...]:
    """What a cause had of a month or a service: its rate, lengths and bounds, and its part of all downtime."""
    rate, part = totals.ratio(share.counted_ms), _part(share.counted_ms, totals.counted_ms)
    return rate, share.counted_ms, share.certain_ms, share.possible_ms, part


def _part(part_ms: int, whole_ms: int) -> Fraction | None:
    return Fraction(part_ms, whole_ms) if whole_ms else None


def _day(name: str) -> date:
    year, month = name.split("-")
    return date(int(year), int(month), 1)
