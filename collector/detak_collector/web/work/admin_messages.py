"""What the API of administrators takes and tells. Times are ISO 8601, UTC; shapes only, no decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from detak_collector.accounts.roles import Role
from detak_collector.catalogue.texts import MOST_BYTES

Words = Annotated[str, Meta(max_length=1_000)]
Text = Annotated[str, Meta(max_length=MOST_BYTES)]


class NewAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """An account to be made; it has no role."""

    name: Words
    display: Words = ""
    mail: Words = ""


class RoleChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A role that is given, or taken away. `password` is that of whoever says so."""

    role: Role
    password: Words
    withdrawn: bool = False


class Access(Struct, frozen=True, forbid_unknown_fields=True):
    """Lock or unlock an account, or end its second factor."""

    action: Literal["lock", "unlock", "end-second-factor"]


class NewNode(Struct, frozen=True, forbid_unknown_fields=True):
    """A node to let in, by a token that is good for so many hours."""

    node: Words
    hours: Annotated[int, Meta(ge=1, le=720)] = 24


class Retirement(Struct, frozen=True, forbid_unknown_fields=True):
    """The name of the node once more: its key is void at once."""

    typed: Words


class CatalogueFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """services.toml, and the tables of holidays that it names where they have changed."""

    services: Text
    tables: dict[Words, Text] = {}


class CatalogueProposal(Struct, frozen=True, forbid_unknown_fields=True):
    """What was checked: `digest` and `against` are as the check has told them."""

    services: Text
    digest: Words
    against: Words
    tables: dict[Words, Text] = {}


class CatalogueVerdict(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody other than its proposer says of a held version."""

    verdict: Literal["approve", "reject"]
    document: Words = ""
    reason: Words = ""
    proposed_by: Words = ""


class GivenRole(Struct, frozen=True):
    """A role that somebody has."""

    role: str
    by: str
    source: str
    since: str


class AccountTold(Struct, frozen=True):
    """Somebody, with his roles; `here` is false of an account of the other collector."""

    name: str
    display: str
    mail: str
    here: bool
    local: bool
    locked: bool
    second_factor: bool
    signed_in: str | None
    roles: list[GivenRole]


class AccountsTold(Struct, frozen=True):
    """Everybody."""

    items: list[AccountTold]


class LinkTold(Struct, frozen=True):
    """A link by which the owner of the account sets his password, once."""

    name: str
    link: str


class EnrolmentTold(Struct, frozen=True):
    """What lets the node in, once: `line` is to be run there, `notes` say what else to see to."""

    node: str
    token: str
    line: str
    notes: list[str]
    expires: str


class LossTold(Struct, frozen=True):
    """What of a service rests on the node: `left` other members are in that group."""

    service: str
    group: str
    checks: list[str]
    left: int


class NodeTold(Struct, frozen=True):
    """A node and what would lose by its retirement; `entry` is what services.toml says of a retired one."""

    node: str
    state: str
    enrolled: bool
    heard: str | None
    retired: str | None
    losses: list[LossTold]
    entry: str


class VersionTold(Struct, frozen=True):
    """A version of the catalogue."""

    number: int
    state: str
    digest: str
    recorded: str
    since: str | None
    proposed_by: str
    decided_by: str | None
    document: str
    reason: str
    touches: list[str]
    files: list[str]


class VersionsTold(Struct, frozen=True):
    """The versions, the latest first."""

    items: list[VersionTold]


class ShareTold(Struct, frozen=True):
    """What the figure, or a service, comes to; `percent` has four decimals, null without service time."""

    percent: str | None
    counted_ms: int
    in_figure: bool


class DifferingTold(Struct, frozen=True):
    """A service that comes to something else."""

    service: str
    before: ShareTold | None
    after: ShareTold | None


class EffectTold(Struct, frozen=True):
    """This year so far, now and with the other version; `unknown` says why it cannot be known."""

    year: int
    before: ShareTold
    after: ShareTold
    services: list[DifferingTold]
    unknown: str


class CheckTold(Struct, frozen=True):
    """What a catalogue would change. `held`: it waits for an approver. `effect` is null where the figure stays."""

    digest: str
    against: str
    in_force: bool
    held: bool
    past: list[str]
    ahead: list[str]
    effect: EffectTold | None
    trouble: str


BODIES = (
    NewAccount, RoleChange, Access, NewNode, Retirement, CatalogueFiles, CatalogueProposal, CatalogueVerdict,
)  # fmt: skip
ANSWERS = (AccountTold, AccountsTold, LinkTold, EnrolmentTold, NodeTold, VersionTold, VersionsTold, CheckTold)
