"""What every report and page says of a seal: its number, by whom it is, and what later facts would make of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from fractions import Fraction

from detak_collector.downtime.derive import Result
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.sealed import Sealed
from detak_collector.translation.language import Language


def seal_words(seal: Sealed, zone: tzinfo, language: Language) -> str:
    """One sentence: the number, and who sealed it when."""
    told = {
        "number": seal.label,
        "moment": language.moment(seal.at, zone),
        "name": seal.by,
        "approver": seal.approved_by or "",
    }
    if seal.restates is not None:
        return language.say(
            "Restated, no. {number}, on {moment} by {name}, approved by {approver}; it takes the place of no. "
            "{before}.",
            before=seal.restates,
            **told,
        )
    if seal.approved_by is not None:
        return language.say("Sealed, no. {number}, on {moment} by {name}, approved by {approver}.", **told)
    return language.say("Sealed, no. {number}, on {moment} by {name}.", **told)


def disposed_words(seal: Sealed, zone: tzinfo, language: Language) -> Iterator[str]:
    """That what the figure rests on is not there any more; nothing where it is."""
    if seal.disposed is not None:
        yield language.say(
            "The evidence from before {day} was disposed of on {moment} (disposal no. {number}, {document}): the "
            "figure is kept, and cannot be derived anew.",
            day=language.day(datetime.fromtimestamp(seal.disposed.until / 1_000, zone).date()),
            moment=language.moment(seal.disposed.at, zone),
            number=seal.disposed.label,
            document=seal.disposed.document,
        )


def later_words(seal: Sealed, language: Language) -> Iterator[str]:
    """What a reader must know of what came later; nothing where nothing did."""
    if seal.now is None:
        return
    if not seal.reproduced:
        yield language.say(
            "The sealed figure is {figure}; this program comes to another one from the same records, which is shown "
            "here: `verify --sealed` tells more.",
            figure=_rate(seal.figure, language),
        )
        return
    yield language.say(
        "By all that is known now it would be {figure} ({difference} of downtime): only a restatement changes what is "
        "sealed.",
        figure=_rate(seal.now, language),
        difference=_signed(seal.difference_ms, language),
    )


def _rate(totals: Totals, language: Language) -> str:
    percent: Fraction | None = totals.percent
    return "\N{EN DASH}" if percent is None else f"{language.decimals(percent, 4)} %"


def _signed(length_ms: int, language: Language) -> str:
    return f"{'-' if length_ms < 0 else '+'}{language.length(abs(length_ms))}"


def overtaken_words(seal: Sealed, language: Language) -> str:
    """Of a sealed part of a longer period, that it comes to another figure in that one."""
    now = seal.figure if seal.now is None else seal.now
    return language.say(
        "{period} is sealed, no. {number}, at {figure}; in this report it comes to {now} ({difference} of downtime).",
        period=seal.period,
        number=seal.label,
        figure=_rate(seal.figure, language),
        now=_rate(now, language),
        difference=_signed(seal.difference_ms, language),
    )


def standing_words(result: Result, zone: tzinfo, language: Language) -> str | None:
    """All of it in one text; None where there is nothing to tell."""
    parts = [overtaken_words(one, language) for one in result.overtaken]
    if result.seal is not None:
        told = result.seal
        disposed, later = disposed_words(told, zone, language), later_words(told, language)
        parts = [seal_words(told, zone, language), *disposed, *later, *parts]
    return " ".join(parts) or None
