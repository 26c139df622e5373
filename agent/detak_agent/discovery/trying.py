"""Tries what is proposed as the agent would, once, so that what is written switched on is known to be up."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from detak_agent.checks.base import CheckSettings, Kind, Surroundings
from detak_agent.clocks import SystemClock
from detak_agent.discovery.drafts import Draft, Finding, Proposal
from detak_agent.discovery.toml_text import Value
from detak_agent.runner import Check, Sampler, Starvation
from detak_agent.settings_reading import Errors, read_table
from detak_agent.spans import Sample

AT_ONCE = 16
_TICK_MS = 1_000
_MOST_TOLD = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """What is written for a proposal. `told` is what the better drafts said when they were tried, or this one did."""

    proposal: Proposal
    draft: Draft
    active: bool
    told: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A finding, and a choice for each of its proposals."""

    finding: Finding
    choices: tuple[Choice, ...]


Attempt = Callable[[Draft], Awaitable[Sample]]


def usable(findings: Sequence[Finding], registry: Mapping[str, Kind]) -> list[Finding]:
    """The findings without drafts that the agent would refuse, such as a unit whose name the kind does not take."""
    left = []
    for finding in findings:
        proposals = [
            replace(one, drafts=tuple(draft for draft in one.drafts if settings_of(draft, registry) is not None))
            for one in finding.proposals
        ]
        left.append(replace(finding, proposals=tuple(one for one in proposals if one.drafts)))
    return [finding for finding in left if finding.proposals]


def settings_of(draft: Draft, registry: Mapping[str, Kind]) -> CheckSettings | None:
    """As the agent would read it from its file; None where it would refuse."""
    kind = registry.get(draft.kind)
    if kind is None:
        return None
    keys = {key: list(value) if isinstance(value, tuple) else value for key, value in draft.keys.items()}
    settings = read_table(kind.settings, {"name": "tried", "kind": draft.kind, **keys}, "", Errors(""))
    return settings if settings is not None and not kind.problems(settings) else None


async def choose(proposal: Proposal, attempt: Attempt | None) -> Choice:
    """The first draft that is up or degraded; without `attempt` the first one, untried."""
    first = proposal.drafts[0]
    if attempt is None or proposal.off:
        return Choice(proposal, first, not proposal.off)
    told: list[str] = []
    for draft in proposal.drafts:
        sample = await attempt(draft)
        said = f"{draft.kind} is {sample.state}: {sample.message}"
        if proposal.sure:
            return Choice(proposal, draft, active=True, told="" if sample.state == "up" else said)
        if sample.state in {"up", "degraded"}:
            return Choice(proposal, draft, active=True, told=_joined(told) if draft.kind != first.kind else "")
        if draft.kind == first.kind and len(told) < _MOST_TOLD:
            told.append(said)
    return Choice(proposal, first, active=False, told=_joined(told))


def _joined(told: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(told))


async def choose_all(findings: Sequence[Finding], attempt: Attempt | None) -> list[Chosen]:
    """A choice for each proposal of all findings, in their order, each check once; a few are tried at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(proposal: Proposal) -> Choice:
        async with slots:
            return await choose(proposal, attempt)

    every = iter(await asyncio.gather(*(one(proposal) for finding in findings for proposal in finding.proposals)))
    return without_doubles([Chosen(one, tuple(itertools.islice(every, len(one.proposals)))) for one in findings])


def without_doubles(every: Sequence[Chosen]) -> list[Chosen]:
    """Two servers of one name share the check that both run."""
    seen: list[tuple[str, Mapping[str, Value]]] = []
    left = []
    for one in every:
        kept = []
        for choice in one.choices:
            what = (choice.draft.kind, choice.draft.keys)
            if what not in seen:
                seen.append(what)
                kept.append(choice)
        left.append(replace(one, choices=tuple(kept)))
    return [one for one in left if one.choices]


def attempt_with(registry: Mapping[str, Kind]) -> Attempt:
    """Takes one sample of a draft, exactly as the agent does."""
    clock = SystemClock()

    async def attempt(draft: Draft) -> Sample:
        settings = settings_of(draft, registry)
        assert settings is not None, "drafts that the agent would refuse are left out before"
        sampler = Sampler(Check(settings, registry[draft.kind]), Surroundings(), clock, Starvation(_TICK_MS))
        return await sampler.sample()

    return attempt
