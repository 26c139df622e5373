"""The last section: by which rules, from what, and the exact numbers, so that somebody else can do it again."""

from __future__ import annotations

from collections.abc import Iterator

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.months import WITHOUT_WATCHDOG
from detak_collector.downtime.summary import achievement, mean_of_months, mean_of_services, never_reported, warnings
from detak_collector.report.catalogue import catalogue_rows
from detak_collector.report.matter import Matter
from detak_collector.report.numbers import decimal_text
from detak_collector.report.paper import NONE, Column, Kind, Section, Table, Value
from detak_collector.report.sealed import standing_words
from detak_collector.report.wording import reason_words, rule_words, sentence, verdict_words, warning_words
from detak_collector.translation.language import Language

MOST_NAMED = 40


def method_section(matter: Matter) -> Section:
    """Rules, other readings, warnings, and exact values."""
    language = matter.language
    tables = (
        Table(
            (Column(language.say("rule"), width=24), Column(language.say("in force"), width=54)), list(_rules(matter))
        ),
        Table(
            (
                Column(language.say("other readings"), width=54),
                Column(language.say("rate"), Kind.PERCENT, 12),
                Column(language.say("downtime"), Kind.LENGTH, 16),
            ),
            list(_readings(matter)),
        ),
        Table(
            (Column(language.say("exact values"), width=54), Column("ms", Kind.EXACT, 24)),
            list(_exact(matter)),
        ),
    )
    notes = [sentence(warning_words(one, language)) for one in warnings(matter.result)]
    never = never_reported(matter.result)
    if never:
        more = (
            [language.count("{number} more", "{number} more", len(never) - MOST_NAMED)]
            if len(never) > MOST_NAMED
            else []
        )
        notes.append(language.say("Never reported: {checks}.", checks=language.listed([*never[:MOST_NAMED], *more])))
    return Section("method", language.say("Method"), tuple(_formula(language)), tables=tables, notes=tuple(notes))


def _formula(language: Language) -> Iterator[str]:
    yield language.say(
        "Rate = 100 x sum of counted downtime / sum of service time, over the services whose criticality counts. Sums "
        "are whole milliseconds; the rate is rounded once, half up, when it is shown, and the target is compared with "
        "the unrounded rate."
    )
    yield language.say(
        "Three lengths are kept apart: downtime that is proven (at least), the downtime that counts, and all that the "
        "evidence cannot rule out (at most)."
    )


def _rules(matter: Matter) -> Iterator[tuple[Value, ...]]:
    result, language = matter.result, matter.language
    yield from rules_in_force(matter)
    yield language.say("verdict"), verdict_words(result.figure.standing(result.target_percent), language)
    yield language.say("proof of the verdict"), verdict_words(result.figure.proof(result.target_percent), language)
    yield from sources(matter)


def rules_in_force(matter: Matter) -> Iterator[tuple[Value, ...]]:
    """What counts, of what, and what leaves the count."""
    result, language = matter.result, matter.language
    catalogue = result.case.catalogue
    planned = catalogue.planned_in_denominator.value_at(result.last)
    yield language.say("criticality that counts"), ", ".join(catalogue.counted_criticality)
    yield language.say("services in the figure"), language.whole(len(matter.counted))
    yield language.say("high availability"), rule_words(catalogue.ha_rule.value_at(result.last), language)
    yield (
        language.say("service time"),
        language.say("all agreed service hours, planned downtime included")
        if planned
        else language.say("agreed service hours less planned downtime"),
    )
    left = [reason_words(one, language) for one in catalogue.counted_exclusions]
    yield language.say("not counted"), language.listed([language.say("time outside service hours"), *left])


def sources(matter: Matter) -> Iterator[tuple[Value, ...]]:
    """What it rests on: evidence, rule version, seal, ledger and catalogue."""
    result, language = matter.result, matter.language
    yield language.say("evidence up to"), language.moment(result.as_of, matter.zone)
    yield language.say("rule version"), RULE_VERSION
    sealed = standing_words(result, matter.zone, language)
    if sealed is not None:
        yield language.say("seal"), sealed
    if result.seal is not None:
        yield language.say("ledger head of the seal"), result.seal.head
    if result.ledger is not None:
        yield language.say("ledger head"), result.ledger
    yield from catalogue_rows(matter)


def _readings(matter: Matter) -> Iterator[tuple[Value, ...]]:
    result, language = matter.result, matter.language
    for name, words in (
        ("all_down", language.say("backed components down only while all are")),
        ("worst_member", language.say("backed components as their worst")),
        ("without_minimum", language.say("short outages counted too")),
        ("without_freeze_rule", language.say("short standstills of hosts counted too")),
    ):
        if name in result.beside:
            yield words, result.beside[name].percent, result.beside[name].counted_ms
    figure = result.figure
    yield language.say("at least (proven)"), figure.ratio(figure.certain_ms), figure.certain_ms
    unguarded = result.beside.get(WITHOUT_WATCHDOG)
    if unguarded is not None and unguarded.certain_ms != figure.certain_ms:
        words = language.say("at least, without the watchdog assumption")
        yield words, unguarded.ratio(unguarded.certain_ms), unguarded.certain_ms
    yield language.say("at most (not ruled out)"), figure.ratio(figure.possible_ms), figure.possible_ms
    yield language.say("plain mean of the services"), mean_of_services(result), None
    yield language.say("plain mean of the months"), mean_of_months(matter.strip), None
    index = achievement(figure.percent, result.target_percent)
    told = NONE if index is None else f"{language.decimals(index, 2)} %"
    yield language.say("achievement index, at most 120"), told, None


def _exact(matter: Matter) -> Iterator[tuple[Value, ...]]:
    """In the order and with the names of the JSON, so that the two can be laid beside each other."""
    figure = matter.result.figure
    for name in ("counted_ms", "certain_ms", "possible_ms", "gross_ms", "service_time_ms", "unobserved_ms",
                 "presumed_ms", "degraded_ms"):  # fmt: skip
        length: int = getattr(figure, name)
        yield name, length
    if figure.percent is not None:
        yield "percent", decimal_text(figure.percent, 12)
