"""What the figure's page says: a derived period laid out in parts, each number with where it leads. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import NOT_OBSERVED, Totals
from detak_collector.downtime.periods import PeriodError, is_year, local_year, parse_period
from detak_collector.downtime.summary import achievement, colour, months_of, warnings
from detak_collector.report.sealed import standing_words
from detak_collector.report.wording import period_words, warning_words
from detak_collector.translation.language import mark
from detak_collector.web.telling import Telling

READINGS = {
    "lowest_member": mark("the member with the least downtime counts"),
    "all_down": mark("down only while all are down"),
    "worst_member": mark("the member with the most downtime counts"),
    "without_exclusions": mark("without any exclusion"),
    "declared_beforehand": mark("with exclusions declared beforehand only"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A row with a lying bar, from `begin` and `width` wide in percent of its room. `path` leads to what is behind."""

    label: str
    begin: float
    width: float
    text: str
    kind: str
    path: str = ""
    share: str = ""
    mark: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class MonthCell:
    """One month of the strip; of one that has not begun only the name is known. `words`: how it stands."""

    name: str
    label: str
    percent: Fraction | None
    colour: str | None
    coverage: Fraction | None
    year_to_date: Fraction | None
    counted_ms: int | None
    words: str = ""
    is_proven: bool = True


@dataclass(frozen=True, slots=True)
class Gauge:
    """The figure against its target, in percent of the drawing's width. `beyond`: possible is off its end."""

    certain: float
    counted: float
    possible: float
    target: float
    beyond: bool


def gauge(totals: Totals, target: Fraction) -> Gauge:
    """A scale on which the target stays in sight: it ends at four times the target at most."""
    possible = totals.ratio(totals.possible_ms) or Fraction(0)
    end = min(max(target * Fraction(8, 5), possible * Fraction(11, 10)), target * 4) or max(possible, Fraction(1))

    def place(percent: Fraction | None) -> float:
        return round(float(min((percent or Fraction(0)) / end, Fraction(1)) * 100), 2)

    certain, counted = totals.ratio(totals.certain_ms), totals.percent
    return Gauge(place(certain), place(counted), place(possible), place(target), possible > end)


def months_strip(result: Result, tell: Telling) -> tuple[MonthCell, ...]:
    """The months of the period; of a running year also those that come."""
    cells = {}
    for month in months_of(result):
        # Of a month that nobody watched nothing is known: green would call it good.
        is_known = month.verdict != NOT_OBSERVED
        tone = colour(achievement(month.totals.percent, month.target_percent)) if is_known else None
        is_proven = month.verdict == month.totals.proof(month.target_percent)
        words = tell.colour(tone) if is_known else tell.language.say("not observed")
        if tone is not None and not is_proven:
            words = tell.language.say("{standing}, not certain yet", standing=words)
        cells[month.name] = MonthCell(
            month.name, tell.language.short_month(_first(month.name)), month.totals.percent, tone,
            month.totals.coverage, None if month.year_to_date is None else month.year_to_date.percent,
            month.totals.counted_ms, words, is_proven,
        )  # fmt: skip
    if is_year(result.period, result.case.zone):
        year = local_year(result.period.begin, result.case.zone)
        for name in (f"{year}-{number:02}" for number in range(1, 13)):
            empty = MonthCell(name, tell.language.short_month(_first(name)), None, None, None, None, None)
            cells.setdefault(name, empty)
    return tuple(cells[name] for name in sorted(cells))


def _first(name: str) -> date:
    year, month = name.split("-")
    return date(int(year), int(month), 1)


def trend(result: Result, tell: Telling) -> tuple[Bar, ...]:
    """The published figures of earlier years and this one's; nothing for a period that is no year."""
    if not is_year(result.period, result.case.zone):
        return ()
    rates = [(str(one.year), one.percent, one.target_percent, one.document, one.verdict) for one in result.published]
    verdict = result.figure.standing(result.target_percent)
    proof = result.figure.proof(result.target_percent)
    own = tell.language.say("this year, so far") if result.running else tell.language.say("this year")
    own = f"{own}. {_verdict_words(verdict, proof, tell)}"
    year = str(local_year(result.period.begin, result.case.zone))
    rows = [*rates, (year, result.figure.percent, result.target_percent, own, verdict)]
    most = max([*(rate or 0 for _, rate, *_ in rows), *(target or 0 for _, _, target, *_ in rows)]) or Fraction(1)
    scale = 90 / float(most)
    last, root = len(rates), f"figure/{result.period.name}/outages"
    return tuple(
        Bar(
            year,
            0,
            round(float(rate or 0) * scale, 2),
            tell.target(rate) if at < last else tell.rate(rate),
            "unproven" if at == last and verdict not in {None, proof} else verdict or "pale",
            root if at == last else "",
            mark=None if target is None else round(float(target) * scale, 2),
            note=document,
        )
        for at, (year, rate, target, document, verdict) in enumerate(rows)
    )


def waterfall(result: Result, tell: Telling) -> tuple[Bar, ...]:
    """From all downtime of the services that count to what of it is counted; the steps add up exactly."""
    figure, say = result.figure, tell.language.say
    if not figure.gross_ms:
        return ()
    root = f"figure/{result.period.name}/outages"
    scale, left = 100 / figure.gross_ms, figure.gross_ms
    rows = [Bar(say("all downtime"), 0, 100, tell.length(figure.gross_ms), "gross", root)]
    for reason, length in (figure.excluded_ms or {}).items():
        if length:
            left -= length
            path = f"{root}?excluded={reason}"
            begin, width = round(left * scale, 2), round(length * scale, 2)
            rows.append(Bar(tell.reason(reason), begin, width, tell.length(-length), "excluded", path))
    counted = round(figure.counted_ms * scale, 2)
    rows.append(Bar(say("counted downtime"), 0, counted, tell.length(figure.counted_ms), "down", root))
    return tuple(rows)


def causes(result: Result, tell: Telling) -> tuple[Bar, ...]:
    """Which layer failed, greatest first."""
    sums: dict[str, int] = {}
    for service in _counted(result):
        for cause, length in service.causes.items():
            sums[cause] = sums.get(cause, 0) + length
    most, whole = max(sums.values(), default=0), sum(sums.values())
    ranked = sorted(sums.items(), key=lambda one: -one[1])
    root = f"figure/{result.period.name}/outages?cause="
    return tuple(
        Bar(
            tell.cause(cause), 0, round(100 * length / most, 2), tell.length(length), "down",
            root + cause.replace(" ", "+"), tell.share(length, whole),
        )
        for cause, length in ranked if length
    )  # fmt: skip


def readings(result: Result, tell: Telling) -> Iterator[tuple[str, Totals, bool]]:
    """The figure as other rules would have it: (what it is called, totals, whether it is the declared one)."""
    say = tell.language.say
    declared = result.case.catalogue.ha_rule.at(result.last) or ""
    yield say(READINGS[declared]) if declared in READINGS else declared, result.figure, True
    for name in ("all_down", "worst_member", "without_exclusions", "declared_beforehand"):
        if name in result.beside and name != declared:
            yield say(READINGS[name]), result.beside[name], False


def _counted(result: Result) -> list[ServiceResult]:
    return [one for one in result.services if one.in_figure is not None]


def services(result: Result) -> tuple[ServiceResult, ...]:
    """Those that count first, each kind with the most downtime first."""
    return tuple(sorted(result.services, key=lambda one: (one.in_figure is None, -one.totals.counted_ms)))


def neighbours(result: Result) -> tuple[str, str]:
    """The period of the same kind before and after this one; empty where there is none."""
    name, zone, now = result.period.name, result.case.zone, result.as_of
    year, _, rest = name.partition("-")
    if rest and not rest.isdigit():
        return "", ""
    number, months = int(year), int(rest or 0)
    if not rest:
        before, after = str(number - 1), str(number + 1)
    else:
        first = date(number, months, 1)
        before = (first - timedelta(days=1)).strftime("%Y-%m")
        after = (first + timedelta(days=31)).strftime("%Y-%m")
    try:
        has_begun = parse_period(after, zone, now).begin < now
    except PeriodError:
        has_begun = False
    return before, after if has_begun else ""


def values(result: Result, tell: Telling) -> dict[str, object]:
    """All that the template needs."""
    before, after = neighbours(result)
    say = tell.language.say
    verdict, proof = result.figure.standing(result.target_percent), result.figure.proof(result.target_percent)

    def verdict_of(totals: Totals) -> str:
        target = result.target_percent
        return _verdict_words(totals.standing(target), totals.proof(target), tell)

    return {
        "result": result,
        "figure": result.figure,
        "period_words": period_words(result.period, tell.language),
        "verdict_words": verdict_of(result.figure),
        "verdict_of": verdict_of,
        "standing": "none" if verdict in {None, NOT_OBSERVED} else verdict,
        "sealed": standing_words(result, tell.zone, tell.language),
        "is_proven": verdict is not None and verdict == proof,
        "gauge": gauge(result.figure, result.target_percent),
        "remaining_ms": result.figure.remaining_ms(result.target_percent),
        "strip": months_strip(result, tell),
        "trend": trend(result, tell),
        "is_year": is_year(result.period, result.case.zone),
        "waterfall": waterfall(result, tell),
        "causes": causes(result, tell),
        "readings": tuple(readings(result, tell)),
        "services": services(result),
        "counted_services": len(_counted(result)),
        "warnings": tuple(warning_words(one, tell.language) for one in warnings(result)),
        "before": before,
        "after": after,
        "title": say("Downtime rate, {period}", period=period_words(result.period, tell.language)),
        "year": str(local_year(result.period.begin, result.case.zone)),
        "names": {one.service.id: one.service.name.value_at(result.last) for one in result.services},
    }


def _verdict_words(verdict: str | None, proof: str | None, tell: Telling) -> str:
    say = tell.language.say
    match verdict, proof:
        case "met", "met":
            return say("Target met")
        case "missed", "missed":
            return say("Target missed")
        case "met", _:
            return say("Target met, not certain yet")
        case "missed", _:
            return say("Target missed, not certain yet")
        case "not observed", _:
            return say("Not observed")
        case _:
            return say("No figure")
