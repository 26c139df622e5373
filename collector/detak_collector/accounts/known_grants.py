"""The roles in force as the log has them now, read again only when something was entered."""

from __future__ import annotations

from dataclasses import dataclass, field

from detak_collector.accounts.grants import Grant, in_force, roles_of
from detak_collector.accounts.roles import Role
from detak_collector.pair.entry import GRANT
from detak_collector.store.entries import SqlEntries


@dataclass(slots=True)
class KnownGrants:
    """Any thread may ask it."""

    entries: SqlEntries
    _known: tuple[int, tuple[Grant, ...]] = field(default=(-1, ()), init=False)

    def read(self) -> tuple[Grant, ...]:
        """All that are in force."""
        mark, grants = self.entries.mark(), self._known
        if grants[0] != mark:
            grants = self._known = (mark, in_force(self.entries.of(GRANT)))
        return grants[1]

    def roles(self, user: str) -> frozenset[Role]:
        """Those of one user."""
        return roles_of(user, self.read())
