"""The first page of the report of a category: the cause's part of the figure, beside the whole and its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from detak_collector.report.matter import Matter
from detak_collector.report.of_category import OfCategory
from detak_collector.report.paper import NONE, FirstPage, Point, Signer
from detak_collector.report.sealed import standing_words
from detak_collector.report.stories import task_words
from detak_collector.report.wording import shown_words, verdict_words
from detak_collector.translation.language import Language

MOST_POINTS, MOST_TASKS, MOST_LETTERS = 3, 5, 300


def category_page(of: OfCategory, matter: Matter, title: str) -> FirstPage:
    """What a head of unit reads: what the cause cost, of what whole, what of it cost most, and what is being done."""
    language = matter.language
    return FirstPage(
        organisation=matter.organisation,
        title=title,
        period="",
        standing=standing_words(of.result, matter.zone, language) or "",
        figure=_rate(of.percent, language),
        figure_label=language.say("of the service time"),
        counted_ms=of.share.counted_ms,
        target=_whole(of, language),
        verdict=_part(of, language),
        tone="none",
        summary=_summary(of, language),
        gauge=None,
        points_title=language.say("What cost most"),
        points=tuple(_points(of, matter)),
        points_empty=language.say("Nothing: no downtime was counted for this cause."),
        action_title=language.say("What is being done"),
        action=tuple(_action(of, language)),
        certainty_title=language.say("How sure this is"),
        certainty=_certainty(of, language),
        signers=(Signer(language.say("Prepared by")), Signer(language.say("Approved by"))),
        signing=(language.say("Place, date"), language.say("Name, employee number")),
    )


def _whole(of: OfCategory, language: Language) -> str:
    """The figure that it is a part of, and its verdict."""
    result = of.result
    verdict = verdict_words(result.figure.standing(result.target_percent), language)
    return language.say(
        "All causes: {figure}; target {target} %: {verdict}",
        figure=_rate(result.figure.percent, language),
        target=language.short(result.target_percent),
        verdict=verdict or NONE,
    )


def _part(of: OfCategory, language: Language) -> str:
    share = of.of_counted
    if share is None:
        return language.say("no downtime was counted at all")
    return language.say("{share} % of all counted downtime", share=language.decimals(share * 100, 1))


def _summary(of: OfCategory, language: Language) -> str:
    figure = of.result.figure
    return language.say(
        "{services} were to be available for {due} in all. Of that {down} were lost to this cause, and {all} to all "
        "causes together.",
        services=language.count(
            "{number} service", "{number} services", sum(one.in_figure is not None for one in of.result.services)
        ),
        due=language.spoken(figure.service_time_ms),
        down=language.spoken(of.share.counted_ms),
        all=language.spoken(figure.counted_ms),
    )


def _points(of: OfCategory, matter: Matter) -> Iterator[Point]:
    language = matter.language
    costly = sorted(of.outages, key=lambda pair: -of.costs.get(pair[1].outage.key, 0))[:MOST_POINTS]
    for _, one in costly:
        cost, outage = of.costs.get(one.outage.key, 0), one.outage
        if cost:
            share = min(Fraction(100), Fraction(100 * cost, of.share.counted_ms or cost))
            yield Point(
                f"{language.moment(outage.begin, matter.zone)}: {matter.names[outage.service]}",
                language.say(
                    "{length} of downtime, {share} % of what this cause cost. {how}.",
                    length=language.spoken(cost),
                    share=language.decimals(share, 0),
                    how=shown_words(outage.shown_as, language).capitalize(),
                ),
            )


def _action(of: OfCategory, language: Language) -> Iterator[str]:
    ordered = sorted(of.costs, key=lambda key: -of.costs[key])
    told = (of.result.stories.get(key) for key in ordered)
    tasks = [task_words(task, language)[:MOST_LETTERS] for story in told if story for task in story.follow_up]
    distinct = list(dict.fromkeys(tasks))
    yield from distinct[:MOST_TASKS]
    if len(distinct) > MOST_TASKS:
        yield language.count("{number} more", "{number} more", len(distinct) - MOST_TASKS)
    if not of.share.counted_ms:
        yield language.say("No downtime, so no follow-up is called for.")
    elif not distinct:
        yield language.say("No follow-up is on record for these outages. The unit responsible writes it here:")


def _certainty(of: OfCategory, language: Language) -> str:
    figure = of.result.figure
    if figure.coverage is None:
        return language.say("Nothing was to be watched.")
    return language.say(
        "{least} are beyond doubt; with all that could not be ruled out, it would be {most} at most. {seen} % of "
        "the service time was watched.",
        least=language.spoken(of.share.certain_ms),
        most=language.spoken(of.share.possible_ms),
        seen=language.decimals(Fraction(int(figure.coverage * 10_000), 100), 2),
    )


def _rate(percent: Fraction | None, language: Language) -> str:
    return NONE if percent is None else f"{language.decimals(percent, 4)} %"
