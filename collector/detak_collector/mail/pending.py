"""What waits for somebody, as the log tells it: proposals, a version of the catalogue, what closes periods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from detak_collector.accounts.account import Account
from detak_collector.accounts.grants import Grant, roles_of
from detak_collector.accounts.roles import Right, rights_of
from detak_collector.catalogue.versions import versions_of
from detak_collector.closing.gathering import disputes_of, seals_of
from detak_collector.closing.terms import SealTerms
from detak_collector.decisions.corrections import is_drill, windows_of
from detak_collector.decisions.recording import log_of
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.catalogue import Correction
from detak_collector.mail.closing import closing_things, unsealed_month
from detak_collector.mail.file import MailTerms, is_address
from detak_collector.mail.waiting import Person, Thing
from detak_collector.pair.entry import CATALOGUE, CATALOGUE_DECISION
from detak_collector.store.database import Database
from detak_collector.store.entries import entries_of
from detak_collector.store.watch import watched

PATHS = {"exclusion": "/exclusions", "declaration": "/declarations", "catalogue": "/admin/catalogue"}
"""Where on the pages it is decided."""


def things(database: Database, now: int, ahead_ms: int, terms: SealTerms, zone: tzinfo) -> list[Thing]:
    """All that waits now; of windows that recur the next one that begins before so much time has passed."""
    with database.reading() as connection:
        decided = log_of(connection)
        versions = versions_of((*entries_of(connection, CATALOGUE), *entries_of(connection, CATALOGUE_DECISION)))
        seals, disputes = seals_of(connection), disputes_of(connection)
        month = unsealed_month(
            seals, zone, terms.settle_ms, now, lambda begin, end: bool(watched(connection, begin, end))
        )
    found = [
        _thing(one, _window(one, now, now + ahead_ms))
        for one in Register.of(decided).matters.values()
        if one.state is State.PENDING
    ]
    held = versions.held()
    if held is not None:
        path = f"{PATHS['catalogue']}/{held.number}"
        found.append(
            Thing(held.entry, "catalogue", str(held.number), held.proposed_by, held.recorded, path,
                  reason="; ".join(held.touches))
        )  # fmt: skip
    return [*found, *closing_things(seals, disputes), *([] if month is None else [month])]


def _window(matter: Matter, now: int, until: int) -> Correction | None:
    """The next window of a proposal that is not over; of one that is over as a whole its last."""
    windows: Sequence[Correction] = () if matter.is_withdrawal else windows_of(matter, until)
    ahead = [one for one in windows if one.end > now]
    return min(ahead, key=lambda one: one.begin) if ahead else max(windows, key=lambda one: one.end, default=None)


def _thing(matter: Matter, window: Correction | None) -> Thing:
    body, entry = matter.proposal.body, matter.proposal.entry
    record = body.record or {}
    return Thing(
        id=entry.id,
        about=body.about,
        name=matter.name,
        author=entry.author,
        since_utc=entry.recorded_utc,
        path=f"{PATHS[body.about]}/{matter.name}",
        action=body.action,
        target="" if matter.target is None else matter.target.name,
        category=str(record.get("category", "")),
        scope_kind="" if window is None else window.scope_kind,
        scope="" if window is None else window.scope,
        begin=None if window is None else window.begin,
        end=None if window is None else window.end,
        document=body.document or str(record.get("document", "")),
        reason=body.because or str(record.get("reason", "")),
        drill=is_drill(matter),
    )


def people(accounts: Sequence[Account], grants: Sequence[Grant], terms: MailTerms) -> Iterator[Person]:
    """Everybody who can be told."""
    for one in accounts:
        if one.disabled_utc is None and is_address(one.mail):
            rights = rights_of(roles_of(one.name, grants))
            approves, proposes = Right.APPROVE in rights, Right.PROPOSE in rights
            yield Person((one.name, one.display), one.mail, approves, one.name in terms.deputies, proposes)
