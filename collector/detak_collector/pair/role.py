"""Which of two collectors leads: the one that people enter things at, that numbers outages and sends mails. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from detak_collector.pair.entry import PROMOTION, Entry, in_order


class Role(Enum):
    """`SUPERSEDED`: its file does not say that it follows, but the other one was promoted."""

    LEADS = "leads"
    FOLLOWS = "follows"
    SUPERSEDED = "superseded"

    @property
    def leads(self) -> bool:
        """Whether things are entered here."""
        return self is Role.LEADS


def role_of(collector: str, entries: Iterable[Entry], *, follows: bool) -> Role:
    """The role of this collector; `follows` is what its file says. The latest promotion stands above the files."""
    promotions = [one for one in in_order(entries) if one.kind == PROMOTION]
    if not promotions:
        return Role.FOLLOWS if follows else Role.LEADS
    if promotions[-1].collector == collector:
        return Role.LEADS
    return Role.FOLLOWS if follows else Role.SUPERSEDED
