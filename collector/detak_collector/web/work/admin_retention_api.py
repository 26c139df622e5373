"""/api/v1/admin/retention: what the page of retention does, for programs. It decides nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta, Struct

from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK, Verdict
from detak_collector.report.numbers import iso_utc
from detak_collector.retention.disposals import Disposal
from detak_collector.retention.reach import month_name
from detak_collector.web.work.admin_api import answer, asked, body_of, refusing
from detak_collector.web.work.admin_desk import Desk
from detak_collector.web.work.admin_retention import RetentionOffice, Standing
from detak_collector.web.work.admin_retention_pages import DECIDES, DOES, SEES

Words = Annotated[str, Meta(max_length=1_000)]
VERDICTS: dict[str, Verdict] = {"approve": APPROVE, "reject": REJECT, "take-back": TAKE_BACK}


class DisposalProposal(Struct, frozen=True, forbid_unknown_fields=True):
    """All evidence from before the month `until`, such as 2021-01, is to go."""

    until: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}\Z")]
    document: Words
    reason: Words


class DisposalVerdict(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody else says of a pending disposal, or who proposed it when he takes it back."""

    verdict: Literal["approve", "reject", "take-back"]
    reason: Words = ""


class DisposalOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """The month of the disposal once more: what is from before it goes."""

    typed: Words


class SealedMonth(Struct, frozen=True):
    """A month that may go, and the seal under which its figure stays."""

    month: str
    seal: str
    period: str


class DisposalTold(Struct, frozen=True):
    """A disposal. `carried_out_here` is when it was, null where it was not; `elsewhere`: at the other collector."""

    number: str
    until: str
    state: str
    document: str
    reason: str
    proposed_by: str
    proposed_at: str
    decided_by: str | None
    decided_at: str | None
    carried_out_here: str | None
    elsewhere: bool


class RetentionTold(Struct, frozen=True):
    """How evidence is kept. `whole_from` is null where none was disposed of, `evidence_years` where all is kept.

    `interrupted_blocks` still hold what was disposed of; `at_work` is the number of what is being carried out.
    """

    evidence_years: int | None
    whole_from: str | None
    may_go: list[SealedMonth]
    no_more_because: str
    interrupted_blocks: int
    at_work: str
    not_carried_out: str
    disposals: list[DisposalTold]


BODIES = (DisposalProposal, DisposalVerdict, DisposalOrder)
ANSWERS = (SealedMonth, DisposalTold, RetentionTold)


class RetentionApi:
    """The routes."""

    def __init__(self, desk: Desk, office: RetentionOffice) -> None:
        self._desk = desk
        self._office = office

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/api/v1/admin/retention", self.standing),
            web.post("/api/v1/admin/retention", self.propose),
            web.post("/api/v1/admin/retention/{number}/decision", self.decide),
            web.post("/api/v1/admin/retention/{number}/disposal", self.dispose),
        ]

    @refusing
    async def standing(self, request: web.Request) -> web.Response:
        """What there is to see."""
        await asked(self._desk, request, SEES)
        return await self._told()

    @refusing
    async def propose(self, request: web.Request) -> web.Response:
        """That what is from before a month goes."""
        person = await asked(self._desk, request, DOES)
        told = await body_of(request, DisposalProposal)
        await self._office.propose(person, told.until, told.document, told.reason)
        return await self._told(201)

    @refusing
    async def decide(self, request: web.Request) -> web.Response:
        """The second pair of eyes."""
        person = await asked(self._desk, request, DECIDES)
        told = await body_of(request, DisposalVerdict)
        await self._office.decide(person, request.match_info["number"], VERDICTS[told.verdict], told.reason)
        return await self._told()

    @refusing
    async def dispose(self, request: web.Request) -> web.Response:
        """An approved one is begun; it goes on by itself."""
        person = await asked(self._desk, request, DOES)
        told = await body_of(request, DisposalOrder)
        await self._office.carry_out(person, request.match_info["number"], told.typed)
        return await self._told(202)

    async def _told(self, status: int = 200) -> web.Response:
        return answer(told_of(await self._office.standing()), status)


def told_of(standing: Standing) -> RetentionTold:
    """What the page shows, for programs."""
    months = [
        SealedMonth(one.name, one.seal.label if one.seal else "", one.seal.body.period if one.seal else "")
        for one in standing.months
    ]
    return RetentionTold(
        standing.years, standing.whole or None, months, str(standing.why), standing.waiting, standing.at_work,
        str(standing.last), [_disposal(one, standing) for one in standing.disposals.all],
    )  # fmt: skip


def _disposal(one: Disposal, standing: Standing) -> DisposalTold:
    done, decided = one.carried_out.get(standing.collector), one.decision
    return DisposalTold(
        number=one.label,
        until=month_name(one.body.until, standing.rules.zone),
        state=one.state.value,
        document=one.body.document,
        reason=one.body.reason,
        proposed_by=one.entry.author,
        proposed_at=iso_utc(one.entry.recorded_utc),
        decided_by=None if decided is None else decided.author,
        decided_at=None if decided is None else iso_utc(decided.recorded_utc),
        carried_out_here=None if done is None else iso_utc(done[0].recorded_utc),
        elsewhere=any(name != standing.collector for name in one.carried_out),
    )
