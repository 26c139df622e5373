"""The report for a terminal: the figure first, then services, then outages, with rich tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from fractions import Fraction
from heapq import nlargest
from operator import attrgetter

from rich.console import Console, RenderableType
from rich.text import Text

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.incidents import Incident, homes
from detak_collector.downtime.months import WITHOUT_WATCHDOG
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.summary import never_reported, tally, warnings
from detak_collector.report.sealed import standing_words
from detak_collector.report.tables import VERDICT_COLOURS, plain_table
from detak_collector.report.terminal import printable
from detak_collector.report.text_corrections import corrections_tables
from detak_collector.report.trend import (
    UNKNOWN,
    clock,
    coverage,
    moment,
    months_table,
    rate,
    verdict_text,
    year_so_far,
    years_table,
)
from detak_collector.report.wording import rule_words, warning_words
from detak_collector.translation import ENGLISH
from detak_collector.translation.language import Language, language, mark

MOST_OUTAGES = 50
MOST_SERVICES = 100
SPARED = (
    (
        "without_minimum",
        mark(
            "Outages shorter than minimum_outage_ms are degraded, not counted: {length} in all; without that rule "
            "{percent} %."
        ),
    ),
    (
        "without_freeze_rule",
        mark(
            "Freezes shorter than freeze_degraded_below_ms are degraded, not counted: {length} in all; without that "
            "rule {percent} %."
        ),
    ),
)


def print_report(
    result: Result,
    zone: tzinfo,
    console: Console,
    speech: Language | None = None,
    effects: Mapping[str, int] | None = None,
) -> None:
    """Everything a reader at a terminal wants to know of the period; in English unless another language is given.

    `effects`: what each exclusion took out, as far as it was measured.
    """
    told = speech or language(ENGLISH)
    parts = (
        _headline(result, zone, told),
        *_services(result, told),
        *months_table(result, told),
        *years_table(result, told),
        *_outages(result, zone, told),
        *corrections_tables(result, zone, told, effects or {}),
        _method(result, told),
    )
    for part in parts:
        console.print(part)
        console.print()


def _headline(result: Result, zone: tzinfo, told: Language) -> RenderableType:
    figure, target = result.figure, result.target_percent
    lines = _title(result, zone, told)
    if figure.percent is None:
        lines.append(told.say("No service of counted criticality has service time in this period: there is no figure."))
        return lines
    verdict = figure.standing(target) or ""
    lines.append(f"{told.decimals(figure.percent, 4)} %", style=f"bold {VERDICT_COLOURS[verdict]}")
    against = told.say(
        "target {target} %: {verdict}; proof: {proof}",
        target=told.short(target),
        verdict=told.say(verdict),
        proof=told.say(figure.proof(target) or UNKNOWN),
    )
    lines.append(f"  {against}\n")
    counted, due = told.length(figure.counted_ms), told.length(figure.service_time_ms)
    lines.append(told.say("counted {counted} of {due} service time", counted=counted, due=due) + "\n")
    certain, possible = told.length(figure.certain_ms), told.length(figure.possible_ms)
    lines.append(told.say("certain {certain}, possible {possible}", certain=certain, possible=possible) + "\n")
    gross = told.say("gross {length}", length=told.length(figure.gross_ms))
    seen = told.say("coverage {share}", share=coverage(figure.coverage, told))
    lines.append(f"{seen}   {gross}")
    for reason, total in (figure.excluded_ms or {}).items():
        if total:
            lines.append(f"   {told.say(reason.replace('_', ' '))} -{told.length(total)}")
    remaining = figure.remaining_ms(target)
    if remaining >= 0:
        left = told.say("{length} left before the target is missed", length=told.length(remaining))
        lines.append(f"\n{left}")
    lines.append(_undecided(figure, target, told))
    counts, year = tally(result), year_so_far(result, told)
    if counts.outages:
        words = told.say(
            "{outages} counted, in {incidents}",
            outages=told.count("{number} outage", "{number} outages", counts.outages),
            incidents=told.count("{number} incident", "{number} incidents", counts.incidents),
        )
        lines.append(f"\n{words}")
    return lines if year is None else Text("\n").join((lines, year))


def _title(result: Result, zone: tzinfo, told: Language) -> Text:
    lines = Text()
    lines.append(told.say("Downtime rate {period}", period=result.period.name), style="bold")
    at = moment(result.as_of, zone, told)
    so_far = told.say(", so far (as of {moment})", moment=at) if result.running else ""
    lines.append(f"  {printable(result.case.catalogue.organisation.value_at(result.last))}", style="bold")
    begin, end = moment(result.period.begin, zone, told), moment(result.period.end, zone, told)
    span = told.say("{begin} to {end}", begin=begin, end=end)
    lines.append(f"  {span}{so_far}\n", style="dim")
    sealed = standing_words(result, zone, told)
    if sealed is not None:
        lines.append(f"{printable(sealed)}\n", style="yellow")
    if result.case.earlier and result.seal is None:
        words = told.say("As known at {moment}: what came later is left out.", moment=at)
        lines.append(f"{words}\n", style="yellow")
    return lines


def _undecided(figure: Totals, target: Fraction, told: Language) -> str:
    """What would decide it, where the bounds lie on both sides of the target."""
    if figure.proof(target) != "undecided":
        return ""
    words = told.say(
        "Undecided: {length} of service time were not observed; evidence or declarations for that time would decide "
        "it.",
        length=told.length(figure.unobserved_ms),
    )
    return f"\n{words}"


def _services(result: Result, told: Language) -> Iterator[RenderableType]:
    heads = tuple(map(told.say, ("service", "percent", "counted", "certain - possible", "coverage", "verdict")))
    table = plain_table(told.say("Services"), *heads, right=heads[1:5])
    worst = sorted(result.services, key=lambda one: -one.totals.counted_ms)[:MOST_SERVICES]
    shown = result.services if len(worst) == len(result.services) else worst
    for one in shown:
        table.add_row(*_service_row(one, result.target_percent, told))
        all_down, highest = (one.beside[name][0].counted_ms for name in ("all_down", "worst_member"))
        if len({all_down, one.totals.counted_ms, highest}) > 1:
            beside = told.say(
                "all down {all_down}, worst member {worst}", all_down=clock(all_down, told), worst=clock(highest, told)
            )
            table.add_row("", "", "", Text(beside, style="dim"), "", "")
    yield table
    if shown is worst:
        number, all_of = told.whole(len(worst)), told.whole(len(result.services))
        words = told.say(
            "The {number} of {every} with the most counted time; --format json has them all.",
            number=number,
            every=all_of,
        )
        yield Text(words, style="dim")


def _service_row(one: ServiceResult, target: Fraction, told: Language) -> Iterator[RenderableType]:
    totals = one.totals
    apart = told.say("{service} (not counted)", service=one.service.id)
    yield one.service.id if one.in_figure is not None else Text(apart, style="dim")
    yield rate(totals.percent, told)
    yield clock(totals.counted_ms, told)
    yield f"{clock(totals.certain_ms, told)} - {clock(totals.possible_ms, told)}"
    yield coverage(totals.coverage, told)
    yield verdict_text(totals.standing(target), told)


def _outages(result: Result, zone: tzinfo, told: Language) -> Iterator[RenderableType]:
    found = [outage for one in result.services for outage in one.outages]
    if not found:
        yield Text(told.say("No outage in this period."))
        return
    services = {one.service.id for one in result.services}
    incidents = sum(any(one.service in services for one in incident.outages) for incident in result.incidents)
    heads = tuple(map(told.say, ("no.", "from", "counted", "certain - possible", "what")))
    title = told.say(
        "Outages ({number}, in {incidents})",
        number=str(len(found)),
        incidents=told.count("{number} incident", "{number} incidents", incidents),
    )
    table = plain_table(title, *heads, right=(heads[0], heads[2]))
    latest = nlargest(MOST_OUTAGES, found, key=attrgetter("begin"))[::-1]
    of = homes(one for one in result.incidents if one.outages[-1].begin >= latest[0].begin)
    for outage in latest:
        number = result.numbers.get(outage.key)
        table.add_row(
            "-" if number is None else str(number),
            moment(outage.begin, zone, told),
            clock(outage.counted_ms, told) + ("+" if outage.running else ""),
            f"{clock(outage.certain_ms, told)} - {clock(outage.possible_ms, told)}",
            _what(outage, of[outage.key], told),
        )
    yield table
    if any(outage.running for outage in found):
        yield Text(told.say("+ still running"), style="dim")
    if len(found) > MOST_OUTAGES:
        words = told.say(
            "The latest {number} of {every}; --format json has them all.",
            number=str(MOST_OUTAGES),
            every=str(len(found)),
        )
        yield Text(words, style="dim")


def _what(outage: Outage, incident: Incident, told: Language) -> Text:
    what = Text(f"{outage.service}: {told.say(outage.shown_as)}, {told.say(outage.cause)}")
    if len(incident.outages) > 1:
        what.append("  " + told.say("incident {id}", id=incident.id), style="dim")
    what.append(f"\n{printable(outage.detail)}" if outage.detail else "", style="dim")
    return what


def _method(result: Result, told: Language) -> RenderableType:
    never = never_reported(result)
    warned = [told.say("Warning: {warning}", warning=warning_words(one, told)) for one in warnings(result)]
    text = Text("".join(f"{line}\n" for line in warned), style="yellow")
    text.append("".join(f"{line}\n" for line in (*_spared(result, told), *_assumed(result, told))))
    figure = result.figure
    if figure.percent is not None:
        counted, due = told.whole(figure.counted_ms), told.whole(figure.service_time_ms)
        exact = told.say("Exactly {counted} ms counted of {due} ms.", counted=counted, due=due)
        text.append(f"{exact}\n", style="dim")
    rules = told.say("Rule version {rules}. Ratio of sums over counted services.", rules=RULE_VERSION)
    text.append(f"{rules}\n{_rules(result, told)}", style="dim")
    version = result.case.version
    if version is not None:
        since = told.moment(version.since, result.case.zone)
        words = told.say("Catalogue version {number}, since {moment}.", number=str(version.number), moment=since)
        text.append(f"\n{words}", style="dim")
    if result.ledger is not None:
        text.append("\n" + told.say("Ledger head {head}.", head=result.ledger), style="dim")
    if never:
        text.append("\n" + told.say("Never reported: {checks}", checks=", ".join(never)), style="yellow")
    return text


def _rules(result: Result, told: Language) -> str:
    """The rules that make a figure another one: of groups, and of what it is divided by."""
    catalogue, last = result.case.catalogue, result.last
    due = (
        told.say("all agreed service hours, planned downtime included")
        if catalogue.planned_in_denominator.value_at(last)
        else told.say("agreed service hours less planned downtime")
    )
    of_groups = rule_words(catalogue.ha_rule.value_at(last), told)
    groups, time = (told.say(words).capitalize() for words in ("high availability", "service time"))
    return f"{groups}: {of_groups}. {time}: {due}."


def _spared(result: Result, told: Language) -> Iterator[str]:
    """What rules for short events keep out of the figure, and the figure without each of them."""
    for variant, message in SPARED:
        other = result.beside.get(variant)
        spared_ms = other.counted_ms - result.figure.counted_ms if other is not None else 0
        if other is not None and other.percent is not None and spared_ms:
            yield told.say(message, length=told.length(spared_ms), percent=told.decimals(other.percent, 4))


def _assumed(result: Result, told: Language) -> Iterator[str]:
    """How much of the certain time rests on the watchdog assumption, and what is certain without it."""
    certain_ms = result.figure.certain_ms
    without_ms = result.beside.get(WITHOUT_WATCHDOG, result.figure).certain_ms
    if without_ms != certain_ms:
        yield told.say(
            "Watchdog assumption: {length} are certain because a watchdog would have brought back an agent that died "
            "alone; without it certain {without}.",
            length=told.length(certain_ms - without_ms),
            without=told.length(without_ms),
        )
