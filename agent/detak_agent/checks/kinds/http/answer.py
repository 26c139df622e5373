"""What an answer means for the state: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detak_agent.checks.base import Outcome
from detak_agent.checks.kinds.http.body import MOST_BODY_BYTES, Body
from detak_agent.checks.kinds.http.kind import HttpSettings, status_ranges


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as it is judged."""

    status: int
    body: Body
    latency_ms: float
    certificate_days: float | None


def judge(answer: Answer, settings: HttpSettings) -> Outcome:
    """Pure: the state for an answer."""
    values = {"latency_ms": answer.latency_ms}
    if answer.certificate_days is not None:
        values["certificate_days_left"] = answer.certificate_days
    wrong = _wrong(answer, settings)
    if wrong:
        return Outcome("down", wrong, values=values)
    doubtful = _doubtful(answer, settings)
    if doubtful:
        return Outcome("degraded", doubtful, values=values)
    return Outcome("up", f"status {answer.status} in {answer.latency_ms:.0f} ms", values=values)


def _wrong(answer: Answer, settings: HttpSettings) -> str:
    if not any(low <= answer.status <= high for low, high in status_ranges(settings.status)):
        wanted = ", ".join(str(one) for one in settings.status)
        return f"status {answer.status} (wanted {wanted})"
    if answer.certificate_days is not None and answer.certificate_days <= 0:
        return f"the certificate expired {-answer.certificate_days:.1f} days ago: renew it"
    return _wrong_body(answer, settings) if settings.body_contains or settings.body_pattern else ""


def _wrong_body(answer: Answer, settings: HttpSettings) -> str:
    body = answer.body
    if not body.is_readable:
        return f"status {answer.status}, but the answer is packed with {body.coding}, which was not asked for"
    where = f"the first {MOST_BODY_BYTES // 1_024} KiB of the answer" if body.is_cut else "the answer"
    text = body.content.decode(errors="replace")
    if settings.body_contains and settings.body_contains not in text:
        return f"status {answer.status}, but {settings.body_contains!r} is not in {where}"
    if settings.body_pattern and re.search(settings.body_pattern, text) is None:
        return f"status {answer.status}, but nothing in {where} matches {settings.body_pattern!r}"
    return ""


def _doubtful(answer: Answer, settings: HttpSettings) -> str:
    found = []
    if settings.slow_ms is not None and answer.latency_ms > settings.slow_ms:
        found.append(f"slow: the answer took {answer.latency_ms:.0f} ms (limit {settings.slow_ms} ms)")
    days = answer.certificate_days
    if days is not None and days < settings.expiry_warning_days:
        found.append(f"the certificate expires in {days:.1f} days (warning {settings.expiry_warning_days} days before)")
    return "; ".join(found)
