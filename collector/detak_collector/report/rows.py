"""The sections with a row for each service, outage, exclusion and declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.derive import ServiceResult
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.summary import units_of
from detak_collector.report import stories
from detak_collector.report.matter import Matter
from detak_collector.report.paper import Column, Kind, Section, Table, Value
from detak_collector.report.terminal import printable
from detak_collector.report.text_corrections import standing_words
from detak_collector.report.wording import (
    category_words,
    cause_words,
    detail_words,
    scope_words,
    shown_words,
    verdict_words,
)

MOST_DETAIL = 400
"""Letters of what checks said that a table has room for; the rest is in the JSON."""


def services_section(matter: Matter) -> Section:
    """All services, the counted ones first, each group with the most downtime first."""
    language = matter.language
    ordered = sorted(matter.result.services, key=lambda one: (one.in_figure is None, -one.totals.counted_ms))
    table = Table(
        columns=(
            Column(language.say("service"), width=28),
            Column(language.say("criticality"), width=12),
            Column(language.say("rate"), Kind.PERCENT, 10),
            Column(language.say("downtime"), Kind.LENGTH, 12),
            Column(language.say("at least"), Kind.LENGTH, 12),
            Column(language.say("at most"), Kind.LENGTH, 12),
            Column(language.say("verdict"), width=12),
        ),
        rows=[_service_row(one, matter) for one in ordered],
        empty=language.say("There is no service."),
    )
    tables = [table, *_units(matter)]
    notes = [
        language.say("At least: proven downtime. At most: downtime and all that could not be ruled out."),
        *([language.say("* does not enter the figure")] if len(matter.counted) < len(ordered) else []),
    ]
    return Section("services", language.say("Services"), tables=tuple(tables), notes=tuple(notes))


def _service_row(one: ServiceResult, matter: Matter) -> tuple[Value, ...]:
    totals = one.totals
    name = matter.names[one.service.id]
    return (
        name if one.in_figure is not None else f"{name} *",
        one.criticality,
        totals.percent,
        totals.counted_ms,
        totals.certain_ms,
        totals.possible_ms,
        verdict_words(totals.standing(matter.result.target_percent), matter.language),
    )


def _units(matter: Matter) -> Iterator[Table]:
    language = matter.language
    rows: list[tuple[Value, ...]] = [
        (
            one.unit.name,
            len(one.unit.services),
            one.totals.percent,
            one.totals.counted_ms,
            f"{language.short(one.target_percent)} %",
            verdict_words(one.totals.standing(one.target_percent), language),
        )
        for one in units_of(matter.result)
    ]
    if rows:
        yield Table(
            columns=(
                Column(language.say("unit"), width=34),
                Column(language.say("services"), Kind.COUNT, 9),
                Column(language.say("rate"), Kind.PERCENT, 10),
                Column(language.say("downtime"), Kind.LENGTH, 15),
                Column(language.say("target"), Kind.NUMBER, 10),
                Column(language.say("verdict"), width=10),
            ),
            rows=rows,
            caption=language.say("Units"),
        )


def outages_section(matter: Matter) -> Section:
    """Every outage in order of time, with its cause and how sure it is."""
    language = matter.language
    found = sorted((one for service in matter.result.services for one in service.outages), key=lambda one: one.begin)
    counting = {one.service.id for one in matter.counted}
    table = Table(
        columns=(
            Column(language.say("no."), width=6),
            Column(language.say("from"), Kind.MOMENT, 15),
            Column(language.say("to"), Kind.MOMENT, 15),
            Column(language.say("service"), width=19),
            Column(language.say("counted"), Kind.LENGTH, 10),
            Column(language.say("at least"), Kind.LENGTH, 10),
            Column(language.say("at most"), Kind.LENGTH, 10),
            Column(language.say("cause"), width=32),
        ),
        rows=[_outage_row(one, matter, counting) for one in found],
        empty=language.say("There was no outage."),
    )
    incidents = len({matter.homes[one.key].id for one in found})
    told = (
        language.say(
            "{outages} in {incidents}; times are local ({zone}), lengths are hours:minutes:seconds.",
            outages=language.count("{number} outage", "{number} outages", len(found)),
            incidents=language.count("{number} incident", "{number} incidents", incidents),
            zone=matter.result.case.catalogue.timezone,
        )
        if found
        else ""
    )
    written = stories.table(matter, found)
    tables = (table,) if written is None else (table, written)
    return Section("outages", language.say("Outages"), (told,) if told else (), tables=tables)


def _outage_row(one: Outage, matter: Matter, counting: set[str]) -> tuple[Value, ...]:
    number = matter.result.numbers.get(one.key)
    language = matter.language
    name = matter.names[one.service]
    cause = f"{cause_words(one.cause, language)}; {shown_words(one.shown_as, language)}"
    detail = printable(detail_words(one.detail, language))[:MOST_DETAIL]
    return (
        None if number is None else str(number),
        one.begin,
        language.say("still going on") if one.running else one.end,
        name if one.service in counting else f"{name} *",
        one.counted_ms,
        one.certain_ms,
        one.possible_ms,
        f"{cause}. {detail}" if detail else cause,
    )


def exclusions_section(matter: Matter) -> Section:
    """Who took what out of the count, and what the figure would be otherwise."""
    result, language = matter.result, matter.language
    beside = result.beside
    rows: list[tuple[Value, ...]] = [
        (language.say("as reported, with all approved exclusions"), result.figure.percent, result.figure.counted_ms)
    ]
    for variant, words in (
        ("declared_beforehand", language.say("with those alone that were proposed beforehand")),
        ("without_exclusions", language.say("without any exclusion")),
    ):
        if variant in beside:
            rows.append((words, beside[variant].percent, beside[variant].counted_ms))
    effect = Table(
        columns=(
            Column(language.say("the figure"), width=44),
            Column(language.say("rate"), Kind.PERCENT, 12),
            Column(language.say("downtime"), Kind.LENGTH, 20),
        ),
        rows=rows,
    )
    empty = language.say("No exclusion touches this period.")
    taken = _touching(matter, result.case.exclusions)
    tables = [effect, _corrections(matter, taken, language.say("Exclusions"), empty)]
    declared = _touching(matter, result.case.declarations)
    if declared:
        tables.append(_corrections(matter, declared, language.say("Declarations"), ""))
    title = language.say("What was taken out, by whom, and what it changed")
    notes = []
    if any(one.id in matter.effects for one in taken):
        notes.append(
            language.say(
                "Took out: how much more downtime would count without this exclusion alone. Two that take out the same "
                "time take out nothing each by itself."
            )
        )
    return Section("exclusions", title, tables=tuple(tables), notes=tuple(notes))


def _touching(matter: Matter, every: Iterable[Correction]) -> list[Correction]:
    period = matter.result.period
    return sorted(
        (one for one in every if one.begin < period.end and period.begin < one.end), key=lambda one: one.begin
    )


def _corrections(matter: Matter, every: Sequence[Correction], caption: str, empty: str) -> Table:
    language = matter.language
    measured = any(one.id in matter.effects for one in every)
    return Table(
        columns=(
            Column(language.say("id"), width=8),
            Column(language.say("category"), width=13),
            Column(language.say("about"), width=14),
            Column(language.say("from"), Kind.MOMENT, 14),
            Column(language.say("to"), Kind.MOMENT, 14),
            Column(language.say("document and reason"), width=24),
            Column(language.say("proposed and approved by"), width=16),
            *([Column(language.say("took out"), Kind.LENGTH, 11)] if measured else []),
        ),
        rows=[(*_correction_row(one, matter), *([matter.effects.get(one.id)] if measured else [])) for one in every],
        caption=caption,
        empty=empty,
    )


def _correction_row(one: Correction, matter: Matter) -> tuple[Value, ...]:
    language = matter.language
    return (
        one.label,
        category_words(one, matter.result.drills, language),
        scope_words(one.scope_kind, one.scope, language),
        one.begin,
        one.end,
        f"{one.document}: {printable(one.reason)}",
        standing_words(one, language),
    )


def coverage_section(matter: Matter) -> Section:
    """How much of each service's time was watched, the least first."""
    language = matter.language
    ordered = sorted(matter.result.services, key=lambda one: -one.totals.unobserved_ms)
    table = Table(
        columns=(
            Column(language.say("service"), width=30),
            Column(language.say("watched"), Kind.SHARE, 12),
            Column(language.say("not watched"), Kind.LENGTH, 16),
            Column(language.say("of it counted as downtime"), Kind.LENGTH, 16),
            Column(language.say("slow or partial"), Kind.LENGTH, 16),
        ),
        rows=[
            (
                matter.names[one.service.id],
                one.totals.coverage,
                one.totals.unobserved_ms,
                one.totals.presumed_ms,
                one.totals.degraded_ms,
            )
            for one in ordered
        ],
        empty=language.say("There is no service."),
    )
    note = language.say("Slow or partial service is recorded and does not count as downtime.")
    return Section("coverage", language.say("How much was watched"), tables=(table,), notes=(note,))
