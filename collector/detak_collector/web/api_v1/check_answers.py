"""One check as the JSON API answers it: what a check's page says, under names of its own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from detak_collector.board.one_check import Kind, OneCheck, Said, Use, kind_of
from detak_collector.downtime.periods import Period
from detak_collector.downtime.reading import Passage
from detak_collector.report.numbers import iso_utc
from detak_collector.web.api_v1.answers import Answer, Condition, Instant, Length
from detak_collector.web.api_v1.cursors import Cut


class CheckSetting(Struct, kw_only=True):
    """How its agent runs it. `confirm`: so many bad samples in a row before it is told. No secret is among them."""

    kind: str
    interval_ms: Length
    timeout_ms: Length
    remote: bool
    confirm: int
    target: str
    digest: str


class Word(Struct, kw_only=True):
    """What it said from one sample to another: up, degraded, down or unknown."""

    state: str
    begin: Instant = field(name="from")
    end: Instant = field(name="to")
    message: str
    samples: int


class RestsOnIt(Struct, kw_only=True):
    """A group of a service that rests on it; of a probe `group` is empty."""

    service: str
    group: str
    category: str


class Stretch(Struct, kw_only=True):
    """A stretch in which it was not simply up; `spans` are those it rests on, as run/number."""

    begin: Instant = field(name="from")
    end: Instant = field(name="to")
    kind: Kind
    shown_as: str
    message: str
    spans: list[str]


class CheckInFull(Answer, kw_only=True):
    """One check with a page of its stretches, latest first. Lengths and stretches are of the period, up to now.

    `settings` are null where no run that is known ran it. `marks` tell of what it checks how long that lives.
    """

    check: str
    node: str
    condition: Condition
    since: Instant | None
    message: str
    settings: CheckSetting | None
    marks: Annotated[dict[str, str], Meta(description="continuity marks by name")]
    said: list[Word]
    services: list[RestsOnIt]
    witness_of: Annotated[list[str], Meta(description="nodes of which it bears witness, or is a reference")]
    period: str
    counted_ms: Length
    certain_ms: Length
    possible_ms: Length
    unobserved_ms: Length
    items: list[Stretch]
    total: int
    next: str | None


def check_in_full(one: OneCheck, period: Period, page: Cut[Passage]) -> CheckInFull:
    """The answer."""
    settings, down = one.settings, one.over.down
    told = None if settings is None else CheckSetting(
        kind=settings.kind, interval_ms=settings.interval_ms, timeout_ms=settings.timeout_ms, remote=settings.remote,
        confirm=settings.confirm, target=settings.target, digest=settings.digest,
    )  # fmt: skip
    return CheckInFull(
        as_of=iso_utc(one.now), check=one.name, node=one.name.partition("/")[0], condition=one.condition.value,
        since=None if one.since is None else iso_utc(one.since), message=one.message, settings=told,
        marks=dict(one.marks), said=list(map(_word, one.said)), services=list(map(_use, one.uses)),
        witness_of=list(one.witnesses), period=period.name, counted_ms=down.counted.total,
        certain_ms=down.certain.total, possible_ms=down.possible.total, unobserved_ms=one.over.unobserved.total,
        items=list(map(_stretch, page.items)), total=page.total, next=page.next,
    )  # fmt: skip


def _word(one: Said) -> Word:
    return Word(
        state=one.state, begin=iso_utc(one.begin), end=iso_utc(one.end), message=one.message, samples=one.samples
    )


def _use(one: Use) -> RestsOnIt:
    return RestsOnIt(service=one.id, group=one.group, category=one.category)


def _stretch(one: Passage) -> Stretch:
    return Stretch(
        begin=iso_utc(one.begin), end=iso_utc(one.end), kind=kind_of(one), shown_as=one.shown_as,
        message=one.message, spans=list(one.evidence),
    )  # fmt: skip
