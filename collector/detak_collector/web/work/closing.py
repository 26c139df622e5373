"""The pages on which periods are closed: the list, one period with what keeps it open, asking and deciding.

Two people close a period here: one asks, another one approves. Who may do what is in `closing_view`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.closing.account import AccountError
from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK, Verdict
from detak_collector.closing.examined import Examined
from detak_collector.closing.recording import Ruling
from detak_collector.closing.seals import Seal, Seals
from detak_collector.closing.timestamping import TimestampError
from detak_collector.decisions.recording import RefusedError
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.periods import Period, local_year
from detak_collector.report.wording import period_words
from detak_collector.translation.language import mark
from detak_collector.web.forms import go_to
from detak_collector.web.people import People
from detak_collector.web.sheet_pages import Kept
from detak_collector.web.work.closing_api import ClosingApi
from detak_collector.web.work.closing_desk import ClosingDesk
from detak_collector.web.work.closing_view import (
    FIRST_YEAR,
    SEAL_STATES,
    STATES,
    WEIGHTS,
    Row,
    acts_of,
    closable,
    history_of,
    row_of,
    rows_of,
    years_beside,
)
from detak_collector.web.work.disputes import DisputePages
from detak_collector.web.work.exclusions_desk import ElsewhereError
from detak_collector.web.work.exclusions_form import REQUIRED, Fault
from detak_collector.web.work.exclusions_setting import MOST_BYTES, MOST_FIELDS, Setting
from detak_collector.web.work.exclusions_words import FOLLOWS, NO_MORE

NO_SUCH = mark("There is no such period: months, quarters, halves and years are closed.") + "\n"
LONGEST = 2_000
NOTICES = {
    "asked": mark("It is asked for, and takes effect once somebody else approves it."),
    "approved": mark("It is approved: the figure stands."),
    "rejected": mark("It is rejected."),
    "taken-back": mark("It is taken back."),
}
OTHER_FIGURE = mark("By now the facts say another figure than was asked for: reject it, and let it be asked for anew.")
NO_STAMP = mark("Nothing is entered, since there is no time stamp: {why}")
UNKNOWN_NOW = mark("What the facts say now cannot be derived at this moment. Try again in a while.")
VERDICTS: dict[str, tuple[Verdict, str, str]] = {
    "approve": (APPROVE, "approved", "approves"),
    "reject": (REJECT, "rejected", "rejects"),
    "take-back": (TAKE_BACK, "taken-back", "takes back"),
}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why what was sent was not done, and what it was."""

    status: int = 200
    reason: str = ""
    faults: Mapping[str, Fault] | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A seal as the page has it; `figure` is None where its account cannot be read."""

    seal: Seal
    figure: Totals | None


class ClosingPages:
    """The list and the single periods."""

    def __init__(self, desk: ClosingDesk) -> None:
        self._desk = desk

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """The periods of a year."""
        at = await Setting.seen(self._desk, request)
        zone, now = at.rules.zone, at.tell.now
        year = _year(request.query.get("year", ""), local_year(now, zone))
        seals, disputes = await self._desk.seals(), await self._desk.disputes()
        rows = rows_of(year, seals, now, zone, self._desk.people.config().seal)
        before, after = years_beside(year, zone, now)
        return at.page(
            "closing.html", title=at.say("Closing, {year}", year=str(year)), rows=rows, states=STATES, before=before,
            after=after, disputes=disputes.open(), shown_of=_shown_or_none,
            period_words=lambda period: period_words(period, at.language),
        )  # fmt: skip

    async def one(self, request: web.Request) -> web.StreamResponse:
        """One period."""
        at = await Setting.seen(self._desk, request)
        return await self._page(at, self._period(at, request), _Refusal())

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Asks for a seal or a restatement, or decides on one."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        fields = await at.read(MOST_BYTES, MOST_FIELDS)
        period, action = self._period(at, request), fields.get("action", "")
        reason = fields.get("reason", "").strip()[:LONGEST]
        seals = await self._desk.seals()
        row, examined = self._row(at, period, seals), await self._desk.examined(at.language.code, period.name)
        if action not in acts_of(row, examined, at.person):
            return await self._page(at, period, _Refusal(409, reason, trouble=at.say(NO_MORE)))
        if not reason and (action in {"restate", "reject", "take-back"} or (action == "seal" and _hinders(examined))):
            return await self._page(at, period, _Refusal(422, reason, {"reason": Fault(REQUIRED)}))
        try:
            if action in VERDICTS:
                return await self._decided(at, row, examined, action, reason)
            return await self._asked(at, examined, reason)
        except (RefusedError, ElsewhereError, TimestampError) as error:
            return await self._page(at, period, _not_done(at, error, reason))

    async def _asked(self, at: Setting, examined: Examined | None, reason: str) -> web.StreamResponse:
        assert examined is not None, "acts_of allows no asking without"
        made = await self._desk.ask(examined, reason, at.somebody)
        event = "restatement-asked" if made.is_restatement else "seal-asked"
        self._desk.audit(event, made.label, at.somebody, f"asks for {made.what}: {reason}")
        return go_to(f"./{made.body.period}?notice=asked")

    async def _decided(
        self, at: Setting, row: Row, examined: Examined | None, action: str, reason: str
    ) -> web.StreamResponse:
        assert row.pending is not None, "acts_of allows no decision without"
        verdict, event, verb = VERDICTS[action]
        if verdict == APPROVE:
            trouble = _changed(row.pending, examined)
            if trouble:
                return await self._page(at, row.period, _Refusal(409, reason, trouble=at.say(trouble)))
        made = await self._desk.decide(Ruling(row.pending.label, verdict, reason), at.somebody)
        self._desk.audit(f"seal-{event}", made.label, at.somebody, f"{verb} {made.what}: {reason}")
        return go_to(f"./{row.period.name}?notice={event}")

    async def _page(self, at: Setting, period: Period, refusal: _Refusal) -> web.Response:
        seals = await self._desk.seals()
        row, examined = self._row(at, period, seals), await self._desk.examined(at.language.code, period.name)
        words = period_words(period, at.language)
        return at.page(
            "closing-period.html", refusal.status, title=at.say("Closing: {period}", period=words), row=row,
            examined=examined, allowed=acts_of(row, examined, at.person), states=STATES, seal_states=SEAL_STATES,
            weights=WEIGHTS, history=[_shown(one) for one in history_of(period, seals)],
            form={"reason": refusal.reason}, faults=refusal.faults or {}, trouble=refusal.trouble,
            hinders=_hinders(examined),
            notice=NOTICES.get(at.request.query.get("notice", "")), period_words=words,
            other_figure=OTHER_FIGURE if row.pending is not None and _changed(row.pending, examined) else "",
        )  # fmt: skip

    def _row(self, at: Setting, period: Period, seals: Seals) -> Row:
        return row_of(period, seals, at.tell.now, self._desk.people.config().seal)

    def _period(self, at: Setting, request: web.Request) -> Period:
        period = closable(request.match_info["period"], at.rules.zone, at.tell.now)
        if period is None or period.begin >= at.tell.now:
            raise web.HTTPNotFound(text=NO_SUCH)
        return period


def _year(words: str, running: int) -> int:
    year = int(words) if words.isascii() and words.isdigit() and len(words) == 4 else running
    return year if FIRST_YEAR <= year <= running else running


def _not_done(at: Setting, error: Exception, reason: str) -> _Refusal:
    """Why something was not entered, for people."""
    match error:
        case TimestampError():
            return _Refusal(503, reason, trouble=at.say(NO_STAMP, why=str(error)))
        case ElsewhereError():
            return _Refusal(409, reason, trouble=at.say(FOLLOWS, place=str(error) or "?"))
        case _:
            return _Refusal(409, reason, trouble=at.say(NO_MORE))


def _hinders(examined: Examined | None) -> bool:
    return examined is not None and examined.hinders


def _changed(pending: Seal, examined: Examined | None) -> str:
    """Why what is pending must not be approved now; empty where it may."""
    if examined is None or examined.body is None:
        return UNKNOWN_NOW
    return "" if examined.body.digest == pending.body.digest else OTHER_FIGURE


def _shown(seal: Seal) -> Shown:
    try:
        return Shown(seal, seal.account.figure)
    except AccountError:
        return Shown(seal, None)


def _shown_or_none(seal: Seal | None) -> Shown | None:
    return None if seal is None else _shown(seal)


def add_closing(app: web.Application, people: People, sheets: Kept) -> None:
    """Adds closing and disputes, as pages and for programs; `sheets` is where figures are derived."""
    desk = ClosingDesk(people, sheets)
    pages, disputes, api = ClosingPages(desk), DisputePages(desk), ClosingApi(desk)
    app.add_routes(
        [
            web.get("/closing", pages.listing),
            web.get("/closing/{period}", pages.one),
            web.post("/closing/{period}", pages.act),
            web.get("/disputes", disputes.listing),
            web.get("/disputes/new", disputes.fresh),
            web.post("/disputes/new", disputes.enter),
            web.get("/disputes/{number}", disputes.one),
            web.post("/disputes/{number}", disputes.answer),
            web.get("/api/v1/closing", api.listing),
            web.get("/api/v1/closing/{period}", api.one),
            web.post("/api/v1/closing/{period}", api.act),
            web.get("/api/v1/disputes", api.disputes),
            web.post("/api/v1/disputes", api.dispute),
            web.post("/api/v1/disputes/{number}/answer", api.answer),
        ]
    )
