"""The roles and what each of them may do: the one table that every page and command asks. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What an account is trusted with; one account may have several."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Right(StrEnum):
    """One thing that may be done."""

    SEE = "see"
    """Services, nodes, checks and what they said, also where they are not marked public."""
    PROPOSE = "propose"
    """Exclusions, declarations and whatever else needs a second person."""
    ANNOTATE = "annotate"
    """What is said of outages: chronology, effect, follow-up, who looks after one."""
    APPROVE = "approve"
    """What another person has proposed; never one's own."""
    AUDIT = "audit"
    """The audit trail, and who has which account and role."""
    ADMINISTER = "administer"
    """Accounts, roles and nodes."""


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.SEE}),
    Role.OPERATOR: frozenset({Right.SEE, Right.PROPOSE, Right.ANNOTATE}),
    Role.APPROVER: frozenset({Right.SEE, Right.PROPOSE, Right.ANNOTATE, Right.APPROVE}),
    Role.AUDITOR: frozenset({Right.SEE, Right.AUDIT}),
    Role.ADMIN: frozenset({Right.SEE, Right.ADMINISTER}),
}


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """All that these roles together may do; nothing without a role."""
    return frozenset[Right]().union(*(RIGHTS[role] for role in roles))
