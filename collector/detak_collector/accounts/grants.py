"""Who has which role, as the log of entries says it, and who may give it to whom. Pure.

Nobody gives himself a role. An approver is made by an admin who has proven to be one, and is somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from detak_collector.accounts.names import is_same_person
from detak_collector.accounts.roles import Role
from detak_collector.pair.entry import GRANT, Body, Entry, in_order


class Source(StrEnum):
    """On whose word a role was given."""

    ADMIN = "admin"
    """An account with the role admin, which has proven itself."""
    MACHINE = "machine"
    """Whoever gives commands on the collector's machine."""
    DIRECTORY = "directory"
    """A group of the directory, as collector.toml maps it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that somebody has, since when and by whom."""

    user: str
    role: Role
    source: Source
    by: str
    since_utc: int


@dataclass(frozen=True, slots=True)
class Wish:
    """That `user` gets or loses `role`, on the word of `by`."""

    user: str
    role: Role
    by: str
    source: Source


def body_of(wish: Wish, *, withdrawn: bool) -> Body:
    """What the log keeps of it; author and time stand beside it."""
    return {"user": wish.user, "role": wish.role, "source": wish.source, "withdrawn": withdrawn}


def in_force(entries: Iterable[Entry]) -> tuple[Grant, ...]:
    """The roles that people have after all these entries, by user. What the directory gave it takes away by itself."""
    standing: dict[tuple[str, Role, bool], Grant] = {}
    # A role that a later version of the other collector knows gives nothing here.
    for entry in in_order(one for one in entries if one.kind == GRANT and one.told["role"] in set(Role)):
        grant = _grant(entry)
        key = (grant.user, grant.role, grant.source is Source.DIRECTORY)
        if entry.told["withdrawn"]:
            standing.pop(key, None)
        else:
            standing.setdefault(key, grant)
    return tuple(standing[key] for key in sorted(standing))


def _grant(entry: Entry) -> Grant:
    told = entry.told
    return Grant(told["user"], Role(told["role"]), Source(told["source"]), entry.author, entry.recorded_utc)


def roles_of(user: str, grants: Iterable[Grant]) -> frozenset[Role]:
    """All roles of one user."""
    return frozenset(one.role for one in grants if one.user == user)


def granting_fault(wish: Wish, grants: Iterable[Grant]) -> str | None:
    """Why it may not be granted; None where it may. The very first admin may come from the machine alone."""
    standing = tuple(grants)
    if any(one.user == wish.user and one.role is wish.role and one.source is not Source.DIRECTORY for one in standing):
        return f"{wish.user} is {wish.role} already"
    has_admin = any(one.role is Role.ADMIN for one in standing)
    if wish.source is Source.ADMIN and Role.ADMIN not in roles_of(wish.by, standing):
        return f"{wish.by} is no admin, and gives nobody a role"
    if is_same_person(wish.by, wish.user) and (has_admin or wish.role is not Role.ADMIN):
        return f"nobody gives himself a role: another admin than {wish.by} must"
    if wish.role is Role.APPROVER and wish.source is not Source.ADMIN:
        return "an approver is made by an admin, with his own password: say which one with --as NAME"
    return None


def withdrawing_fault(wish: Wish, grants: Iterable[Grant]) -> str | None:
    """Why it may not be withdrawn; None where it may."""
    standing = tuple(grants)
    found = [one for one in standing if (one.user, one.role) == (wish.user, wish.role)]
    if not found:
        return f"{wish.user} is not {wish.role}"
    if all(one.source is Source.DIRECTORY for one in found):
        return f"{wish.user} is {wish.role} by a group of the directory: take it away there"
    if wish.source is Source.ADMIN and Role.ADMIN not in roles_of(wish.by, standing):
        return f"{wish.by} is no admin, and takes no role away"
    return None


def directory_changes(user: str, roles: Iterable[Role], grants: Iterable[Grant]) -> Mapping[Role, bool]:
    """What the directory says otherwise than the log: for each such role whether it is withdrawn."""
    told = frozenset(roles)
    known = frozenset(one.role for one in grants if one.user == user and one.source is Source.DIRECTORY)
    return {role: role in known for role in Role if role in told ^ known}
