"""What waits of the closing of periods: seals and restatements, disputes, the last month that can be sealed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo

from detak_collector.closing.disputes import Dispute, Disputes
from detak_collector.closing.seals import Seal, Seals, SealState
from detak_collector.downtime.periods import months
from detak_collector.mail.waiting import Thing

STANDING = frozenset({SealState.PENDING, SealState.IN_FORCE})


def closing_things(seals: Seals, disputes: Disputes) -> Iterator[Thing]:
    """What waits for an approver."""
    yield from (_seal(one) for one in seals.all if one.state is SealState.PENDING)
    yield from (_dispute(one) for one in disputes.open())


def _seal(seal: Seal) -> Thing:
    entry, period = seal.entry, seal.body.period
    about = "restatement" if seal.is_restatement else "seal"
    path, reason = f"/closing/{period}", seal.body.reason
    return Thing(entry.id, about, period, seal.author, entry.recorded_utc, path, reason=reason)


def _dispute(dispute: Dispute) -> Thing:
    entry, body = dispute.entry, dispute.body
    return Thing(
        id=entry.id,
        about="dispute",
        name=str(body.outage),
        author=dispute.author,
        since_utc=entry.recorded_utc,
        path=f"/disputes/{dispute.number}",
        scope_kind="service",
        scope=body.service,
        begin=body.begin,
        end=body.end,
        document=body.ticket,
        reason=body.reason,
        deadline=body.deadline,
    )


def unsealed_month(
    seals: Seals, zone: tzinfo, settle_ms: int, now: int, watched: Callable[[int, int], bool]
) -> Thing | None:
    """The last month that could be sealed, where nobody has asked for that; None where there is nothing to ask for.

    Months before it were told of in their turn. `watched` says whether this collector was there in [begin, end).
    """
    settled = now - settle_ms
    ((current, _),) = months(settled, settled + 1, zone)
    ((begin, end),) = months(current - 1, current, zone)
    if not watched(begin, end):
        return None
    if any(one.state in STANDING and one.body.begin <= begin and end <= one.body.end for one in seals.all):
        return None
    name = f"{datetime.fromtimestamp(begin // 1_000, zone):%Y-%m}"
    return Thing(f"month/{name}", "period", name, "", end + settle_ms, f"/closing/{name}")
