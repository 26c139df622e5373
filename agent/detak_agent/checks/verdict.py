"""From findings to one outcome, for kinds that weigh several things in one sample. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from detak_agent.checks.base import CheckSettings, Outcome
from detak_agent.checks.kinds.operating_system.health import Finding, Limit, tenths

SHOWN_CHARACTERS = 60


def verdict(found: Iterable[Finding], well: str, marks: Mapping[str, str], values: Mapping[str, float]) -> Outcome:
    """The worst finding decides; all are named, the worst first. `well` is what is said where there is none."""
    worst_first = sorted(found, key=lambda finding: finding.state == "degraded")
    if not worst_first:
        return Outcome("up", well, marks, values)
    return Outcome(worst_first[0].state, "; ".join(finding.text for finding in worst_first), marks, values)


def over(words: str, value: float | None, limit: Limit, unit: str) -> Iterator[Finding]:
    """A finding if `value` reaches a limit; `words` has {} where the value stands. What is not known reaches none."""
    if value is None:
        return
    if limit.down is not None and value >= limit.down:
        yield Finding("down", f"{words.format(tenths(value))} (limit {limit.down:g}{unit})")
    elif limit.degraded is not None and value >= limit.degraded:
        yield Finding("degraded", f"{words.format(tenths(value))} (limit {limit.degraded:g}{unit})")


def slow(latency_ms: float, slow_ms: int | None) -> Iterator[Finding]:
    """A finding if the whole sample took longer than it may."""
    if slow_ms is not None and latency_ms > slow_ms:
        yield Finding("degraded", f"slow: the sample took {latency_ms:.0f} ms (limit {slow_ms} ms)")


def limit_of(settings: CheckSettings, pattern: str) -> Limit:
    """The limits that stand in two keys, such as `lag_{}_s` in `lag_degraded_s` and `lag_down_s`."""
    return Limit(getattr(settings, pattern.format("degraded")), getattr(settings, pattern.format("down")))


def limit_problems(settings: CheckSettings, *patterns: str) -> list[tuple[str, str]]:
    """What is wrong with such keys, and with `slow_ms`."""
    found = []
    for pattern in patterns:
        limit = limit_of(settings, pattern)
        if limit.degraded is not None and limit.down is not None and limit.down < limit.degraded:
            found.append((pattern.format("down"), f"must not be less than {pattern.format('degraded')}"))
    slow_ms = getattr(settings, "slow_ms", None)
    if slow_ms is not None and slow_ms >= settings.timeout_ms:
        found.append(("slow_ms", "must be less than timeout_ms, which makes the check down"))
    return found


def query_problems(query: str, expect: str) -> list[tuple[str, str]]:
    """What is wrong with a query and the regular expression for its answer."""
    if expect and not query:
        return [("expect", "has no effect without query")]
    try:
        re.compile(expect)
    except re.error as error:
        return [("expect", f"is no regular expression: {error}")]
    return []


def unexpected(rows: int, value: str | None, expect: str) -> Iterator[Finding]:
    """A finding if the first value of a query's first row is not as `expect` has it."""
    if not expect:
        return
    if rows == 0:
        yield Finding("down", f"the query gave no row (expected {expect!r})")
    elif value is None:
        yield Finding("down", f"the query gave NULL (expected {expect!r})")
    elif re.search(expect, value) is None:
        shown = value if len(value) <= SHOWN_CHARACTERS else value[: SHOWN_CHARACTERS - 1] + "…"
        yield Finding("down", f"the query gave {shown!r} (expected {expect!r})")
