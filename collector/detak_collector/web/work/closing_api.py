"""Closing and disputes for programs: what their pages do, as JSON. No decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from aiohttp import web
from msgspec import Struct

from detak_collector.accounts.roles import Right
from detak_collector.closing.bodies import APPROVE, REJECT, Answer, Verdict
from detak_collector.closing.disputes import Dispute
from detak_collector.closing.examined import Examined, Sum
from detak_collector.closing.recording import Ruling
from detak_collector.closing.seals import Seal
from detak_collector.closing.timestamping import TimestampError
from detak_collector.decisions.recording import RefusedError
from detak_collector.downtime.periods import local_year
from detak_collector.report.numbers import iso_utc
from detak_collector.translation import ENGLISH
from detak_collector.web.session import Person
from detak_collector.web.work.closing_desk import ClosingDesk
from detak_collector.web.work.closing_view import Row, acts_of, closable, history_of, row_of, rows_of
from detak_collector.web.work.disputes import ANSWERS, LONGEST, answers_of, dispute_body
from detak_collector.web.work.exclusions_form import instant_of
from detak_collector.web.work.exclusions_json import (
    RefusedRequest,
    answered,
    asker,
    body_of,
    enterer,
    problem,
    refusing,
)

NOT_NOW = "By now it stands otherwise, it is one's own, or the roles do not include it."
UNKNOWN = "What the facts say cannot be derived at this moment."
EVENTS = {
    "seal": "seal-asked", "restate": "restatement-asked", "approve": "seal-approved", "reject": "seal-rejected",
    "take-back": "seal-taken-back",
}  # fmt: skip
"""What the audit trail calls it, as it does where it is done on a page or by a command."""


class ClosingAct(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done with a period."""

    action: Literal["seal", "restate", "approve", "reject", "take-back"]
    reason: str = ""


class DisputedOutage(Struct, frozen=True, forbid_unknown_fields=True):
    """An outage, by its number, that is not as it is told."""

    outage: int
    reason: str
    ticket: str = ""
    deadline: str | None = None


class DisputeAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to a dispute."""

    verdict: Answer
    reason: str


BODIES = (ClosingAct, DisputedOutage, DisputeAnswer)


class ClosingApi:
    """The handlers."""

    def __init__(self, desk: ClosingDesk) -> None:
        self._desk = desk

    @refusing
    async def listing(self, request: web.Request) -> web.Response:
        """The periods of a year."""
        await asker(self._desk, request, Right.SEE)
        zone, now = (await self._desk.rules()).zone, self._desk.now()
        words = request.query.get("year", str(local_year(now, zone)))
        if not (words.isascii() and words.isdigit() and len(words) == 4 and int(words) <= local_year(now, zone)):
            return problem(400, "year: a year that has begun, such as 2026.")
        rows = rows_of(int(words), await self._desk.seals(), now, zone, self._desk.people.config().seal)
        return answered(request, {"items": [_row_json(one) for one in rows], "total": len(rows), "next": None})

    @refusing
    async def one(self, request: web.Request) -> web.Response:
        """One period, with what keeps it open."""
        await asker(self._desk, request, Right.SEE)
        row, examined = await self._row(request)
        return answered(request, await self._told(row, examined))

    @refusing
    async def act(self, request: web.Request) -> web.Response:
        """Asks for a seal or a restatement, or decides on one."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        told = await body_of(request, ClosingAct)
        row, examined = await self._row(request)
        if examined is None or told.action not in acts_of(row, examined, person):
            return problem(409, NOT_NOW if examined is not None else UNKNOWN)
        reason = told.reason.strip()[:LONGEST]
        needs_reason = told.action in {"restate", "reject", "take-back"} or (told.action == "seal" and examined.hinders)
        if needs_reason and not reason:
            return problem(422, "reason: is required.")
        try:
            if told.action in {"seal", "restate"}:
                made = await self._desk.ask(examined, reason, person)
            else:
                made = await self._decided(row, examined, told, reason, person)
        except RefusedError as error:
            return problem(409, str(error))
        except TimestampError as error:
            return problem(503, str(error))
        self._desk.audit(EVENTS[told.action], made.label, person, f"{told.action} {made.what}: {reason}")
        row, examined = await self._row(request)
        return answered(request, await self._told(row, examined), 201)

    async def _decided(self, row: Row, examined: Examined, told: ClosingAct, reason: str, person: Person) -> Seal:
        assert row.pending is not None, "acts_of allows no decision without"
        verdict: Verdict = "approve" if told.action == APPROVE else "reject" if told.action == REJECT else "take-back"
        body = examined.body
        if verdict == APPROVE and (body is None or body.digest != row.pending.body.digest):
            raise RefusedRequest(problem(409, "By now the facts say another figure than was asked for."))
        return await self._desk.decide(Ruling(row.pending.label, verdict, reason), person)

    @refusing
    async def disputes(self, request: web.Request) -> web.Response:
        """All disputes, the latest first."""
        await asker(self._desk, request, Right.SEE)
        found = [_dispute_json(one) for one in reversed((await self._desk.disputes()).all)]
        return answered(request, {"items": found, "total": len(found), "next": None})

    @refusing
    async def dispute(self, request: web.Request) -> web.Response:
        """Disputes an outage."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        told = await body_of(request, DisputedOutage)
        known, now = await self._desk.outage(told.outage), self._desk.now()
        deadline = None if told.deadline is None else instant_of(told.deadline)
        if known is None:
            return problem(422, "outage: none has this number.")
        if not told.reason.strip():
            return problem(422, "reason: is required.")
        if told.deadline is not None and (deadline is None or deadline <= now):
            return problem(422, "deadline: an instant that lies ahead, such as 2026-11-05T00:00:00Z.")
        fields = {"reason": told.reason, "ticket": told.ticket}
        try:
            made = await self._desk.dispute(dispute_body(known, now, person, fields, deadline), person)
        except RefusedError as error:
            return problem(409, str(error))
        self._desk.audit("outage-disputed", str(made.number), person, f"disputes outage {known.number}: {told.reason}")
        return answered(request, _dispute_json(made), 201)

    @refusing
    async def answer(self, request: web.Request) -> web.Response:
        """Answers one."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        told = await body_of(request, DisputeAnswer)
        number = request.match_info["number"]
        found = (await self._desk.disputes()).numbered(int(number) if number.isdecimal() and len(number) < 10 else 0)
        if found is None:
            return problem(404, "There is no dispute of that number.")
        if told.verdict not in answers_of(found, person):
            return problem(409, NOT_NOW)
        if not told.reason.strip():
            return problem(422, "reason: is required.")
        try:
            made = await self._desk.answer(found.number, told.verdict, told.reason.strip()[:LONGEST], person)
        except RefusedError as error:
            return problem(409, str(error))
        _, event, verb = ANSWERS[told.verdict]
        said = f"{verb} the dispute of outage {made.body.outage}: {told.reason}"
        self._desk.audit(f"dispute-{event}", str(made.number), person, said)
        return answered(request, _dispute_json(made), 201)

    async def _row(self, request: web.Request) -> tuple[Row, Examined | None]:
        zone, now = (await self._desk.rules()).zone, self._desk.now()
        period = closable(request.match_info["period"], zone, now)
        if period is None or period.begin >= now:
            raise RefusedRequest(problem(404, "Months, quarters, halves and years that have begun are closed."))
        row = row_of(period, await self._desk.seals(), now, self._desk.people.config().seal)
        return row, await self._desk.examined(ENGLISH, period.name)

    async def _told(self, row: Row, examined: Examined | None) -> Mapping[str, object]:
        history = history_of(row.period, await self._desk.seals())
        return {**_row_json(row), "history": [_seal_json(one) for one in history], **_examined_json(examined)}


def _row_json(one: Row) -> dict[str, object]:
    return {
        "period": one.period.name,
        "from": iso_utc(one.period.begin),
        "to": iso_utc(one.period.end),
        "state": one.state,
        "seal": None if one.seal is None else one.seal.label,
        "pending": None if one.pending is None else one.pending.label,
    }


def _seal_json(one: Seal) -> dict[str, object]:
    body = one.body
    return {
        "number": one.label,
        "state": one.state.value,
        "restates": None if one.restates is None else one.restates.label,
        "asked_by": one.author,
        "asked_at": iso_utc(one.entry.recorded_utc),
        "decided_by": None if one.decision is None else one.decision.author,
        "decided_at": None if one.decision is None else iso_utc(one.decision.recorded_utc),
        "reason": body.reason,
        "despite": list(body.hindrances),
        "touches": list(body.touched),
        "evidence_up_to": iso_utc(body.as_of),
        "ledger": body.head,
        "digest": body.digest,
    }


def _examined_json(examined: Examined | None) -> dict[str, object]:
    if examined is None:
        return {"findings": None, "figure": None, "sealed_figure": None, "unknown": UNKNOWN}
    return {
        "findings": [{"kind": one.kind, "weight": one.weight, "text": one.text, "who": one.who}
                     for one in examined.findings],
        "figure": None if examined.figure is None else _plain(examined.figure),
        "sealed_figure": None if examined.sealed is None else _plain(examined.sealed),
        "unknown": examined.unknown,
    }  # fmt: skip


def _plain(figure: Sum) -> dict[str, object]:
    return {
        "counted_ms": figure.counted_ms,
        "certain_ms": figure.certain_ms,
        "possible_ms": figure.possible_ms,
        "service_time_ms": figure.service_time_ms,
        "percent": figure.percent,
        "verdict": figure.verdict,
    }


def _dispute_json(one: Dispute) -> dict[str, object]:
    body = one.body
    return {
        "number": one.number,
        "state": one.state.value,
        "outage": body.outage,
        "service": body.service,
        "reason": body.reason,
        "ticket": body.ticket,
        "disputed_by": one.author,
        "disputed_at": iso_utc(one.entry.recorded_utc),
        "deadline": None if body.deadline is None else iso_utc(body.deadline),
        "answered_by": None if one.answer is None else one.answer.author,
        "answer": None if one.answered is None else one.answered.reason,
    }
