"""What a third party answers for in a period: the exclusions put down to him, and how he takes them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detak_collector.decisions.claims import Claim, Stance
from detak_collector.decisions.corrections import SOMEBODY, windows_of
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.proposal import EXCLUSION, Provider
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, Exclusion
from detak_collector.downtime.derive import Result
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.scopes import Scopes


@dataclass(frozen=True, slots=True)
class Attributed:
    """Time that is put down to a third party: one window of an exclusion, as far as it lies in the period.

    `told` is what he says himself, `stance` how he takes it and `why`. `outages` are those that share time with it,
    each with how long. `took_out_ms`: how much more would be counted without it, None where that was not measured.
    """

    name: str
    state: State
    window: Exclusion
    begin: int
    end: int
    told: Provider
    stance: Stance
    why: str
    outages: tuple[tuple[Outage, int], ...]
    took_out_ms: int | None

    @property
    def length_ms(self) -> int:
        """How long it is in the period."""
        return self.end - self.begin


def providers(register: Register) -> list[str]:
    """Every third party that anything live is put down to, by the name it was first entered with."""
    found: list[str] = []
    for matter in _live(register):
        name = matter.proposal.body.provider.name
        if name and not any(same_person(name, one) for one in found):
            found.append(name)
    return sorted(found)


def names_of(register: Register, result: Result, provider: str) -> list[str]:
    """The exclusions in force that are put down to him in the result's period."""
    return [one.name for one, _ in _windows(register, result, provider) if one.state is State.IN_FORCE]


def attributed(
    register: Register,
    claims: Mapping[str, Sequence[Claim]],
    result: Result,
    provider: str,
    effects: Mapping[str, int],
) -> list[Attributed]:
    """All that is in force or pending and put down to him, in the order of time. Names differ as persons' names do."""
    found = []
    for matter, window in _windows(register, result, provider):
        said = claims.get(register.root_of(matter).matters[0].proposal.entry.id, ())
        last = said[-1].body if said else None
        begin, end = max(window.begin, result.period.begin), min(window.end, result.period.end)
        found.append(
            Attributed(
                name=matter.name,
                state=matter.state,
                window=window,
                begin=begin,
                end=end,
                told=matter.proposal.body.provider,
                stance="claimed" if last is None else last.stance,
                why="" if last is None else last.reason,
                outages=tuple(_outages(result, window, begin, end)),
                took_out_ms=effects.get(matter.name) if matter.state is State.IN_FORCE else None,
            )
        )
    return sorted(found, key=lambda one: (one.begin, one.name))


def _live(register: Register) -> Iterator[Matter]:
    return (one for one in register.about(EXCLUSION) if one.live and not one.is_withdrawal)


def _windows(register: Register, result: Result, provider: str) -> Iterator[tuple[Matter, Exclusion]]:
    period = result.period
    for matter in _live(register):
        told = matter.proposal.body.provider.name
        if told and same_person(told, provider):
            for window in windows_of(matter, period.end):
                if isinstance(window, Exclusion) and window.begin < period.end and period.begin < window.end:
                    yield matter, window


def _outages(result: Result, window: Exclusion, begin: int, end: int) -> Iterator[tuple[Outage, int]]:
    """Those of the services that its scope touches."""
    every = replace(result.case.catalogue, counted_exclusions=EXCLUSION_CATEGORIES)
    scopes = Scopes.of(every, [replace(window, approved_by=SOMEBODY)])
    for service in result.services:
        if scopes.touching(service.service):
            for outage in service.outages:
                shared = min(outage.end, end) - max(outage.begin, begin)
                if shared > 0:
                    yield outage, shared
