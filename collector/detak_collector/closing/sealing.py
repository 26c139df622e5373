"""From a result to the seal that is to be entered, and what a restatement would change. It enters nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detak_collector.closing.account import Account, account_of
from detak_collector.closing.bodies import SealBody, kept_lines
from detak_collector.closing.findings import Finding, hindering
from detak_collector.closing.seals import Seal, Seals
from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.derive import Result
from detak_collector.ledger.chain import Head
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import percent_text
from detak_collector.translation.saying import Saying, saying

NOT_NUMBERED = 1
"""The number is given when the seal is entered."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for beside the period: his reason, and whether another person shall approve it anyhow."""

    reason: str = ""
    needs_approval: bool = False
    touched: tuple[str, ...] = ()


def seal_body(
    result: Result, head: Head, program: str, found: Sequence[Finding], wish: Wish, restates: Seal | None = None
) -> SealBody:
    """The seal of a result; raises AccountError where it is too large to keep."""
    account, version = account_of(result), result.case.version
    return SealBody(
        number=NOT_NUMBERED,
        period=result.period.name,
        begin=result.period.begin,
        end=result.period.end,
        as_of=result.as_of,
        digest=account.digest,
        account=account.packed(),
        head=str(head),
        rule_version=RULE_VERSION,
        program=program,
        login="",
        catalogue_version=None if version is None else version.number,
        catalogue_digest="" if version is None else version.digest,
        reason=wish.reason,
        hindrances=kept_lines([one.line for one in hindering(found)]),
        needs_approval=wish.needs_approval or restates is not None,
        restates=None if restates is None else restates.entry.id,
        touched=kept_lines(list(wish.touched)),
    )


def figure_words(account: Account) -> str:
    """A seal's figure in one line."""
    figure = account.figure
    verdict = figure.standing(account.target_percent) or "no figure"
    return f"{percent_text(figure.percent)}, {clock_text(figure.counted_ms)} counted, {verdict}"


def touched_seals(seals: Seals, restated: Seal) -> list[Saying]:
    """The other seals in force that hold time of a restated one, as lines for people."""
    return [
        saying("{seal} holds this time too: restate {period} after it", seal=one.said, period=one.body.period)
        for one in seals.touching(restated.body.begin, restated.body.end)
        if one is not restated
    ]
