"""The pages of disputes: the list, a new one, one with its answer. No decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.closing.bodies import DISMISS, TAKE_BACK, UPHOLD, Answer, DisputeBody
from detak_collector.closing.disputes import Dispute, DisputeState
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.recording import RefusedError
from detak_collector.downtime.numbering import Known
from detak_collector.downtime.periods import local_instant
from detak_collector.translation.language import mark
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.work.closing_desk import ClosingDesk
from detak_collector.web.work.exclusions_desk import ElsewhereError, author_of
from detak_collector.web.work.exclusions_form import REQUIRED, Fault
from detak_collector.web.work.exclusions_setting import MOST_BYTES, MOST_FIELDS, Setting
from detak_collector.web.work.exclusions_words import FOLLOWS

STATES = {
    DisputeState.OPEN: mark("open"),
    DisputeState.UPHELD: mark("upheld"),
    DisputeState.DISMISSED: mark("dismissed"),
    DisputeState.TAKEN_BACK: mark("taken back"),
}
ANSWERS: dict[str, tuple[Answer, str, str]] = {
    "uphold": (UPHOLD, "upheld", "upholds"),
    "dismiss": (DISMISS, "dismissed", "dismisses"),
    "take-back": (TAKE_BACK, "taken-back", "takes back"),
}
NOTICES = {
    "disputed": mark("It is disputed: its period is not sealed until an approver has answered."),
    "upheld": mark("It is upheld. What follows of it is proposed as an exclusion or a declaration."),
    "dismissed": mark("It is dismissed."),
    "taken-back": mark("It is taken back."),
}
UNKNOWN = mark("No outage has this number.")
PAST = mark("That lies in the past.")
ODD_TIME = mark("Expected a date and a time.")
CLOSED = mark("Its period is sealed, or somebody disputes it already.")
ANSWERED = mark("It is answered already, or it is your own.")
NO_SUCH = mark("There is no dispute of that number.") + "\n"
LONGEST = 2_000


class DisputePages:
    """All of them."""

    def __init__(self, desk: ClosingDesk) -> None:
        self._desk = desk

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """The open ones first."""
        at = await Setting.seen(self._desk, request)
        found = (await self._desk.disputes()).all
        rows = sorted(found, key=lambda one: (one.state is not DisputeState.OPEN, -one.number))
        return at.page("disputes.html", title=at.say("Disputes"), rows=rows, states=STATES,
                       may_propose=at.person is not None and Right.PROPOSE in at.person.rights)  # fmt: skip

    async def fresh(self, request: web.Request) -> web.StreamResponse:
        """The empty form, with the outage that the address names."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        return self._form(at, {"outage": request.query.get("outage", "")[:20]}, {})

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Disputes an outage."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        fields = await at.read(MOST_BYTES, MOST_FIELDS)
        number = fields.get("outage", "").strip()
        is_number = number.isascii() and number.isdigit() and len(number) < 16
        known = await self._desk.outage(int(number)) if is_number else None
        faults, deadline = _faults(fields, at, known)
        if faults or known is None:
            return self._form(at, fields, faults)
        body = dispute_body(known, at.tell.now, at.somebody, fields, deadline)
        try:
            made = await self._desk.dispute(body, at.somebody)
        except RefusedError:
            return self._form(at, fields, {"outage": Fault(CLOSED)}, 409)
        except ElsewhereError as error:
            return self._form(at, fields, {"outage": Fault(at.say(FOLLOWS, place=str(error) or "?"))}, 409)
        said = f"disputes outage {known.number}: {body.reason}"
        self._desk.audit("outage-disputed", str(made.number), at.somebody, said)
        return go_to(f"./{made.number}?notice=disputed")

    async def one(self, request: web.Request) -> web.StreamResponse:
        """One with its answer, or the form of it."""
        at = await Setting.seen(self._desk, request)
        return self._one(at, await self._found(request), {}, {})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers it."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        fields = await at.read(MOST_BYTES, MOST_FIELDS)
        dispute, action, reason = await self._found(request), fields.get("action", ""), fields.get("reason", "").strip()
        if action not in answers_of(dispute, at.person):
            return self._one(at, dispute, fields, {}, 409, at.say(ANSWERED))
        if not reason:
            return self._one(at, dispute, fields, {"reason": Fault(REQUIRED)}, 422)
        verdict, event, verb = ANSWERS[action]
        try:
            await self._desk.answer(dispute.number, verdict, reason[:LONGEST], at.somebody)
        except RefusedError:
            return self._one(at, await self._found(request), fields, {}, 409, at.say(ANSWERED))
        except ElsewhereError as error:
            return self._one(at, dispute, fields, {}, 409, at.say(FOLLOWS, place=str(error) or "?"))
        said = f"{verb} the dispute of outage {dispute.body.outage}: {reason}"
        self._desk.audit(f"dispute-{event}", str(dispute.number), at.somebody, said)
        return go_to(f"./{dispute.number}?notice={event}")

    def _form(
        self, at: Setting, fields: Mapping[str, str], faults: Mapping[str, Fault], status: int = 422
    ) -> web.Response:
        form = {name: fields.get(name, "") for name in ("outage", "reason", "ticket", "deadline")}
        return at.page("dispute-form.html", status if faults else 200, title=at.say("Dispute an outage"), form=form,
                       faults=faults)  # fmt: skip

    def _one(
        self, at: Setting, dispute: Dispute, fields: Mapping[str, str], faults: Mapping[str, Fault],
        status: int = 200, trouble: str = "",
    ) -> web.Response:  # fmt: skip
        return at.page(
            "dispute.html", status, title=at.say("Dispute {number}", number=str(dispute.number)), dispute=dispute,
            states=STATES, allowed=answers_of(dispute, at.person), form={"reason": fields.get("reason", "")},
            faults=faults, trouble=trouble, notice=NOTICES.get(at.request.query.get("notice", "")),
        )  # fmt: skip

    async def _found(self, request: web.Request) -> Dispute:
        number = request.match_info["number"]
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        dispute = (await self._desk.disputes()).numbered(int(number)) if is_number else None
        if dispute is None:
            raise web.HTTPNotFound(text=NO_SUCH)
        return dispute


def answers_of(dispute: Dispute, person: Person | None) -> tuple[str, ...]:
    """What this person may answer now."""
    if person is None or dispute.state is not DisputeState.OPEN:
        return ()
    if same_person(person.account.name, dispute.author):
        return ("take-back",)
    return ("uphold", "dismiss") if Right.APPROVE in person.rights else ()


def dispute_body(
    known: Known, now: int, person: Person, fields: Mapping[str, str], deadline: int | None
) -> DisputeBody:
    """What is entered."""
    end = now if known.running else known.end
    reason, ticket = fields.get("reason", "").strip()[:LONGEST], fields.get("ticket", "").strip()[:200]
    return DisputeBody(
        known.number, known.service, known.begin, end, author_of(person).login, reason, ticket, deadline
    )  # fmt: skip


def _faults(fields: Mapping[str, str], at: Setting, known: Known | None) -> tuple[dict[str, Fault], int | None]:
    faults: dict[str, Fault] = {}
    if known is None:
        faults["outage"] = Fault(UNKNOWN)
    if not fields.get("reason", "").strip():
        faults["reason"] = Fault(REQUIRED)
    words = fields.get("deadline", "").strip()
    deadline = None if not words else instant_of(words, at.rules.zone)
    if words and deadline is None:
        faults["deadline"] = Fault(ODD_TIME)
    elif deadline is not None and deadline <= at.tell.now:
        faults["deadline"] = Fault(PAST)
    return faults, deadline


def instant_of(words: str, zone: tzinfo) -> int | None:
    """The instant at which local clocks show this; None where it is no date and time."""
    try:
        wall = datetime.fromisoformat(words)
        return local_instant(wall.replace(tzinfo=None), zone)
    except (ValueError, OverflowError):
        return None
