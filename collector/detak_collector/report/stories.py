"""What people wrote of outages, as reports have it: a table, cells of the workbook, values of the JSON. Text only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from detak_collector.downtime.outages import Outage
from detak_collector.downtime.stories import Story, Task
from detak_collector.report.matter import Matter
from detak_collector.report.paper import Column, Kind, Table, Value
from detak_collector.report.terminal import printable
from detak_collector.translation.language import Language

MOST_CELL = 4_000
"""Letters that one cell has room for; all of it is in the JSON."""


def table(matter: Matter, outages: Iterable[Outage]) -> Table | None:
    """A row for each outage of which something was written; None where there is none."""
    language = matter.language
    rows = [_row(one, story, matter) for one in outages if (story := matter.result.stories.get(one.key)) is not None]
    if not rows:
        return None
    return Table(
        columns=(
            Column(language.say("no."), width=6),
            Column(language.say("from"), Kind.MOMENT, 15),
            Column(language.say("cause and effect"), width=30),
            Column(language.say("chronology"), width=38),
            Column(language.say("follow-up"), width=28),
        ),
        rows=rows,
        caption=language.say("What those in charge wrote of the outages"),
    )


def _row(one: Outage, story: Story, matter: Matter) -> tuple[Value, ...]:
    number = matter.result.numbers.get(one.key)
    why = ". ".join(part.rstrip(".") for part in (printable(story.cause), printable(story.effect)) if part)
    return (None if number is None else str(number), one.begin, why[:MOST_CELL], *_long(story, matter))


def cells(story: Story | None, matter: Matter) -> tuple[str, str, str, str]:
    """Cause, effect, chronology and follow-up."""
    if story is None:
        return "", "", "", ""
    chronology, follow_up = _long(story, matter)
    return printable(story.cause)[:MOST_CELL], printable(story.effect)[:MOST_CELL], chronology, follow_up


def _long(story: Story, matter: Matter) -> tuple[str, str]:
    language = matter.language
    told = [f"{language.stamp(one.at, matter.zone)} {printable(one.text)}" for one in story.chronology]
    tasks = [task_words(one, language) for one in story.follow_up]
    return "; ".join(told)[:MOST_CELL], "; ".join(tasks)[:MOST_CELL]


def task_words(task: Task, language: Language) -> str:
    """What is to follow, with who and until when: `new battery (Budi, until 31 December 2026)`."""
    until = day_words(task.until, language)
    known = [part for part in (printable(task.who), until and language.say("until {day}", day=until)) if part]
    return f"{printable(task.what)} ({', '.join(known)})" if known else printable(task.what)


def day_words(day: str, language: Language) -> str:
    """A day as its language has it; as it was written where it is none."""
    try:
        return language.day(date.fromisoformat(day)) if day else ""
    except ValueError:
        return day
