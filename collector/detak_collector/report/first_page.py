"""The first page: it stands alone, is for somebody who reads one page, and uses none of the engine's own words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from heapq import nlargest

from detak_collector.downtime.figure import NOT_OBSERVED
from detak_collector.downtime.incidents import Incident
from detak_collector.report.charts import gauge
from detak_collector.report.drawing import Drawing
from detak_collector.report.matter import Matter
from detak_collector.report.numbers import moment_of
from detak_collector.report.paper import NONE, FirstPage, Point, Signer
from detak_collector.report.sealed import standing_words
from detak_collector.report.stories import task_words
from detak_collector.report.wording import cause_words, period_words
from detak_collector.translation.language import Language

MOST_POINTS = 3
MOST_NAMES = 3
MOST_TASKS = 5
MOST_LETTERS = 300


def first_page(matter: Matter) -> FirstPage:
    """The figure, the target, the verdict, what made it, what is being done, how sure it is, room for signatures."""
    result, language = matter.result, matter.language
    figure, target = result.figure, result.target_percent
    verdict, proof = figure.standing(target), figure.proof(target)
    is_known = figure.percent is not None and verdict != NOT_OBSERVED
    percent = f"{language.decimals(figure.percent or Fraction(0), 4)} %" if is_known else None
    points = tuple(_points(matter))
    period, dates = period_words(result.period, language), _dates(matter)
    return FirstPage(
        organisation=matter.organisation,
        title=language.say("ICT downtime rate, {period}", period=period),
        period="" if dates == period else dates,
        standing=_standing(matter),
        figure=NONE if percent is None else percent,
        figure_label=language.say("downtime rate"),
        counted_ms=figure.counted_ms,
        target=language.say("Target: at most {target} %", target=language.short(target)),
        verdict=_verdict(verdict, proof, language),
        tone="none" if verdict is None or verdict != proof else verdict,
        summary=_summary(matter),
        gauge=_gauge(matter) if is_known else None,
        points_title=language.say("What made the figure"),
        points=points,
        points_empty=_no_points(matter),
        action_title=language.say("What is being done"),
        action=tuple(_action(matter)),
        certainty_title=language.say("How sure this is"),
        certainty=_certainty(matter),
        signers=(Signer(language.say("Prepared by")), Signer(language.say("Approved by"))),
        signing=(language.say("Place, date"), language.say("Name, employee number")),
    )


def _dates(matter: Matter) -> str:
    result, language = matter.result, matter.language
    first, last = (moment_of(at, matter.zone) for at in (result.period.begin, result.period.end - 1))
    if _midnight(moment_of(result.period.end, matter.zone)) and _midnight(first):
        if first.date() == last.date():
            return language.day(first.date())
        return f"{language.day(first.date())} {NONE} {language.day(last.date())}"
    return (
        f"{language.moment(result.period.begin, matter.zone)} {NONE} {language.moment(result.period.end, matter.zone)}"
    )


def _midnight(local: datetime) -> bool:
    return not (local.hour or local.minute or local.second or local.microsecond)


def _standing(matter: Matter) -> str:
    result, language = matter.result, matter.language
    told = standing_words(result, matter.zone, language) or ""
    if result.seal is not None:
        return told
    return f"{_as_of(matter)} {told}".strip()


def _as_of(matter: Matter) -> str:
    result, language = matter.result, matter.language
    at = language.moment(result.as_of, matter.zone)
    if result.case.earlier:
        return language.say("As it was known on {moment}; what came later is left out.", moment=at)
    return language.say("The period is still running; as of {moment}.", moment=at) if result.running else ""


def _verdict(verdict: str | None, proof: str | None, language: Language) -> str:
    match verdict, proof:
        case "met", "met":
            return language.say("Target met")
        case "missed", "missed":
            return language.say("Target missed")
        case "met", _:
            return language.say("Target met, not certain yet")
        case "missed", _:
            return language.say("Target missed, not certain yet")
        case "not observed", _:
            return language.say("Not observed")
        case _:
            return language.say("No figure")


def _summary(matter: Matter) -> str:
    figure, language = matter.result.figure, matter.language
    if figure.percent is None:
        return language.say("No service that counts had service hours in this period, so there is no figure.")
    services = language.count("{number} service", "{number} services", len(matter.counted))
    down, due = language.spoken(figure.counted_ms), language.spoken(figure.service_time_ms)
    if figure.standing(matter.result.target_percent) == NOT_OBSERVED:
        return language.say("{services} were to be available for {due} in all. None of it was watched.",
                            services=services, due=due)  # fmt: skip
    if not figure.counted_ms:
        return language.say("{services} were to be available for {due} in all. No downtime was counted.",
                            services=services, due=due)  # fmt: skip
    return language.say("{services} were to be available for {due} in all and were down for {down} of it.",
                        services=services, due=due, down=down)  # fmt: skip


def _gauge(matter: Matter) -> Drawing | None:
    figure, target, language = matter.result.figure, matter.result.target_percent, matter.language
    percent = figure.percent
    if percent is None:
        return None
    mark = language.say("target {target} %", target=language.short(target))
    bar = language.say("this period: {figure} %", figure=language.decimals(percent, 4))
    return gauge(percent, target, (bar, mark), missed=figure.verdict(target) == "missed", told=f"{bar}; {mark}")


def _points(matter: Matter) -> Iterator[Point]:
    """The incidents that cost the figure most, the greatest first."""
    counting = {one.service.id for one in matter.counted}
    costs = [
        (sum(one.counted_ms for one in incident.outages if one.service in counting), -place, incident)
        for place, incident in enumerate(matter.result.incidents)
    ]
    for cost, _, incident in nlargest(MOST_POINTS, costs, key=lambda one: one[:2]):
        if cost:
            yield _point(matter, incident, cost, counting)


def _point(matter: Matter, incident: Incident, cost: int, counting: set[str]) -> Point:
    language = matter.language
    hit = [one for one in incident.outages if one.service in counting and one.counted_ms]
    names = list(dict.fromkeys(matter.names[one.service] for one in hit))
    more = len(names) - MOST_NAMES
    if more > 0:
        names[MOST_NAMES:] = [language.count("{number} more", "{number} more", more)]
    causes: dict[str, int] = {}
    for one in hit:
        causes[one.cause] = causes.get(one.cause, 0) + one.counted_ms
    share = Fraction(100 * cost, matter.result.figure.counted_ms or cost)
    text = language.say(
        "{length} of downtime, {share} % of all. Cause: {cause}.",
        length=language.spoken(cost),
        share=language.decimals(min(share, Fraction(100)), 0),
        cause=cause_words(max(causes, key=lambda cause: causes[cause]), language),
    )
    title = f"{language.moment(incident.begin, matter.zone)}: {language.listed(names)}"
    return Point(title, text)


def _no_points(matter: Matter) -> str:
    if matter.result.figure.percent is None:
        return matter.language.say("Nothing: no service counted.")
    if matter.result.figure.standing(matter.result.target_percent) == NOT_OBSERVED:
        return matter.language.say("Nothing is known of this period.")
    return matter.language.say("Nothing: no downtime was counted.")


def _action(matter: Matter) -> Iterator[str]:
    """What is on record; the place is left open where nothing is."""
    language = matter.language
    counting = {one.service.id for one in matter.counted}
    running = [
        one
        for service in matter.counted
        for one in service.outages
        if one.running and matter.result.running and one.service in counting
    ]
    for one in running[:MOST_POINTS]:
        since = language.moment(one.begin, matter.zone)
        yield language.say(
            "Still going on: {service}, since {moment}.", service=matter.names[one.service], moment=since
        )
    tasks = _tasks(matter)
    yield from tasks[:MOST_TASKS]
    if len(tasks) > MOST_TASKS:
        yield language.count("{number} more", "{number} more", len(tasks) - MOST_TASKS)
    figure = matter.result.figure
    if figure.standing(matter.result.target_percent) == NOT_OBSERVED:
        yield language.say("Whether a follow-up is called for is not known.")
    elif not figure.counted_ms:
        yield language.say("No downtime, so no follow-up is called for.")
    elif not tasks:
        yield language.say("No follow-up is on record for these outages. The unit responsible writes it here:")


def _tasks(matter: Matter) -> list[str]:
    """What was written that is to follow of outages that count, those that cost most first; each once."""
    counting = (one for service in matter.counted for one in service.outages if one.counted_ms)
    told = (matter.result.stories.get(one.key) for one in sorted(counting, key=lambda one: -one.counted_ms))
    tasks = (task for story in told if story is not None for task in story.follow_up)
    return list(dict.fromkeys(task_words(one, matter.language)[:MOST_LETTERS] for one in tasks))


def _certainty(matter: Matter) -> str:
    """One sentence: whether what nobody saw could turn the verdict, and how much was seen."""
    figure, target, language = matter.result.figure, matter.result.target_percent, matter.language
    most, least, coverage = figure.ratio(figure.possible_ms), figure.ratio(figure.certain_ms), figure.coverage
    if most is None or least is None or coverage is None:
        return language.say("Nothing was to be watched.")
    told = {
        "most": language.decimals(most, 4),
        "least": language.decimals(least, 4),
        "seen": language.decimals(_floored(coverage * 100), 2),
    }
    proof, verdict = figure.proof(target), figure.standing(target)
    if proof == "met":
        return language.say(
            "Firm: even if all that could not be watched had been downtime, the rate would be {most} %, within the "
            "target; {seen} % of the service time was watched.", **told
        )  # fmt: skip
    if proof == "missed":
        return language.say(
            "Firm: the downtime that is beyond doubt comes to {least} % by itself, above the target; {seen} % of the "
            "service time was watched.", **told
        )  # fmt: skip
    if verdict == NOT_OBSERVED:
        return language.say(
            "Nothing was watched, so nothing is known: neither that the target was met nor that it was missed."
        )
    if verdict == "met":
        return language.say(
            "Not settled: {seen} % of the service time was watched, and if all the rest had been downtime the rate "
            "would be {most} %, above the target.", **told
        )  # fmt: skip
    return language.say(
        "Not settled: only {least} % is beyond doubt, which alone would be within the target; {seen} % of the service "
        "time was watched.", **told
    )  # fmt: skip


def _floored(percent: Fraction) -> Fraction:
    """Two decimals, rounded down: what was not wholly watched is never called 100 %."""
    return Fraction(int(percent * 100), 100)
