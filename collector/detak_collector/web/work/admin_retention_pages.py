"""/admin/retention: how long evidence is kept, what of it may go, and the disposals with their two people."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK, Verdict
from detak_collector.decisions.persons import same_person
from detak_collector.retention.disposals import Disposal, DisposalState
from detak_collector.retention.reach import month_name
from detak_collector.translation.language import language, mark
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.speaking import spoken_by
from detak_collector.web.work.admin_desk import RefusedError
from detak_collector.web.work.admin_pages import Administration
from detak_collector.web.work.admin_retention import RetentionOffice, Standing

SEES = (Right.ADMINISTER, Right.APPROVE, Right.AUDIT)
DOES = (Right.ADMINISTER,)
DECIDES = (Right.ADMINISTER, Right.APPROVE)
MOST_MONTHS = 240
FIELDS = ("until", "document", "reason", "decided", "typed")
STATES = {
    DisposalState.PENDING: mark("waits for an approver"),
    DisposalState.APPROVED: mark("approved"),
    DisposalState.REJECTED: mark("rejected"),
    DisposalState.TAKEN_BACK: mark("taken back"),
}
VERDICTS: dict[str, Verdict] = {"approve": APPROVE, "reject": REJECT, "take-back": TAKE_BACK}
NOTICES = {
    "proposed": mark("It is proposed. Nothing goes before somebody else approves it."),
    "approved": mark("It is approved. Nothing is gone yet: it is carried out at each collector by itself."),
    "rejected": mark("It is rejected; all evidence stays."),
    "taken-back": mark("It is taken back; all evidence stays."),
    "begun": mark("It is being carried out; that may take hours, and the collector goes on beside it."),
}


class RetentionPages:
    """One page, with its forms."""

    def __init__(self, base: Administration, office: RetentionOffice) -> None:
        self._base = base
        self._office = office

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/admin/retention", self.retention),
            web.post("/admin/retention", self.propose),
            web.post("/admin/retention/{number}/decision", self.decide),
            web.post("/admin/retention/{number}/dispose", self.dispose),
        ]

    async def retention(self, request: web.Request) -> web.StreamResponse:
        """What there is to see."""
        person = await self._base.reader(request, SEES)
        return person if isinstance(person, web.Response) else await self._page(request, person)

    async def propose(self, request: web.Request) -> web.StreamResponse:
        """That what is from before a month goes."""
        person, fields = await self._base.sent(request, DOES)
        if person is None:
            return self._base.elsewhere(request)
        told = (fields.get(name, "") for name in ("until", "document", "reason"))
        try:
            await self._office.propose(person, *told)
        except RefusedError as refused:
            return await self._page(request, person, fields, refused)
        return go_to("./retention?notice=proposed")

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Approved, rejected, or taken back by who proposed it."""
        person, fields = await self._base.sent(request, DECIDES)
        if person is None:
            return self._base.elsewhere(request)
        verdict = VERDICTS.get(fields.get("action", ""), REJECT)
        try:
            await self._office.decide(person, request.match_info["number"], verdict, fields.get("decided", ""))
        except RefusedError as refused:
            return await self._page(request, person, fields, refused)
        notice = {APPROVE: "approved", REJECT: "rejected", TAKE_BACK: "taken-back"}[verdict]
        return go_to(f"../../retention?notice={notice}")

    async def dispose(self, request: web.Request) -> web.StreamResponse:
        """An approved one is begun here."""
        person, fields = await self._base.sent(request, DOES)
        if person is None:
            return self._base.elsewhere(request)
        try:
            await self._office.carry_out(person, request.match_info["number"], fields.get("typed", ""))
        except RefusedError as refused:
            return await self._page(request, person, fields, refused)
        return go_to("../../retention?notice=begun")

    async def _page(
        self, request: web.Request, person: Person, typed: Mapping[str, str] | None = None,
        refused: RefusedError | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        standing = await self._office.standing()
        if refused is not None and refused.status == 404:
            raise self._base.not_found()
        zone = standing.rules.zone
        pending = standing.disposals.pending()
        return await self._base.page(
            request, "admin-retention.html", person, refused,
            title=self._base.say("Retention", request),
            standing=standing,
            months=standing.months[-MOST_MONTHS:],
            ends=[month_name(one.cell[1], zone) for one in standing.months],
            states=STATES,
            before=lambda one: month_name(one.body.until, zone),
            pending=pending,
            is_own=pending is not None and same_person(pending.entry.author, person.account.name),
            may_decide=bool(person.rights & set(DECIDES)),
            due=_due(standing),
            done_here=lambda one: _done_here(one, standing),
            typed={name: (typed or {}).get(name, "") for name in FIELDS},
            count=language(spoken_by(request)).count,
            notice=NOTICES.get(request.query.get("notice", "")),
        )  # fmt: skip


def _due(standing: Standing) -> Disposal | None:
    """The approved one that is to be carried out here, or to be gone on with."""
    due = standing.disposals.to_carry_out(standing.collector)
    if due is not None or not standing.waiting:
        return due
    here = [one for one in standing.disposals.all if standing.collector in one.carried_out]
    return here[-1] if here else None


def _done_here(one: Disposal, standing: Standing) -> int | None:
    """When it was carried out here; None where it was not."""
    done = one.carried_out.get(standing.collector)
    return None if done is None else done[0].recorded_utc
