"""How a third party takes it that time is put down to him: what was claimed of him, disputed or accepted by him. Pure.

It is told beside an exclusion, and decides nothing: whether that subtracts is said by its approval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import Struct

from detak_collector.decisions.proposal import EntryId, Line, Name
from detak_collector.pair.entry import CLAIM, Body, Entry, in_order

Stance = Literal["claimed", "disputed", "accepted"]
STANCES: tuple[Stance, ...] = ("claimed", "disputed", "accepted")


class ClaimBody(Struct, frozen=True):
    """What an entry of the kind `claim` says of the exclusion that began with the proposal `on`."""

    on: EntryId
    root: Name
    stance: Stance
    reason: Line
    login: Line
    document: Line = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One of them and its entry."""

    entry: Entry
    body: ClaimBody


def body_of(body: ClaimBody) -> Body:
    """What an entry is made of."""
    built: Body = msgspec.to_builtins(body)
    return built


def claims_of(entries: Iterable[Entry]) -> Mapping[str, tuple[Claim, ...]]:
    """All that can be read here, in order, by the proposal on which they are."""
    found: dict[str, tuple[Claim, ...]] = {}
    for entry in in_order(one for one in entries if one.kind == CLAIM):
        try:
            body = msgspec.convert(entry.told, ClaimBody)
        except msgspec.ValidationError:
            continue
        found[body.on] = (*found.get(body.on, ()), Claim(entry, body))
    return found
