"""From what was derived to what the JSON API answers. Pure; what only some may see is left out by who calls it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from detak_collector.accounts.tokens import Token
from detak_collector.board.board import Board, GroupState, Hours, MemberState, ServiceState
from detak_collector.board.node_detail import CheckDetail, NodeDetail
from detak_collector.board.node_standing import standing
from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.explain import Explained, Piece
from detak_collector.downtime.outages import Outage
from detak_collector.report.document import document
from detak_collector.report.numbers import decimal_text, iso_utc
from detak_collector.store.base import NodeRow
from detak_collector.web.api_v1 import answers
from detak_collector.web.api_v1.figure_answers import Figure

HOURS = {Hours.WITHIN: "within", Hours.OUTSIDE: "outside", Hours.UNKNOWN: "not known"}
MOST_EVIDENCE = 200


def service_of(one: ServiceState, period: str) -> answers.Service:
    """A service with its rate of the running year, which `period` names."""
    known = one.service_time_ms and one.hours is not Hours.UNKNOWN
    percent = Fraction(100 * one.counted_ms, one.service_time_ms) if known else None
    year = answers.Rate(
        period=period, percent=exact(percent), counted_ms=one.counted_ms, certain_ms=one.certain_ms,
        possible_ms=one.possible_ms, service_time_ms=one.service_time_ms, coverage=decimal_text(one.coverage, 12),
    )  # fmt: skip
    return answers.Service(
        id=one.id, name=one.name, criticality=one.criticality, in_figure=one.in_figure, public=one.public,
        condition=one.condition.value, since=moment(one.since), hours=HOURS[one.hours], year=year,
    )  # fmt: skip


def service_in_full(board: Board) -> answers.ServiceInFull:
    """The one service of a board."""
    (one,) = board.services
    days = [
        answers.Day(
            date=day.date, elapsed_ms=day.elapsed_ms, counted_ms=day.counted_ms, excluded_ms=day.excluded_ms,
            unobserved_ms=day.unobserved_ms, degraded_ms=day.degraded_ms,
        )
        for day in one.days
    ]  # fmt: skip
    return answers.ServiceInFull(
        as_of=iso_utc(board.now), service=service_of(one, board.figure.period), days=days,
        groups=[_group(group) for group in one.groups],
    )  # fmt: skip


def _group(one: GroupState) -> answers.Group:
    return answers.Group(
        name=one.name, category=one.category, rule=one.rule, condition=one.condition.value, standing=one.standing,
        members=[_member(member) for member in one.members],
    )  # fmt: skip


def _member(one: MemberState) -> answers.Member:
    return answers.Member(check=one.check, condition=one.condition.value, since=moment(one.since), message=one.message)


def outage_of(one: Outage, result: Result, *, in_figure: bool, whole: bool) -> answers.Outage:
    """An outage; for everybody without what checks said, and without numbers, which count all services' outages."""
    presumed = one.shown_as.startswith("presumed")
    return answers.Outage(
        id=one.id, number=result.numbers.get(one.key) if whole else None, service=one.service,
        begin=iso_utc(one.begin), end=None if one.running else iso_utc(one.end), running=one.running,
        in_figure=in_figure, counted_ms=one.counted_ms, certain_ms=one.certain_ms, possible_ms=one.possible_ms,
        cause=one.cause, shown_as=one.shown_as if whole else "presumed down" if presumed else "down",
        detail=one.detail if whole else "",
    )  # fmt: skip


def explained(one: Explained, result: Result, service: ServiceResult) -> answers.OutageInFull:
    """An outage in pieces."""
    outage = outage_of(one.outage, result, in_figure=service.in_figure is not None, whole=True)
    return answers.OutageInFull(
        as_of=iso_utc(result.as_of), outage=outage, pieces=[_piece(piece, result.drills or ()) for piece in one.pieces]
    )


def _piece(one: Piece, drills: Collection[str]) -> answers.Piece:
    layers = [
        answers.Layer(group=layer.group, category=layer.category, rule=layer.rule, stands_for_it=layer.stands_for_it)
        for layer in one.layers
    ]
    evidence = [
        answers.Passage(
            check=check, begin=iso_utc(passage.begin), end=iso_utc(passage.end), shown_as=passage.shown_as,
            message=passage.message, spans=list(passage.evidence),
        )
        for check, passage in one.evidence[:MOST_EVIDENCE]
    ]  # fmt: skip
    return answers.Piece(
        begin=iso_utc(one.begin), end=iso_utc(one.end), fate=one.fate, cause=one.cause, layers=layers,
        evidence=evidence, evidence_left_off=max(0, len(one.evidence) - MOST_EVIDENCE),
        corrections=[_correction(correction, drills) for correction in one.corrections],
    )  # fmt: skip


def _correction(one: Correction, drills: Collection[str]) -> answers.Correction:
    return answers.Correction(
        id=one.id, category=one.category, document=one.document, reason=one.reason, proposed_by=one.proposed_by,
        approved_by=one.approved_by, late=one.late, drill=one.id in drills,
    )  # fmt: skip


def figure_of(result: Result) -> Figure:
    """A period's figure: of the JSON report what is in both, under the same names."""
    told: dict[str, Any] = document(result)
    return msgspec.convert(told, Figure)


def rates_of(result: Result) -> dict[str, str | None]:
    """The own rate of each service that is public now; null where nothing of it was observed."""
    return {
        one.service.id: exact(one.totals.percent) if one.totals.coverage else None
        for one in result.services
        if one.service.public.value_at(result.last)
    }


def node_of(row: NodeRow, now: int, down_after_ms: int) -> answers.Node:
    """A node as the registry knows it."""
    return answers.Node(
        name=row.name, state=standing(row, now, down_after_ms), heard=moment(row.heard_utc),
        agent_version=row.agent_version, checks=len(row.states),
    )  # fmt: skip


def checks_of(rows: Sequence[NodeRow], now: int, down_after_ms: int) -> list[answers.Check]:
    """All checks of these nodes, by name."""
    found = [
        answers.Check(check=f"{row.name}/{name}", node=row.name, state=state, heard=heard)
        for row in rows
        for heard in (standing(row, now, down_after_ms) == "heard",)
        for name, state in row.states.items()
    ]
    return sorted(found, key=lambda one: one.check)


def node_in_full(detail: NodeDetail, down_after_ms: int) -> answers.NodeInFull:
    """One node by its evidence."""
    state, clock = detail.state, detail.clock
    return answers.NodeInFull(
        as_of=iso_utc(detail.now), node=node_of(detail.row, detail.now, down_after_ms), site=state.site,
        condition=state.condition.value, warning=str(state.warning), clock_uncertainty_ms=state.clock_uncertainty_ms,
        clock_offset_ms=None if clock is None else clock.offset_ms, conflicts=detail.row.conflicts,
        checks=[_check(one) for one in detail.checks],
    )  # fmt: skip


def _check(one: CheckDetail) -> answers.CheckNow:
    settings = one.settings
    return answers.CheckNow(
        name=one.name, condition=one.condition.value, since=moment(one.since), message=one.message,
        kind=None if settings is None else settings.kind,
        interval_ms=None if settings is None else settings.interval_ms,
        timeout_ms=None if settings is None else settings.timeout_ms,
        remote=None if settings is None else settings.remote,
    )  # fmt: skip


def token_of(one: Token, now: int) -> answers.TokenOf:
    """A token without what it consists of."""
    return answers.TokenOf(
        id=one.id, owner=one.owner, label=one.label, scopes=sorted(one.scopes), made=iso_utc(one.made_utc),
        made_by=one.made_by, expires=iso_utc(one.expires_utc), used=moment(one.used_utc), used_from=one.used_from,
        revoked=moment(one.revoked_utc), good=one.is_good(now),
    )  # fmt: skip


def exact(value: Fraction | None) -> str | None:
    """With twelve places."""
    return None if value is None else decimal_text(value, 12)


def moment(instant: int | None) -> str | None:
    """ISO 8601, or nothing."""
    return None if instant is None else iso_utc(instant)
