"""Exclusions and declarations for programs: what their pages do, as JSON. No decisions."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from detak_collector.accounts.roles import Right
from detak_collector.decisions.claims import Stance
from detak_collector.decisions.corrections import is_drill
from detak_collector.decisions.proposal import ADD, NOBODY, REPLACE, WITHDRAW, Provider, Verdict
from detak_collector.decisions.recording import Draft, RefusedError, Step
from detak_collector.decisions.register import Matter
from detak_collector.report.numbers import iso_utc
from detak_collector.web.session import Person
from detak_collector.web.work.exclusions_acts import Act, acts_of, hindered, ruling_of
from detak_collector.web.work.exclusions_desk import Desk, Known, author_of
from detak_collector.web.work.exclusions_effect import Effect
from detak_collector.web.work.exclusions_form import OWN_TIMES, Desired, Fault, Faults, drill_faults, faults_of
from detak_collector.web.work.exclusions_form import instant_of as moment_of
from detak_collector.web.work.exclusions_json import (
    RefusedRequest,
    answered,
    asker,
    body_of,
    enterer,
    problem,
    refusing,
    wrong,
)
from detak_collector.web.work.exclusions_view import history, listed, row_json, row_of, step_json, wanted_of
from detak_collector.web.work.exclusions_words import NO_MORE, Subject


class ThirdParty(Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers for an outage, and when it was by his own word."""

    name: str
    circuit: str = ""
    ticket: str = ""
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None


class Proposed(Struct, frozen=True, forbid_unknown_fields=True):
    """What is proposed: a record with the keys of exclusions.ndjson but for id, proposer and approver."""

    record: dict[str, Any]
    because: str = ""
    drill: bool = False
    provider: ThirdParty | None = None


class Withdrawn(Struct, frozen=True, forbid_unknown_fields=True):
    """Why what is in force is to end."""

    reason: str
    document: str


class Decided(Struct, frozen=True, forbid_unknown_fields=True):
    """What is decided on a proposal."""

    verdict: Verdict
    reason: str = ""
    document: str = ""


class Claimed(Struct, frozen=True, forbid_unknown_fields=True):
    """How a third party takes it."""

    stance: Stance
    reason: str


BODIES = (ThirdParty, Proposed, Withdrawn, Decided, Claimed)


class CorrectionsApi:
    """Those of one subject."""

    def __init__(self, desk: Desk, subject: Subject) -> None:
        self._desk = desk
        self._subject = subject

    @refusing
    async def listing(self, request: web.Request) -> web.Response:
        """A page of them, newest first; `next` is the number of the page after it."""
        await asker(self._desk, request, Right.SEE)
        wanted = wanted_of(request.query)
        if wanted is None:
            return problem(400, "state: one of live, pending, force, over, all; page: a whole number.")
        known = await self._desk.known()
        found = await asyncio.to_thread(listed, known, self._subject.about, wanted)
        after = found.page + 1 if found.page < found.pages else None
        return answered(request, {"items": [row_json(one) for one in found.rows], "total": found.total, "next": after})

    @refusing
    async def one(self, request: web.Request) -> web.Response:
        """One with its history."""
        await asker(self._desk, request, Right.SEE)
        known, matter = await self._found(request)
        steps = [step_json(one) for one in history(known, matter)]
        claims = [
            {"stance": one.body.stance, "reason": one.body.reason, "at": iso_utc(one.entry.recorded_utc)}
            for one in known.claims_on(matter)
        ]
        return answered(request, {**row_json(row_of(matter, known)), "history": steps, "claims": claims})

    @refusing
    async def effect(self, request: web.Request) -> web.Response:
        """What one that is pending would change."""
        await asker(self._desk, request, Right.SEE)
        known, matter = await self._found(request)
        return self._effect(request, await self._desk.effect(known.register, [matter.name]))

    @refusing
    async def imagined(self, request: web.Request) -> web.Response:
        """What one that is not proposed yet would change."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        draft = await self._draft(request, person)
        try:
            register, names = await self._desk.imagined([draft], person)
        except RefusedError:
            return problem(409, NO_MORE)
        return self._effect(request, await self._desk.effect(register, names))

    @refusing
    async def propose(self, request: web.Request) -> web.Response:
        """Proposes one."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        return await self._enter(request, await self._draft(request, person), person, ("proposed", "proposes"))

    @refusing
    async def amend(self, request: web.Request) -> web.Response:
        """Proposes another one in its place."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        known, matter = await self._found(request)
        self._require(matter, known, person, Act.AMEND)
        draft = await self._draft(request, person, matter)
        return await self._enter(request, draft, person, ("proposed", "proposes"))

    @refusing
    async def withdraw(self, request: web.Request) -> web.Response:
        """Proposes the end of one that is in force."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        known, matter = await self._found(request)
        self._require(matter, known, person, Act.WITHDRAW)
        told = await body_of(request, Withdrawn)
        empty = {name: Fault("required") for name in ("reason", "document") if not getattr(told, name).strip()}
        if empty:
            return wrong(empty)
        draft = Draft(self._subject.about, WITHDRAW, matter.name, None, told.reason[:2_000], told.document[:200])
        return await self._enter(request, draft, person, ("proposed", "proposes"))

    @refusing
    async def decide(self, request: web.Request) -> web.Response:
        """Approves, rejects or takes back."""
        person = await enterer(self._desk, request, Right.SEE)
        known, matter = await self._found(request)
        told = await body_of(request, Decided)
        act = Act(told.verdict)
        if act.right not in person.rights:
            return problem(403, "The roles of this account, or the scopes of this token, do not include it.")
        self._require(matter, known, person, act)
        fields = {"reason": told.reason, "document": told.document}
        faults = act.faults(fields)
        if faults:
            return wrong(faults)
        return await self._enter(request, ruling_of(matter, act, fields), person, (act.event, act.verb))

    @refusing
    async def claim(self, request: web.Request) -> web.Response:
        """Keeps how a third party takes it."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        known, matter = await self._found(request)
        self._require(matter, known, person, Act.CLAIM)
        told = await body_of(request, Claimed)
        fields = {"stance": told.stance, "claim_reason": told.reason}
        faults = Act.CLAIM.faults(fields)
        if faults:
            return wrong(faults)
        body = Act.CLAIM.claim(matter, known, fields, author_of(person).login)
        await self._desk.claim(body, person)
        self._desk.audit("exclusion-claim", matter.name, person, f"keeps that {matter.name} is {body.stance}")
        again, matter = await self._found(request)
        return answered(request, row_json(row_of(matter, again)), 201)

    @staticmethod
    def _effect(request: web.Request, effect: Effect | None) -> web.Response:
        if effect is None:
            return problem(503, "What it changes cannot be derived at this moment. Ask again in a while.")
        return answered(request, msgspec.to_builtins(effect))

    async def _draft(self, request: web.Request, person: Person, matter: Matter | None = None) -> Draft:
        told = await body_of(request, Proposed)
        rules, now = await self._desk.rules(), self._desk.now()
        was_drill = matter is not None and is_drill(matter)
        author, amends = author_of(person), matter is not None
        desired = Desired(self._subject.about, rules.catalogue, author, now, amends, was_drill)
        provider, faults = _provider(told.provider)
        faults |= faults_of(told.record, desired)
        faults |= drill_faults(told.record, desired, drill=told.drill) if not faults else {}
        if matter is not None and not told.because.strip():
            faults["because"] = Fault("required")
        if faults:
            raise RefusedRequest(wrong(faults))
        if matter is None:
            return Draft(self._subject.about, ADD, "", told.record, drill=told.drill, provider=provider)
        uid = matter.proposal.body.uid
        return Draft(
            self._subject.about, REPLACE, matter.name, told.record, told.because.strip()[:2_000], uid=uid,
            drill=told.drill, provider=provider,
        )  # fmt: skip

    async def _enter(self, request: web.Request, step: Step, person: Person, said: tuple[str, str]) -> web.Response:
        event, verb = said
        try:
            (name,) = await self._desk.enter([step], person)
        except RefusedError:
            return problem(409, NO_MORE)
        about = self._subject.about
        self._desk.audit(f"{about}-{event}", name, person, f"{verb} {name}")
        known = await self._desk.known()
        matter = known.register.named(name, about)
        assert matter is not None, "it was just entered"
        return answered(request, row_json(row_of(matter, known)), 201)

    async def _found(self, request: web.Request) -> tuple[Known, Matter]:
        known = await self._desk.known()
        matter = known.register.named(request.match_info["name"].casefold()[:20], self._subject.about)
        if matter is None:
            raise RefusedRequest(problem(404, "There is nothing of that number."))
        return known, matter

    @staticmethod
    def _require(matter: Matter, known: Known, person: Person, act: Act) -> None:
        if act not in acts_of(matter, known, person):
            raise RefusedRequest(problem(409, hindered(matter, person, act)))


def _provider(told: ThirdParty | None) -> tuple[Provider, Faults]:
    if told is None:
        return NOBODY, {}
    begin, end = moment_of(told.from_), moment_of(told.to)
    is_half = (told.from_ is None) != (told.to is None) or (told.from_ is not None and begin is None)
    if is_half or (begin is not None and (end is None or end <= begin)):
        return NOBODY, {"provider": Fault(OWN_TIMES)}
    return Provider(told.name[:200], told.circuit[:200], told.ticket[:200], begin, end), {}
