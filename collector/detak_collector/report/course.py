"""The sections with charts: the months, the years, the way from all downtime to what counts, and the causes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from detak_collector.downtime.periods import is_year, local_year
from detak_collector.report.charts import Bar, Beam, beams, columns
from detak_collector.report.drawing import Ink
from detak_collector.report.matter import Matter
from detak_collector.report.paper import NONE, Column, Kind, Picture, Section, Table, Value
from detak_collector.report.wording import cause_words, reason_words, sentence, verdict_words
from detak_collector.translation.language import Language


def months_section(matter: Matter) -> Section:
    """Each month's own figure and the year's up to its end."""
    language = matter.language
    bars = [
        Bar(
            language.short_month(_day(month.name)),
            month.totals.percent,
            _rounded(month.totals.percent, language),
            month.target_percent,
            month.verdict == "missed",
        )
        for month in matter.strip
    ]
    table = Table(
        columns=(
            Column(language.say("month"), width=13),
            Column(language.say("rate"), Kind.PERCENT, 9),
            Column(language.say("downtime"), Kind.LENGTH, 15),
            Column(language.say("target"), Kind.NUMBER, 9),
            Column(language.say("verdict"), width=11),
            Column(language.say("watched"), Kind.SHARE, 9),
            Column(language.say("year so far"), Kind.PERCENT, 9),
        ),
        rows=[
            (
                language.month(_day(month.name)),
                month.totals.percent,
                month.totals.counted_ms,
                f"{language.short(month.target_percent)} %",
                verdict_words(month.verdict, language),
                month.totals.coverage,
                None if month.year_to_date is None else month.year_to_date.percent,
            )
            for month in matter.strip
        ],
        empty=language.say("No time of this period has passed."),
    )
    caption = language.say("Downtime rate of each month, in percent of its service time")
    pictures = (Picture(columns(bars, language.say("target"), _told(bars)), caption),) if len(bars) > 1 else ()
    return Section("months", language.say("Months"), pictures=pictures, tables=(table,))


def _day(name: str) -> date:
    year, month = name.split("-")
    return date(int(year), int(month), 1)


def _rounded(percent: Fraction | None, language: Language) -> str:
    return NONE if percent is None else language.decimals(percent, 4)


def _told(bars: list[Bar]) -> str:
    return "; ".join(f"{bar.label} {bar.text}" for bar in bars)


def trend_section(matter: Matter) -> Section | None:
    """The figures published for earlier years, and this one's; none for a period that is no year."""
    result, language = matter.result, matter.language
    if not is_year(result.period, matter.zone):
        return None
    title = language.say("Trend against the target")
    if not result.published:
        return Section("trend", title, (language.say("No figures of earlier years are on record."),))
    bars = [
        Bar(str(one.year), one.percent, language.short(one.percent), one.target_percent, one.verdict == "missed", True)  # noqa: FBT003 - pale
        for one in result.published
    ]
    figure, target = result.figure, result.target_percent
    year, here = str(local_year(result.period.begin, matter.zone)), figure.standing(target)
    bars.append(Bar(year, figure.percent, _rounded(figure.percent, language), target, here == "missed"))
    rows: list[tuple[Value, ...]] = [
        (
            str(one.year),
            f"{language.short(one.percent)} %",
            None if one.target_percent is None else f"{language.short(one.target_percent)} %",
            verdict_words(one.verdict, language),
            f"{one.document}. {one.note}" if one.note else one.document,
        )
        for one in result.published
    ]
    own = language.say("this report, so far") if result.running else language.say("this report")
    rows.append(
        (
            year,
            None if figure.percent is None else f"{_rounded(figure.percent, language)} %",
            f"{language.short(target)} %",
            verdict_words(here, language),
            own,
        )
    )
    table = Table(
        columns=(
            Column(language.say("year"), width=7),
            Column(language.say("rate"), Kind.NUMBER, 10),
            Column(language.say("target"), Kind.NUMBER, 10),
            Column(language.say("verdict"), width=11),
            Column(language.say("source"), width=35),
        ),
        rows=rows,
    )
    caption = language.say("Downtime rate of each year, in percent; earlier years as published")
    return Section(
        "trend",
        title,
        pictures=(Picture(columns(bars, language.say("target"), _told(bars)), caption),),
        tables=(table,),
    )


def waterfall_section(matter: Matter) -> Section:
    """From all downtime of the services that count to what of it is counted; the steps add up exactly."""
    figure, language = matter.result.figure, matter.language
    steps = [(reason, length) for reason, length in (figure.excluded_ms or {}).items() if length]
    whole, net = language.say("all downtime"), language.say("counted downtime")
    rows = [Beam(whole, 0, figure.gross_ms, language.length(figure.gross_ms), Ink.GROSS, bold=True)]
    left = figure.gross_ms
    for reason, length in steps:
        left -= length
        rows.append(Beam(reason_words(reason, language), left, length, f"-{language.length(length)}", Ink.LEFT))
    rows.append(Beam(net, 0, figure.counted_ms, language.length(figure.counted_ms), Ink.MISSED, bold=True))
    table = Table(
        columns=(Column("", width=40), Column(language.say("length"), Kind.LENGTH, 20), Column("ms", Kind.EXACT, 18)),
        rows=[
            (whole, figure.gross_ms, figure.gross_ms),
            *((reason_words(reason, language), -length, -length) for reason, length in steps),
            (net, figure.counted_ms, figure.counted_ms),
        ],
    )
    told = "; ".join(f"{row.label} {row.text}" for row in rows)
    caption = language.say("From all downtime to what is counted")
    sentences = () if steps else (language.say("Nothing left the count: all downtime in service hours is counted."),)
    pictures = (Picture(beams(rows, told), caption),) if figure.gross_ms else ()
    return Section("waterfall", language.say("From all downtime to what counts"), sentences, pictures, (table,))


def causes_section(matter: Matter) -> Section:
    """Which layer failed, greatest first."""
    language = matter.language
    causes: dict[str, int] = {}
    for service in matter.counted:
        for cause, length in service.causes.items():
            causes[cause] = causes.get(cause, 0) + length
    total = sum(causes.values())
    ranked = sorted(causes.items(), key=lambda one: -one[1])
    rows = [
        Beam(sentence(cause_words(cause, language))[:-1], 0, length, language.length(length), Ink.MISSED)
        for cause, length in ranked
    ]
    table = Table(
        columns=(
            Column(language.say("cause"), width=40),
            Column(language.say("downtime"), Kind.LENGTH, 20),
            Column(language.say("share"), Kind.SHARE, 12),
        ),
        rows=[(cause_words(cause, language), length, Fraction(length, total)) for cause, length in ranked],
        empty=language.say("No downtime was counted, so there is no cause."),
    )
    told = "; ".join(f"{row.label} {row.text}" for row in rows)
    pictures = (Picture(beams(rows, told), language.say("Counted downtime by what failed")),) if rows else ()
    return Section(
        "causes", language.say("Causes"), pictures=pictures, tables=(table,), notes=tuple(_notes(matter, total))
    )


def _notes(matter: Matter, total: int) -> Iterator[str]:
    language = matter.language
    if total:
        yield language.say("Each counted second belongs to the lowest layer that was down at that time.")
    if total != matter.result.figure.counted_ms:
        yield language.say(
            "The criticality of a service changed within the period: here its whole downtime is told, in the figure "
            "only that of the time in which it counted."
        )
