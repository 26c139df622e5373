"""What was taken out of a period and what was declared, for a terminal: by whom, with what document, and what waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.derive import Result
from detak_collector.report.tables import plain_table
from detak_collector.report.terminal import printable
from detak_collector.report.trend import clock, moment
from detak_collector.report.wording import category_words, scope_words
from detak_collector.translation.language import Language

MOST = 50


def corrections_tables(
    result: Result, zone: tzinfo, told: Language, effects: Mapping[str, int]
) -> Iterator[RenderableType]:
    """A table of the exclusions and one of the declarations that touch the period, where there are any.

    `effects`: what each exclusion took out, as far as it was measured.
    """
    for title, every in (
        (told.say("Exclusions"), result.case.exclusions),
        (told.say("Declarations"), result.case.declarations),
    ):
        here = [one for one in every if one.begin < result.period.end and result.period.begin < one.end]
        if here:
            known = {one.id: effects[one.id] for one in here if one.id in effects}
            here.sort(key=lambda one: one.begin)
            yield _table(title, here, (zone, told), (known, result.drills))


def _table(
    title: str,
    here: Sequence[Correction],
    spoken: tuple[tzinfo, Language],
    known: tuple[Mapping[str, int], frozenset[str] | None],
) -> Table:
    (zone, told), (effects, drills) = spoken, known
    measured = [told.say("took out")] if effects else []
    headings = (
        told.say("id"),
        told.say("category"),
        told.say("about"),
        told.say("from"),
        told.say("to"),
        told.say("document and reason"),
        told.say("proposed and approved by"),
        *measured,
    )
    table = plain_table(title, *headings, right=tuple(measured))
    for one in here[:MOST]:
        table.add_row(
            one.label,
            category_words(one, drills, told),
            scope_words(one.scope_kind, one.scope, told),
            moment(one.begin, zone, told),
            moment(one.end, zone, told),
            Text(f"{one.document}: {printable(one.reason)}"),
            standing_words(one, told),
            *([clock(effects[one.id], told) if one.id in effects else ""] if measured else []),
            style="" if one.in_force else "dim",
        )
    if len(here) > MOST:
        table.add_row("…", str(len(here) - MOST))
    return table


def standing_words(one: Correction, told: Language) -> str:
    """Who proposed and approved it, and what that comes to."""
    approver = one.approved_by or told.say("not approved")
    names = f"{one.proposed_by} / {approver}"
    if not one.in_force:
        return told.say("{names} (has no effect)", names=names)
    return told.say("{names} (entered late)", names=names) if one.late else names
