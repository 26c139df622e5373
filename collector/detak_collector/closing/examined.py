"""What is known of a period that is to be closed, as the process that derives tells it: plain data, and its JSON.

The serving process derives nothing: it shows this, and enters the seal that stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import msgspec
from msgspec import Struct

from detak_collector.catalogue.unknown_hours import all_told
from detak_collector.closing.account import Account, AccountError, account_of, changed_services
from detak_collector.closing.bodies import SealBody
from detak_collector.closing.findings import Finding, findings, hindering
from detak_collector.closing.gathering import Ground, seals_of, standing_of
from detak_collector.closing.sealing import Wish, seal_body, touched_seals
from detak_collector.closing.seals import Seal
from detak_collector.closing.terms import SealTerms
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.downtime.periods import PeriodError, parse_period
from detak_collector.figures import Figures
from detak_collector.ledger.chain import Head
from detak_collector.report.numbers import decimal_text
from detak_collector.rules import Rules
from detak_collector.store.database import Database
from detak_collector.store.entries import SqlEntries
from detak_collector.translation import ENGLISH
from detak_collector.translation.language import language

NO_HEAD = Head(0, bytes(32))
"""The serving process says which head covers it."""

MOST_SERVICES = 50


@dataclass(frozen=True, slots=True)
class ClosingSheet:
    """Asks for this. `mark`: how many entries there were, so that whatever was entered since makes another question."""

    language: str
    period: str
    terms: SealTerms
    program: str
    mark: int


class Told(Struct, frozen=True):
    """A finding in the reader's words. `line`: as it is kept with a seal."""

    kind: str
    weight: str
    text: str
    who: str
    line: str


class Sum(Struct, frozen=True):
    """A figure: exact milliseconds, and the percentage with twelve decimals, None where there is none."""

    counted_ms: int
    certain_ms: int
    possible_ms: int
    service_time_ms: int
    percent: str | None
    verdict: str | None

    @property
    def rate(self) -> Fraction | None:
        """The percentage, exact."""
        return Fraction(100 * self.counted_ms, self.service_time_ms) if self.service_time_ms else None


class OfService(Struct, frozen=True):
    """A service whose account differs from the sealed one; None in the one that has it not."""

    service: str
    before_ms: int | None
    after_ms: int | None


class Examined(Struct, frozen=True):
    """`figure` is by all that is known now, `sealed` that of the seal in force, `services` where the two differ.

    `body` is the seal, or where one is in force the restatement, that would be entered now; None where that cannot be:
    `unknown` says why. `is_over`: whether the period is. `touched`: the other seals that a restatement concerns.
    """

    figure: Sum | None
    findings: tuple[Told, ...] = ()
    sealed: Sum | None = None
    services: tuple[OfService, ...] = ()
    body: SealBody | None = None
    unknown: str = ""
    is_over: bool = True
    touched: tuple[str, ...] = ()

    def despite(self, kept: str) -> str | None:
        """What was kept with a seal that is asked for, in the reader's words; None where it is no longer so."""
        return next((f"{one.text} ({one.who})" for one in self.findings if one.line == kept), None)

    @property
    def hinders(self) -> bool:
        """Whether anything does."""
        return self.body is not None and bool(self.body.hindrances)


def examined_json(database: Database, figures: Figures, now: int, sheet: ClosingSheet, rules: Rules) -> bytes:
    """The answer, derived."""
    try:
        return msgspec.json.encode(_examined(database, figures, now, sheet, rules))
    except (PeriodError, AccountError) as error:
        return msgspec.json.encode(Examined(None, unknown=str(error)))
    except JointLeaveUnknownError as error:
        return msgspec.json.encode(Examined(None, unknown=all_told(error.unknown[:1], language(sheet.language))))


def read_examined(content: bytes) -> Examined:
    """The same, read."""
    return msgspec.json.decode(content, type=Examined)


def _examined(database: Database, figures: Figures, now: int, sheet: ClosingSheet, rules: Rules) -> Examined:
    period = parse_period(sheet.period, rules.zone, now)
    result = figures.derived(period)
    account = account_of(result)
    with database.reading() as connection:
        seals = seals_of(connection)
    seal = seals.in_force(period)
    if seal is not None:
        touched, spoken = tuple(touched_seals(seals, seal)), language(sheet.language)
        body = seal_body(result, NO_HEAD, sheet.program, (), Wish(needs_approval=True, touched=touched), seal)
        return Examined(_sum(account), sealed=_sum(seal.account), services=_differing(seal, account), body=body,
                        touched=tuple(map(spoken.told, touched)))  # fmt: skip
    ground = Ground(database, SqlEntries(database), rules, sheet.terms)
    standing = standing_of(ground, result, figures.derived, now)
    english = findings(standing, language(ENGLISH), rules.zone)
    told = english if sheet.language == ENGLISH else findings(standing, language(sheet.language), rules.zone)
    body = seal_body(result, NO_HEAD, sheet.program, hindering(english), Wish(needs_approval=True))
    return Examined(_sum(account), _told(told, english), body=body, is_over=now >= period.end)


def _told(found: Sequence[Finding], english: Sequence[Finding]) -> tuple[Told, ...]:
    both = zip(found, english, strict=True)
    return tuple(Told(one.kind, one.weight, one.text, one.who, kept.line) for one, kept in both)


def _sum(account: Account) -> Sum:
    figure, percent = account.figure, account.figure.percent
    return Sum(
        figure.counted_ms, figure.certain_ms, figure.possible_ms, figure.service_time_ms,
        None if percent is None else decimal_text(percent, 12), figure.verdict(account.target_percent),
    )  # fmt: skip


def _differing(seal: Seal, now: Account) -> tuple[OfService, ...]:
    if seal.body.digest == now.digest:
        return ()
    changed = list(changed_services(seal.account, now))[:MOST_SERVICES]
    return tuple(
        OfService(name, *(None if one is None else one.counted_ms for one in (before, after)))
        for name, before, after in changed
    )
