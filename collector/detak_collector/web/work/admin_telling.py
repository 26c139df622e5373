"""From accounts, nodes and versions to what the API of administrators tells of them. Pure."""

from __future__ import annotations

from detak_collector.accounts.account import Origin
from detak_collector.catalogue.versions import Version, Versions
from detak_collector.deriving.catalogue_effect import Effect, Share
from detak_collector.report.numbers import decimal_text, iso_utc
from detak_collector.web.work.admin_catalogue import Checked
from detak_collector.web.work.admin_messages import (
    AccountTold,
    CheckTold,
    DifferingTold,
    EffectTold,
    EnrolmentTold,
    GivenRole,
    LossTold,
    NodeTold,
    ShareTold,
    VersionTold,
)
from detak_collector.web.work.admin_nodes import Enrolment, Standing
from detak_collector.web.work.admin_people import Known


def account_told(one: Known) -> AccountTold:
    """Somebody."""
    account = one.account
    roles = [GivenRole(each.role, each.by, each.source, iso_utc(each.since_utc)) for each in one.grants]
    if account is None:
        return AccountTold(one.name, one.name, "", False, False, False, False, None, roles)  # noqa: FBT003 - all false
    return AccountTold(
        one.name, account.display, account.mail, here=True, local=account.origin is Origin.LOCAL,
        locked=one.is_disabled, second_factor=account.secret is not None, signed_in=_moment(account.signed_in_utc),
        roles=roles,
    )  # fmt: skip


def enrolment_told(one: Enrolment) -> EnrolmentTold:
    """What lets a node in."""
    return EnrolmentTold(one.node, one.token, one.line, list(map(str, one.notes)), iso_utc(one.expires_utc))


def node_told(one: Standing) -> NodeTold:
    """A node, and what rests on it."""
    losses = [LossTold(each.service, each.group, list(each.checks), each.left) for each in one.losses]
    heard, retired = _moment(one.row.heard_utc), _moment(one.retired_utc)
    return NodeTold(one.row.name, one.state, one.row.enrolled, heard, retired, losses, one.entry)


def version_told(versions: Versions, one: Version) -> VersionTold:
    """A version."""
    decision = one.decision
    return VersionTold(
        one.number, versions.state(one), one.digest, iso_utc(one.recorded), _moment(one.since), one.proposed_by,
        None if decision is None else decision.by,
        "" if decision is None else decision.document,
        "" if decision is None else decision.reason,
        list(one.touches), list(one.files),
    )  # fmt: skip


def check_told(one: Checked) -> CheckTold:
    """What a catalogue would change."""
    against = "" if one.standing is None else one.standing.entry
    return CheckTold(
        one.read.texts.digest, against, one.is_standing, bool(one.past), list(one.past), list(one.ahead),
        None if one.effect is None else effect_told(one.effect), str(one.trouble),
    )  # fmt: skip


def effect_told(one: Effect) -> EffectTold:
    """What it does to this year's figure."""
    services = [
        DifferingTold(
            each.service,
            None if each.before is None else _share(each.before),
            None if each.after is None else _share(each.after),
        )
        for each in one.services
    ]
    return EffectTold(one.year, _share(one.before), _share(one.after), services, str(one.unknown))


def _share(one: Share) -> ShareTold:
    return ShareTold(None if one.percent is None else decimal_text(one.percent, 4), one.counted_ms, one.in_figure)


def _moment(utc: int | None) -> str | None:
    return None if utc is None else iso_utc(utc)
