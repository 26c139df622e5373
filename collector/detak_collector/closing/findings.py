"""What keeps a period open, each with who is responsible. Pure: it is given what is so, and now.

Some findings only an approver other than the one who asks can set aside, with his reason; some nobody can; and some
are told and hinder nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from fractions import Fraction

from detak_collector.closing.terms import SealTerms
from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import Period
from detak_collector.translation.language import Language

MOST_NAMED = 5
MOST_RANGES = 12
SHORT_MS = 300_000
"""Time not observed that is shorter is no news."""


class Weight(StrEnum):
    """What a finding means for a seal."""

    FORBIDS = "forbids"
    HINDERS = "hinders"
    """Unless an approver signs for it."""
    TOLD = "told"


class Kind(StrEnum):
    """What a finding is about."""

    PERIOD = "period"
    BACKLOG = "backlog"
    COVERAGE = "coverage"
    UNOBSERVED = "unobserved"
    PROPOSAL = "proposal"
    CATALOGUE = "catalogue"
    DISPUTE = "dispute"
    SEAL = "seal"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them. `text` says what is so, `who` who can do something about it."""

    kind: Kind
    weight: Weight
    text: str
    who: str

    @property
    def line(self) -> str:
        """In one line."""
        return f"{self.text} ({self.who})"


@dataclass(frozen=True, slots=True)
class Backlog:
    """A node that may hold evidence of the period: up to when it is here (UTC ms), and what of it is missing.

    `open`: checks whose span begun before the period's end has not ended; `missing`: numbers of records never received.
    """

    node: str
    reach_utc: int
    open: tuple[str, ...] = ()
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a decision: what people call it, of what kind it is, and whose it is.

    `ends`: it is to end what is in force.
    """

    name: str
    about: str
    author: str
    deadline: int | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Inner:
    """A seal in force of a part of the period. `has_changed`: by what is known now its figure would be another."""

    label: str
    period: str
    has_changed: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """All that bears on whether a period can be sealed. `unannotated`: the outages that nobody wrote about."""

    period: Period
    now: int
    result: Result
    terms: SealTerms
    backlog: Sequence[Backlog] = ()
    proposals: Sequence[Waiting] = ()
    held: Waiting | None = None
    disputes: Sequence[Waiting] = ()
    inner: Sequence[Inner] = ()
    unannotated: Sequence[int] = ()


def findings(standing: Standing, language: Language, zone: tzinfo) -> tuple[Finding, ...]:
    """All of them, in the order in which they are best seen to, in the words of one language."""
    return tuple(_Telling(standing, language, zone).all())


def hindering(found: Sequence[Finding]) -> list[Finding]:
    """Those that keep a seal from taking effect at once."""
    return [one for one in found if one.weight is not Weight.TOLD]


@dataclass(frozen=True, slots=True)
class _Telling:
    """What is so, told to one kind of reader."""

    standing: Standing
    language: Language
    zone: tzinfo

    def all(self) -> Iterator[Finding]:
        standing = self.standing
        if standing.now < standing.period.end:
            text = self.language.say("{period} is not over: it ends on {moment}", period=standing.period.name,
                             moment=self._moment(standing.period.end))  # fmt: skip
            yield Finding(Kind.PERIOD, Weight.FORBIDS, text, self.language.say("nobody: it takes its time"))
            return
        for part in (
            self._backlog, self._inner, self._catalogue, self._proposals, self._disputes, self._coverage,
            self._unobserved, self._unannotated,
        ):  # fmt: skip
            yield from part()

    def _moment(self, instant: int) -> str:
        return self.language.moment(instant, self.zone)

    def _backlog(self) -> Iterator[Finding]:
        """While the period settles what may still come hinders; after that the wait is over, and it is only told."""
        until = self.standing.period.end + self.standing.terms.settle_ms
        say, weight = self.language.say, Weight.HINDERS if self.standing.now < until else Weight.TOLD
        for one in self.standing.backlog:
            reasons = self.language.listed(list(self._reasons(one)))
            if weight is Weight.HINDERS:
                text = say("node {node}: {reasons}; the wait for it ends on {moment}", node=one.node, reasons=reasons,
                           moment=self._moment(until))  # fmt: skip
            else:
                text = say("node {node}: {reasons}; it is waited for no longer", node=one.node, reasons=reasons)
            yield Finding(Kind.BACKLOG, weight, text, self._operators([one.node]))

    def _reasons(self, one: Backlog) -> Iterator[str]:
        say = self.language.say
        if one.reach_utc < self.standing.period.end:
            yield say("nothing of it is here from {moment} on", moment=self._moment(one.reach_utc))
        if one.open:
            checks = ", ".join(one.open[:MOST_NAMED])
            yield say("what began before the period ended goes on ({checks})", checks=checks)
        if one.missing:
            yield self.language.count("{number} record is missing", "{number} records are missing", one.missing)

    def _operators(self, names: Sequence[str]) -> str:
        return self.language.say("the operators of {names}", names=", ".join(names))

    def _other_than(self, author: str) -> str:
        if not author:
            return self.language.say("an approver")
        return self.language.say("an approver other than {name}", name=author)

    def _inner(self) -> Iterator[Finding]:
        say = self.language.say
        for one in self.standing.inner:
            if one.has_changed:
                text = say("{period} is sealed, no. {number}, and by what is known now its figure would be another",
                           period=one.period, number=one.label)  # fmt: skip
                who = say("whoever restates {period}, and an approver", period=one.period)
                yield Finding(Kind.SEAL, Weight.HINDERS, text, who)

    def _catalogue(self) -> Iterator[Finding]:
        held = self.standing.held
        if held is not None:
            text = self.language.say("version {number} of the catalogue touches time already past, and is held",
                                     number=held.name)  # fmt: skip
            yield Finding(Kind.CATALOGUE, Weight.HINDERS, text, self._other_than(held.author))

    def _proposals(self) -> Iterator[Finding]:
        say = self.language.say
        for one in self.standing.proposals:
            match one.about, one.ends:
                case "exclusion", False:
                    text = say("exclusion {name} is pending", name=one.name)
                case "exclusion", True:
                    text = say("{name}, the withdrawal of an exclusion, is pending", name=one.name)
                case _, False:
                    text = say("declaration {name} is pending", name=one.name)
                case _:
                    text = say("{name}, the withdrawal of a declaration, is pending", name=one.name)
            yield Finding(Kind.PROPOSAL, Weight.HINDERS, text, self._other_than(one.author))

    def _disputes(self) -> Iterator[Finding]:
        say = self.language.say
        for one in self.standing.disputes:
            if one.deadline is None:
                text = say("outage {number} is disputed by {name}", number=one.name, name=one.author)
            elif one.deadline < self.standing.now:
                text = say("outage {number} is disputed by {name}; the answer was due on {moment}", number=one.name,
                           name=one.author, moment=self._moment(one.deadline))  # fmt: skip
            else:
                text = say("outage {number} is disputed by {name}; the answer is due on {moment}", number=one.name,
                           name=one.author, moment=self._moment(one.deadline))  # fmt: skip
            yield Finding(Kind.DISPUTE, Weight.HINDERS, text, self._other_than(one.author))

    def _coverage(self) -> Iterator[Finding]:
        say, result = self.language.say, self.standing.result
        coverage, least = result.figure.coverage, self.standing.terms.coverage
        if coverage is None:
            text = say("no service of counted criticality has service time: there is no figure to seal")
            yield Finding(Kind.COVERAGE, Weight.HINDERS, text, say("whoever keeps services.toml"))
        elif coverage < least:
            lacking = (one for one in result.services if one.in_figure is not None and one.totals.unobserved_ms)
            worst = sorted(lacking, key=lambda one: (-one.totals.unobserved_ms, one.service.id))
            text = say("coverage is {share} %, and a seal asks for {least} %", share=self._percent(coverage),
                       least=self._percent(least))  # fmt: skip
            who = self._operators([one.service.id for one in worst[:MOST_NAMED]])
            yield Finding(Kind.COVERAGE, Weight.HINDERS, text, who)

    def _percent(self, share: Fraction) -> str:
        """Three decimals, rounded down: what lacks something is never told as whole."""
        return self.language.short(Fraction(int(share * 100_000), 1_000))

    def _unobserved(self) -> Iterator[Finding]:
        for one in self.standing.result.services:
            if one.in_figure is not None and one.totals.unobserved_ms >= SHORT_MS:
                text = self.language.say("service {service} was not observed for {length}", service=one.service.id,
                                         length=self.language.length(one.totals.unobserved_ms))  # fmt: skip
                yield Finding(Kind.UNOBSERVED, Weight.TOLD, text, self._operators([one.service.id]))

    def _unannotated(self) -> Iterator[Finding]:
        numbers = self.standing.unannotated
        if numbers:
            text = self.language.count(
                "{number} outage has no annotation: {which}", "{number} outages have no annotation: {which}",
                len(numbers), which=ranges(numbers),
            )  # fmt: skip
            yield Finding(Kind.ANNOTATION, Weight.TOLD, text, self.language.say("the operators"))


def ranges(numbers: Sequence[int]) -> str:
    """Numbers in order, for people: `1-4, 7, 9-12`, and dots where there are many more."""
    found: list[list[int]] = []
    for one in numbers:
        if found and one == found[-1][1] + 1:
            found[-1][1] = one
        else:
            found.append([one, one])
    told = [str(first) if first == last else f"{first}-{last}" for first, last in found]
    return ", ".join(told[:MOST_RANGES] + (["…"] if len(told) > MOST_RANGES else []))
