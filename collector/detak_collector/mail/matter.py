"""Writes a summary mail from a result: the one that the report of the same period is made of, in its words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from detak_collector.downtime.derive import ServiceResult
from detak_collector.downtime.figure import NOT_OBSERVED
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.summary import Month
from detak_collector.mail.charts import Bar, gauge, months
from detak_collector.mail.content import Around, Event, Picture, Share, Summary, Table
from detak_collector.mail.periods import kind_of
from detak_collector.report.first_page import first_page
from detak_collector.report.matter import Matter
from detak_collector.report.numbers import moment_of
from detak_collector.report.paper import NONE, Point
from detak_collector.report.terminal import printable
from detak_collector.report.wording import cause_words, detail_words, period_words
from detak_collector.translation.language import Language

MOST_ROWS = 10
MOST_SAID = 160
SHORT = frozenset({"daily", "weekly"})


def summary(matter: Matter, around: Around) -> Summary:
    """The mail about the result of `matter`, whose period is of a kind that summaries have."""
    language, first, kind = matter.language, first_page(matter), kind_of(matter.result.period)
    title = language.say("Downtime, {period}", period=title_words(matter))
    gauge_, strip = _gauge(matter), _months(matter)
    return Summary(
        language=language,
        subject=f"{_short_verdict(first.figure, first.verdict)} {NONE} {title} {NONE} {first.organisation}",
        organisation=printable(first.organisation),
        title=title,
        dates=_dates(matter, kind, first.period),
        standing=first.standing,
        figure=first.figure,
        figure_label=first.figure_label,
        verdict=first.verdict,
        tone=first.tone,
        target=first.target,
        so_far=_so_far(matter),
        sentence=first.summary,
        certainty_title=first.certainty_title,
        certainty=first.certainty,
        gauge=gauge_,
        months_title=language.say("The months of the year"),
        months=strip,
        points_title=first.points_title,
        points=() if kind in SHORT else tuple(Point(printable(one.title), one.text) for one in first.points),
        causes_title=language.say("Causes"),
        causes=tuple(_causes(matter)),
        services=_services(matter),
        outages_title=language.say("Outages"),
        outages=tuple(_event(one, matter) for one in _outages(matter)[:MOST_ROWS]) if kind in SHORT else (),
        outages_more=_more(len(_outages(matter)), language) if kind in SHORT else "",
        waiting=_waiting(around.waiting, language),
        link=around.link,
        link_words=language.say("More on the pages"),
        notes=tuple(_notes(around, language)),
        footer=tuple(_footer(matter, around)),
        head=matter.result.ledger or "",
        head_words=language.say("Ledger head; keep this mail, it proves later that nothing was changed:"),
        pictures=tuple(one for one in (gauge_, strip) if one is not None),
    )


def title_words(matter: Matter) -> str:
    """What people call the period, a week by its number."""
    name = matter.result.period.name
    if kind_of(matter.result.period) == "weekly":
        year, _, number = name.partition("-W")
        return matter.language.say("week {number} of {year}", number=str(int(number)), year=year)
    return period_words(matter.result.period, matter.language)


def _short_verdict(figure: str, verdict: str) -> str:
    return f"{figure}, {verdict[:1].lower()}{verdict[1:]}" if figure != NONE else verdict


def _dates(matter: Matter, kind: str, dates: str) -> str:
    if kind == "daily":
        return ""
    if dates:
        return dates
    period, language = matter.result.period, matter.language
    first, last = (moment_of(at, matter.zone).date() for at in (period.begin, period.end - 1))
    return f"{language.day(first)} {NONE} {language.day(last)}"


def _so_far(matter: Matter) -> str:
    """The year up to the period's end; nothing where the period is that itself."""
    strip, language = matter.strip, matter.language
    totals = strip[-1].year_to_date if strip and matter.result.year is not None else None
    if totals is None or totals.percent is None:
        return ""
    target = strip[-1].target_percent
    told = {"year": strip[-1].name[:4], "figure": f"{language.decimals(totals.percent, 4)} %"}
    standing = totals.standing(target)
    if standing == NOT_OBSERVED:
        return language.say("{year} so far: nothing was watched.", year=told["year"])
    if standing == "missed":
        return language.say("{year} so far: {figure}, above the target.", **told)
    left = language.spoken(max(totals.remaining_ms(target), 0))
    return language.say("{year} so far: {figure}, within the target with {left} to spare.", left=left, **told)


def _gauge(matter: Matter) -> Picture | None:
    figure, target, language = matter.result.figure, matter.result.target_percent, matter.language
    if figure.percent is None or figure.standing(target) == NOT_OBSERVED:
        return None
    mark = language.say("target {target} %", target=language.short(target))
    bar = language.say("this period: {figure} %", figure=language.decimals(figure.percent, 4))
    return Picture("gauge", gauge(figure.percent, target, mark, f"{bar}; {mark}"))


def _months(matter: Matter) -> Picture | None:
    """The months of the year so far, in a mail whose year has more than one."""
    result, language = matter.result, matter.language
    whole = Matter(result.year, language, {}).strip if result.year is not None else matter.strip
    if len(whole) < 2:
        return None
    mine = {month.name for month in matter.strip} if len(matter.strip) == 1 else frozenset[str]()
    bars = [_bar(month, language, bold=month.name in mine) for month in whole[-12:]]
    told = "; ".join(f"{bar.label} {bar.text}" for bar in bars)
    caption = language.say("Downtime rate of each month, in percent of its service time")
    return Picture("months", months(bars, language.say("target"), f"{caption}: {told}"))


def _bar(month: Month, language: Language, *, bold: bool) -> Bar:
    percent, target = month.totals.percent, month.target_percent
    year, number = (int(part) for part in month.name.split("-"))
    return Bar(
        language.short_month(date(year, number, 1)),
        percent,
        target,
        NONE if percent is None else f"{language.decimals(percent, 4)} %",
        month.totals.verdict(target) == "missed",
        bold,
    )


def _causes(matter: Matter) -> Iterator[Share]:
    causes: dict[str, int] = {}
    for service in matter.counted:
        for cause, length in service.causes.items():
            causes[cause] = causes.get(cause, 0) + length
    total = sum(causes.values())
    for cause, length in sorted(causes.items(), key=lambda one: -one[1]):
        if length:
            words = cause_words(cause, matter.language)
            yield Share(f"{words[:1].upper()}{words[1:]}", matter.language.spoken(length), _percent(length, total))


def _percent(part: int, whole: int) -> int:
    return int(Fraction(100 * part, whole) + Fraction(1, 2))


def _services(matter: Matter) -> Table:
    """Those with the most downtime; of the others only how many they are."""
    language, target = matter.language, matter.result.target_percent
    down = [one for one in matter.result.services if one.totals.counted_ms]
    down.sort(key=lambda one: (one.in_figure is None, -one.totals.counted_ms))
    fine, shown = len(matter.result.services) - len(down), down[:MOST_ROWS]
    more = [
        *([language.count("{number} more service with downtime.", "{number} more services with downtime.",
                          len(down) - MOST_ROWS)] if len(down) > MOST_ROWS else []),
        *([language.count("{number} service had no downtime.", "{number} services had no downtime.", fine)]
          if fine and down else []),
        *([language.say("* does not enter the figure")] if any(one.in_figure is None for one in shown) else []),
    ]  # fmt: skip
    return Table(
        language.say("Services"),
        (language.say("service"), language.say("rate"), language.say("downtime")),
        [_service_row(one, matter, target) for one in shown],
        language.say("No service had downtime."),
        " ".join(more),
    )


def _service_row(one: ServiceResult, matter: Matter, target: Fraction) -> tuple[str, ...]:
    language, percent = matter.language, one.totals.percent
    name = printable(matter.names[one.service.id])
    sign = "\N{UPWARDS ARROW} " if one.totals.verdict(target) == "missed" else ""
    count = sum(bool(outage.counted_ms) for outage in one.outages)
    outages = language.count("{number} outage", "{number} outages", count)
    return (
        f"{name if one.in_figure is not None else f'{name} *'} ({outages})",
        NONE if percent is None else f"{sign}{language.decimals(percent, 4)} %",
        language.clock_length(one.totals.counted_ms),
    )


def _outages(matter: Matter) -> list[Outage]:
    """The longest of those that count, in order of time."""
    found = [one for service in matter.counted for one in service.outages if one.counted_ms]
    longest = sorted(found, key=lambda one: -one.counted_ms)
    return [*sorted(longest[:MOST_ROWS], key=lambda one: one.begin), *longest[MOST_ROWS:]]


def _event(one: Outage, matter: Matter) -> Event:
    language = matter.language
    length = language.spoken(one.counted_ms)
    text = language.say("{length}. Cause: {cause}.", length=length, cause=cause_words(one.cause, language))
    if one.running and matter.result.running:
        text = " ".join((text, language.say("Still going on.")))
    title = f"{language.moment(one.begin, matter.zone)}: {printable(matter.names[one.service])}"
    said = printable(detail_words(one.detail, language))
    return Event(title, text, said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}\N{HORIZONTAL ELLIPSIS}")


def _more(count: int, language: Language) -> str:
    if count <= MOST_ROWS:
        return ""
    return language.count("{number} shorter outage is in the report.", "{number} shorter outages are in the report.",
                          count - MOST_ROWS)  # fmt: skip


def _waiting(count: int, language: Language) -> str:
    if not count:
        return ""
    return language.count(
        "{number} proposal waits for an approver; the figure may change.",
        "{number} proposals wait for an approver; the figure may change.",
        count,
    )


def _notes(around: Around, language: Language) -> Iterator[str]:
    if around.attached:
        yield language.say("Attached: {names}.", names=language.listed(list(around.attached)))
    if around.left_out:
        names = language.listed(list(around.left_out))
        yield language.say("Too large to be attached: {names}. The report's page has it.", names=names)


def _footer(matter: Matter, around: Around) -> Iterator[str]:
    language = matter.language
    at = language.moment(matter.result.as_of, matter.zone)
    if matter.result.seal is not None:
        yield language.say("As of {moment}. Sealed: only a restatement changes the figure.", moment=at)
    else:
        yield language.say(
            "As of {moment}. Evidence that comes later may change the figure; the report says by how much.", moment=at
        )
    if around.reason:
        yield around.reason
