"""What a proposal would change, as it travels from the process that derives to pages and the API. Plain data."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from msgspec import Struct

from detak_collector.decisions.corrections import Corrections
from detak_collector.decisions.effect import Change
from detak_collector.downtime.calendars import UNKNOWN, JointLeaveUnknownError
from detak_collector.downtime.catalogue import Declaration, Exclusion
from detak_collector.downtime.derive import Result
from detak_collector.errors import EvidenceDisposedError
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.translation.language import Language
from detak_collector.translation.saying import saying
from detak_collector.web.sheet import EffectSheet

MOST_SERVICES = 20


class Standing(Struct, frozen=True):
    """A period's figure: what is counted of what service time, and the verdict where there is one."""

    counted_ms: int
    service_time_ms: int
    verdict: str | None

    @property
    def percent(self) -> Fraction | None:
        """The figure, exact."""
        return Fraction(100 * self.counted_ms, self.service_time_ms) if self.service_time_ms else None


class OfService(Struct, frozen=True):
    """One service whose counted time differs."""

    service: str
    before_ms: int
    after_ms: int


class Period(Struct, frozen=True):
    """One period before and after; `running` while it is not over. Of the services the first MOST_SERVICES.

    `seal`: the number of its seal, by which its figure stays as it is; empty where it is not sealed.
    """

    period: str
    running: bool
    target_percent: str
    before: Standing
    after: Standing
    services: tuple[OfService, ...]
    seal: str = ""


class Effect(Struct, frozen=True):
    """The touched years so far, then the touched months. `unknown`: why no figure can be known.

    `hours`: which hours are not known then, by the names that UNKNOWN has for it.
    """

    periods: tuple[Period, ...] = ()
    unknown: str = ""
    hours: dict[str, str] = {}

    def why(self, language: Language) -> str:
        """Why no figure can be known, in that language."""
        return language.told(saying(UNKNOWN, **self.hours)) if self.hours else self.unknown


def effect_json(figures: Figures, rules: Rules, sheet: EffectSheet) -> bytes:
    """The effect, derived."""
    before = Corrections(rules.exclusions, rules.declarations)
    try:
        found = figures.effect(before, _after(before, sheet))
    except JointLeaveUnknownError as error:
        first = error.unknown[0]
        return msgspec.json.encode(Effect(unknown=first.line, hours=first.named))
    except EvidenceDisposedError as error:
        return msgspec.json.encode(Effect(unknown=str(error)))
    return msgspec.json.encode(Effect(tuple(_period(one, figures.seal_of(one.period)) for one in found)))


def read_effect(content: bytes) -> Effect:
    """The same, read."""
    return msgspec.json.decode(content, type=Effect)


def _after(before: Corrections, sheet: EffectSheet) -> Corrections:
    gone, added = set(sheet.without), sheet.added
    return Corrections(
        (
            *(one for one in before.exclusions if one not in gone),
            *(one for one in added if isinstance(one, Exclusion)),
        ),
        (
            *(one for one in before.declarations if one not in gone),
            *(one for one in added if isinstance(one, Declaration)),
        ),
    )


def _period(change: Change, seal: str) -> Period:
    before, after = change.before, change.after
    counted = {one.service.id: one.totals.counted_ms for one in before.services}
    differing = [
        OfService(one.service.id, counted.get(one.service.id, 0), one.totals.counted_ms)
        for one in after.services
        if one.totals.counted_ms != counted.get(one.service.id, 0)
    ]
    target = str(before.target_percent)
    return Period(
        change.period.name, before.running, target, _standing(before), _standing(after),
        tuple(differing[:MOST_SERVICES]), seal,
    )  # fmt: skip


def _standing(result: Result) -> Standing:
    figure = result.figure
    return Standing(figure.counted_ms, figure.service_time_ms, figure.verdict(result.target_percent))
