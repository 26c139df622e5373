"""Alerts for a Prometheus Alertmanager: what runs is posted again and again, and what is over with its end. Pure.

An alert that is not posted any more ends there by itself, so nothing has to be kept here over a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from detak_collector.notify.deciding import Choice, would_tell
from detak_collector.notify.items import (
    LOW_COVERAGE,
    OUTAGE,
    STOPPED_AGENT,
    UNSEEN_NODE,
    UNSEEN_SERVICE,
    Seen,
    Sighting,
)
from detak_collector.notify.webhook import service_url, utc_text
from detak_collector.notify.wording import Reader, Text, sighting_title
from detak_collector.report.wording import cause_words

AGAIN_MS = 60_000
RETRY_MS = 5_000
LASTS_MS = 300_000
"""An alert that runs is given an end so far ahead: were this collector lost, it would not stand for ever."""

TRIAL = "DetakTest"
NAMES = {
    OUTAGE: "DetakOutage",
    UNSEEN_SERVICE: "DetakServiceNotObserved",
    UNSEEN_NODE: "DetakNodeNotHeard",
    STOPPED_AGENT: "DetakAgentStopped",
    LOW_COVERAGE: "DetakLowCoverage",
}


class Alert(Struct, frozen=True, rename="camel"):
    """One alert as Alertmanager's API has it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str
    ends_at: str
    generator_url: str = msgspec.field(name="generatorURL")


Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is posted at once, and when; `ends` are the ends of what is over by then, by the alert's labels."""

    alerts: Mapping[Key, Alert]
    ends: Mapping[Key, int | None]
    at: int

    @property
    def body(self) -> bytes:
        """The document."""
        return msgspec.json.encode(list(self.alerts.values()))


@dataclass(slots=True)
class Alerts:
    """What one Alertmanager was told by this process."""

    _taken: Batch | None = field(default=None, init=False)
    _tried_at: int | None = field(default=None, init=False)

    def due(self, choice: Choice, seen: Seen, reader: Reader, now: int) -> Batch | None:
        """What is to be posted now; None where that can wait."""
        if self._tried_at is not None and now - self._tried_at < RETRY_MS:
            return None
        told = [one for one in seen.sightings.values() if one.kind in NAMES and would_tell(choice, one, seen.now)]
        wanted = {_key(one): one for one in told}
        ends = {key: one.end for key, one in wanted.items()}
        before = self._taken
        if before is not None and before.ends == ends and now - before.at < AGAIN_MS:
            return None
        alerts = {key: _alert(one, reader, now) for key, one in wanted.items()}
        alerts.update(_gone(before, ends))
        if not alerts and before is not None and not before.ends:
            return None
        self._tried_at = now
        return Batch(alerts, ends, now)

    def taken(self, batch: Batch) -> None:
        """The Alertmanager has it."""
        self._taken = batch


def trial_alert(text: Text, reader: Reader, now: int) -> bytes:
    """An alert that only tries the way, and is over in a minute."""
    labels = {"alertname": TRIAL, "severity": "none"}
    annotations = {"summary": text.title, "description": text.body}
    alert = Alert(labels, annotations, utc_text(now), utc_text(now + AGAIN_MS), reader.url)
    return msgspec.json.encode([alert])


def _gone(before: Batch | None, ends: Mapping[Key, int | None]) -> Iterator[tuple[Key, Alert]]:
    """What was running when it was posted last, and is not there any more: it ended then.

    An end that is still to come by the Alertmanager's clock would not shorten the alert.
    """
    if before is not None:
        for key, end in before.ends.items():
            if end is None and key not in ends:
                yield key, msgspec.structs.replace(before.alerts[key], ends_at=utc_text(before.at))


def _labels(one: Sighting) -> dict[str, str]:
    labels = {"alertname": NAMES[one.kind], "severity": "critical" if one.in_figure else "warning"}
    if one.kind in {UNSEEN_NODE, STOPPED_AGENT}:
        return {**labels, "node": one.subject}
    if one.kind != OUTAGE:
        return {**labels, "service": one.subject}
    return {**labels, "service": one.subject, "cause": one.cause, "outage": str(one.number)}


def _key(one: Sighting) -> Key:
    return tuple(sorted(_labels(one).items()))


def _alert(one: Sighting, reader: Reader, now: int) -> Alert:
    title = sighting_title(one, reader.language)
    cause = cause_words(one.cause, reader.language)
    annotations = {"summary": title, "description": one.detail or cause} if one.kind == OUTAGE else {"summary": title}
    return Alert(
        _labels(one),
        annotations,
        utc_text(one.begin),
        utc_text(now + LASTS_MS if one.end is None else one.end),
        service_url(reader.url, one.subject) if one.kind not in {UNSEEN_NODE, STOPPED_AGENT} else reader.url,
    )
