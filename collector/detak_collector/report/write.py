"""Writes the paper: the first page and every section, in order."""

from __future__ import annotations

from collections.abc import Mapping

from detak_collector.downtime.derive import Result
from detak_collector.report.course import causes_section, months_section, trend_section, waterfall_section
from detak_collector.report.first_page import first_page
from detak_collector.report.matter import Matter
from detak_collector.report.method import method_section
from detak_collector.report.paper import NONE, Paper
from detak_collector.report.rows import coverage_section, exclusions_section, outages_section, services_section
from detak_collector.translation.language import Language


def paper(result: Result, language: Language, effects: Mapping[str, int]) -> Paper:
    """The report of `result` in one language; `effects` as in `effects.py`, empty where they were not measured."""
    matter = Matter(result, language, effects)
    first = first_page(matter)
    sections = (
        months_section(matter),
        trend_section(matter),
        waterfall_section(matter),
        causes_section(matter),
        services_section(matter),
        outages_section(matter),
        exclusions_section(matter),
        coverage_section(matter),
        method_section(matter),
    )
    return Paper(
        language=language,
        zone=matter.zone,
        title=f"{first.title} {NONE} {first.organisation}",
        first=first,
        sections=tuple(one for one in sections if one is not None),
        footer=language.say(
            "{organisation} · {title} · as of {moment}",
            organisation=first.organisation,
            title=first.title,
            moment=language.moment(result.as_of, matter.zone),
        ),
        page=language.say("page {page} of {pages}"),
    )
