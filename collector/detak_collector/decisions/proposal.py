"""Proposals and decisions, as the bodies of entries have them, and back. Pure.

A proposal adds an exclusion or a declaration, replaces one (an amendment), or withdraws one that is in force. All that
descend from one added belong together by its name, their `root`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from detak_collector.pair.entry import DECISION, PROPOSAL, Body, Entry

EXCLUSION: Final = "exclusion"
DECLARATION: Final = "declaration"
ADD: Final = "add"
REPLACE: Final = "replace"
WITHDRAW: Final = "withdraw"
APPROVE: Final = "approve"
REJECT: Final = "reject"
TAKE_BACK: Final = "take-back"
LETTERS = {EXCLUSION: "x", DECLARATION: "d"}

About = Literal["exclusion", "declaration"]
Action = Literal["add", "replace", "withdraw"]
Verdict = Literal["approve", "reject", "take-back"]
Name = Annotated[str, Meta(pattern=r"^[xd][1-9][0-9]{0,8}\Z")]
EntryId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Line = Annotated[str, Meta(max_length=4_000)]

_MOSTLY_UNSAID = ("drill", "provider")

Record = Mapping[str, Any]
"""The settled keys of exclusions.ndjson, but for the id and who proposed and approved it."""


class Provider(Struct, frozen=True, omit_defaults=True):
    """Of an outage that a third party answers for: who that is, and when it was by his own word (UTC ms)."""

    name: Line = ""
    circuit: Line = ""
    ticket: Line = ""
    begin: int | None = None
    end: int | None = None


NOBODY = Provider()


class ProposalBody(Struct, frozen=True):
    """What an entry of the kind `proposal` says; a withdrawal has no record. `login`: by whom the command was given.

    `because` and `document` are of the amendment or withdrawal itself, `uid` is that of a calendar's event. `drill`:
    planned work is a drill, such as a switch-over from one site to the other.
    """

    about: About
    action: Action
    name: Name
    root: Name
    login: Line
    target: EntryId | None = None
    record: dict[str, Any] | None = None
    because: Line = ""
    document: Line = ""
    uid: Line = ""
    drill: bool = False
    provider: Provider = NOBODY


class DecisionBody(Struct, frozen=True):
    """What an entry of the kind `decision` says of the proposal with the entry `on`."""

    about: About
    verdict: Verdict
    name: Name
    root: Name
    on: EntryId
    login: Line
    reason: Line = ""
    document: Line = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal and its entry. `name` may have a number behind it, where two collectors gave one name at once."""

    entry: Entry
    body: ProposalBody
    name: str

    @property
    def author(self) -> str:
        """Who proposes."""
        return self.entry.author


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision and its entry."""

    entry: Entry
    body: DecisionBody

    @property
    def author(self) -> str:
        """Who decides."""
        return self.entry.author


def body_of(body: ProposalBody | DecisionBody) -> Body:
    """What an entry is made of."""
    built: dict[str, Any] = msgspec.to_builtins(body)
    return {name: value for name, value in built.items() if name not in _MOSTLY_UNSAID or value}


def read_entry(entry: Entry) -> Proposal | Decision | None:
    """What the entry says; None where it says something else, or in words of another version."""
    try:
        if entry.kind == PROPOSAL:
            body = msgspec.convert(entry.told, ProposalBody)
            return Proposal(entry, body, body.name) if _is_whole(body) else None
        if entry.kind == DECISION:
            return Decision(entry, msgspec.convert(entry.told, DecisionBody))
    except msgspec.ValidationError:
        return None
    return None


def _is_whole(body: ProposalBody) -> bool:
    return (body.action == WITHDRAW) == (body.record is None) and (body.action == ADD) == (body.target is None)
