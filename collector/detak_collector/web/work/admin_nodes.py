"""What an administrator does with nodes: lets one in, and retires one, told before what would lose by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from detak_collector.board.node_standing import standing
from detak_collector.channel.certificate import Shown, shown_certificate
from detak_collector.channel.enrol import issue_token
from detak_collector.downtime.catalogue import Catalogue, Member, Service
from detak_collector.downtime.evidence import bearing_on
from detak_collector.report.numbers import moment_of
from detak_collector.store.base import NodeRow
from detak_collector.translation.language import mark
from detak_collector.web.session import Person
from detak_collector.web.work.admin_desk import NOT_FOUND, Desk, RefusedError
from detak_wire import limits

BAD_NAME = mark("Lower-case letters, digits and . _ - between them, at most 64.")
BAD_HOURS = mark("A whole number of hours from 1 to 720.")
UNCONFIRMED = mark("Type the name of the node, {text}, to retire it.")
NO_KEY = mark("{text} has no key.")
MOST_HOURS = 720
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is shown once: `line` is to be run on the node; `notes` say what else to see to."""

    node: str
    token: str
    line: str
    notes: tuple[str, ...]
    expires_utc: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What of a service rests on a node: in which group, and how many other members that has now.

    `group` is empty where the checks are only witness or reference of a node that bears a member.
    """

    service: str
    name: str
    group: str
    checks: tuple[str, ...]
    left: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A node as it stands. `retired_utc`: from when services.toml expects nothing more of it."""

    row: NodeRow
    state: str
    losses: tuple[Loss, ...]
    retired_utc: int | None
    entry: str
    """The lines for services.toml that say so from today on."""


class NodesDesk:
    """Whatever is refused raises RefusedError, and nothing of it is done then."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._people = desk.people
        self._registry = desk.people.store.registry

    async def all(self) -> list[tuple[NodeRow, str]]:
        """Every node by name, with how it stands."""
        rows = await self._desk.read(partial(self._registry.listing, self._people.clock()))
        return [(row, self._state(row)) for row in rows]

    async def one(self, name: str) -> Standing:
        """One of them, with what rests on it."""
        rows = await self._desk.read(partial(self._registry.listing, self._people.clock(), [name]))
        if not rows:
            raise RefusedError(NOT_FOUND, status=404, text=name[:100])
        rules, now = await self._desk.read(self._desk.rules), self._desk.now_utc
        entry = rules.catalogue.node(name)
        losses = tuple(losses_of(rules.catalogue, name, now))
        return Standing(rows[0], self._state(rows[0]), losses, entry.retired, _entry(name, now, rules.zone))

    async def enrol(self, person: Person, node: str, hours: str) -> Enrolment:
        """A token for one node, good once."""
        name = node.strip()
        if re.fullmatch(limits.NAME_PATTERN, name) is None:
            raise RefusedError(BAD_NAME, "node")
        if not (hours.isascii() and hours.isdigit() and len(hours) < 5 and 1 <= int(hours) <= MOST_HOURS):
            raise RefusedError(BAD_HOURS, "hours")
        lifetime_ms, now = int(hours) * HOUR_MS, self._people.clock()
        token = await self._people.write(partial(issue_token, self._registry, name, lifetime_ms, now))
        text = f"a token was made for {name} by {person.account.name}"
        self._people.audit("token-issued", text, node=name, on_word_of=person.account.name)
        shown = await self._desk.read(self._certificate)
        url = self._people.config().url
        line = f"detak-agent enroll --collector {url} --token {token} --node {name}{shown.argument}"
        return Enrolment(name, token, line, shown.notes, now.utc + lifetime_ms)

    async def retire(self, person: Person, name: str, typed: str) -> None:
        """Voids its key, once its name was typed: what it delivered stays, and it delivers nothing more."""
        await self.one(name)
        if typed.strip() != name:
            raise RefusedError(UNCONFIRMED, "typed", text=name)
        if not await self._people.write(partial(self._revoked, name)):
            raise RefusedError(NO_KEY, text=name)
        text = f"the key of node {name} was voided by {person.account.name}"
        self._people.audit("revoked", text, node=name, on_word_of=person.account.name)
        self._desk.beat()

    def _revoked(self, name: str) -> bool:
        revoked = self._registry.revoke(name, self._people.clock())
        self._desk.keyring.refill()
        return revoked

    def _certificate(self) -> Shown:
        return shown_certificate(self._people.config())

    def _state(self, row: NodeRow) -> str:
        return standing(row, self._desk.now_utc, self._people.config().down_after_ms)


def losses_of(catalogue: Catalogue, node: str, now: int) -> Iterator[Loss]:
    """What rests on the node at this moment, service by service in the order of the catalogue."""
    entries = {one.name: one for one in catalogue.nodes}
    for service in catalogue.services:
        members = [one for one in service.members() if one.in_force(now)]
        own = [check for one in members for check in one.checks if _is_of(check, node)]
        yield from _direct(service, node, now)
        around = bearing_on((check for one in members for check in one.checks), entries)
        beside = tuple(check for check in around if _is_of(check, node) and check not in own)
        if beside:
            yield Loss(service.id, service.name.value_at(now), "", beside, 0)


def _direct(service: Service, node: str, now: int) -> Iterator[Loss]:
    name = service.name.value_at(now)
    layers = [*((group.name, group.members) for group in service.groups), ("probe", service.probes)]
    for group, every in layers:
        members = [one for one in every if one.in_force(now)]
        checks = tuple(check for one in members for check in one.checks if _is_of(check, node))
        if checks:
            left = sum(not _is_alone(one, node) for one in members)
            yield Loss(service.id, name, group, checks, left)


def _is_alone(member: Member, node: str) -> bool:
    """Whether nobody but this node sees the member."""
    return all(_is_of(check, node) for check in member.checks)


def _is_of(check: str, node: str) -> bool:
    return check.partition("/")[0] == node


def _entry(name: str, now: int, zone: ZoneInfo) -> str:
    return f'[[node]]\nname = "{name}"\nretired = "{moment_of(now, zone):%Y-%m-%d}"\n'
