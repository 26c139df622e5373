"""What an administrator does with accounts and roles: the same as `detak-collector user`, by the same rules."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from detak_collector.accounts.account import Account, Origin
from detak_collector.accounts.grants import (
    Grant,
    Source,
    Wish,
    body_of,
    granting_fault,
    roles_of,
    withdrawing_fault,
)
from detak_collector.accounts.names import is_name, is_same_person, normal
from detak_collector.accounts.roles import Role
from detak_collector.pair.entry import GRANT
from detak_collector.translation.language import mark
from detak_collector.web.session import Person, digest
from detak_collector.web.work.admin_desk import NOT_FOUND, Desk, RefusedError

MOST_WORDS = 100
LINK_MS = 86_400_000
"""How long a link that sets a password is good."""

BAD_NAME = mark("Letters a to z, digits and . _ - @ between them, at most 64.")
BAD_LINE = mark("One line of at most 100 characters.")
KNOWN = mark("There is an account of this name already.")
NOT_LOCAL = mark("The password of this account is in the directory, and is changed there.")
DISABLED = mark("This account is locked: unlock it first.")
OWN = mark("Nobody locks himself out: another admin does that.")
OWN_ROLE = mark("Nobody gives himself a role: another admin does that.")
HAS_ROLE = mark("{user} has this role already.")
HAS_NOT = mark("{user} does not have this role.")
BY_GROUP = mark("{user} has this role by a group of the directory: take it away there.")
NO_ROLE = mark("There is no such role.")


@dataclass(frozen=True, slots=True)
class Known:
    """An account with the roles that it has, and by whom; an account of the other collector has none here."""

    name: str
    account: Account | None
    grants: tuple[Grant, ...]

    @property
    def roles(self) -> list[Role]:
        """Each once, in the order of Role."""
        return [role for role in Role if role in roles_of(self.name, self.grants)]

    @property
    def is_disabled(self) -> bool:
        """Whether he is let in no more."""
        return self.account is not None and self.account.disabled_utc is not None


@dataclass(frozen=True, slots=True)
class Fresh:
    """An account to be made."""

    name: str
    display: str = ""
    mail: str = ""


class PeopleDesk:
    """Accounts and roles. Whatever is refused raises RefusedError, and nothing of it is done then."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._people = desk.people
        self._accounts = desk.people.store.accounts

    async def all(self) -> list[Known]:
        """Everybody, by name."""
        accounts = {one.name: one for one in await self._desk.read(self._accounts.listing)}
        grants = await self._desk.read(self._people.gate.grants.read)
        names = sorted({*accounts, *(one.user for one in grants)})
        return [
            Known(name, accounts.get(name), tuple(one for one in grants if one.user == name)) for name in names
        ]  # fmt: skip

    async def one(self, name: str) -> Known:
        """One of them."""
        for known in await self.all():
            if known.name == name:
                return known
        raise RefusedError(NOT_FOUND, status=404, text=name[:100])

    async def create(self, person: Person, fresh: Fresh) -> str:
        """Makes an account without a role; the link by which its owner sets the password."""
        name = normal(fresh.name)
        if not is_name(name):
            raise RefusedError(BAD_NAME, "name")
        display, mail = (_line(told, where) for told, where in ((fresh.display, "display"), (fresh.mail, "mail")))
        account = Account(name, display or name, mail, Origin.LOCAL, self._desk.now_utc)
        if not await self._people.write(partial(self._accounts.add, account)):
            raise RefusedError(KNOWN, "name")
        self._tell(person, "user-added", f"account {name} was made", name)
        return await self._linked(name)

    async def link(self, person: Person, name: str) -> str:
        """A link by which he sets another password; the one of now is good until it is used."""
        account = await self._local(name)
        if account.origin is not Origin.LOCAL:
            raise RefusedError(NOT_LOCAL)
        if account.disabled_utc is not None:
            raise RefusedError(DISABLED)
        self._tell(person, "password-link", f"a link was made that sets the password of {name}", name)
        return await self._linked(name)

    async def disable(self, person: Person, name: str, *, disabled: bool) -> None:
        """Lets him in no more and ends his sessions, or lets him in again."""
        await self._local(name)
        if disabled and is_same_person(name, person.account.name):
            raise RefusedError(OWN)
        await self._people.write(partial(self._accounts.set_disabled, name, self._desk.now_utc if disabled else None))
        word = "disabled" if disabled else "enabled"
        self._tell(person, f"user-{word}", f"account {name} was {word}", name)

    async def drop_factor(self, person: Person, name: str) -> None:
        """Ends the second factor of somebody who has lost his telephone."""
        await self._local(name)
        if await self._people.write(partial(self._accounts.drop_secret, name)):
            self._tell(person, "second-factor-off", f"the second factor of {name} was ended", name)

    async def change(
        self, request: web.Request, person: Person, name: str, role: str, password: str, *, withdrawn: bool
    ) -> None:  # fmt: skip
        """Gives or takes a role, on the word of an admin who proves to be one."""
        if role not in set(Role):
            raise RefusedError(NO_ROLE, "role")
        if not withdrawn:
            await self._local(name)
        wish = Wish(name, Role(role), person.account.name, Source.ADMIN)
        _refuse(wish, await self._desk.read(self._people.gate.grants.read), withdrawn=withdrawn)
        await self._desk.prove(request, person, password)
        await self._desk.enter(partial(self._enter, wish, withdrawn=withdrawn))
        event, done = ("role-withdrawn", "was taken from") if withdrawn else ("role-granted", "was given to")
        text = f"the role {role} {done} {name} by {wish.by}"
        self._people.audit(event, text, user=name, role=role, on_word_of=wish.by)

    def _enter(self, wish: Wish, *, withdrawn: bool) -> None:
        """In the store's thread, where nothing comes between looking and entering."""
        _refuse(wish, self._people.gate.grants.read(), withdrawn=withdrawn)
        body = body_of(wish, withdrawn=withdrawn)
        self._people.store.entries.append(GRANT, body, wish.by, self._desk.now_utc)

    async def _local(self, name: str) -> Account:
        account = await self._desk.read(partial(self._accounts.find, name))
        if account is None:
            raise RefusedError(NOT_FOUND, status=404, text=name[:100])
        return account

    async def _linked(self, name: str) -> str:
        token = secrets.token_urlsafe(32)
        expires = self._desk.now_utc + LINK_MS
        await self._people.write(partial(self._accounts.issue_reset, name, digest(token), expires))
        return f"{self._people.config().url}/sign-in/password?link={token}"

    def _tell(self, person: Person, event: str, text: str, name: str) -> None:
        self._people.audit(event, f"{text} by {person.account.name}", user=name, on_word_of=person.account.name)


def _line(told: str, where: str) -> str:
    words = told.strip()
    if len(words) > MOST_WORDS or not (words.isprintable() or not words):
        raise RefusedError(BAD_LINE, where)
    return words


def _refuse(wish: Wish, standing: tuple[Grant, ...], *, withdrawn: bool) -> None:
    """Raises RefusedError where the rules of roles do not allow it, in words of the page."""
    fault = withdrawing_fault(wish, standing) if withdrawn else granting_fault(wish, standing)
    if fault is None:
        return
    held = [one for one in standing if (one.user, one.role) == (wish.user, wish.role)]
    if withdrawn:
        raise RefusedError(BY_GROUP if held else HAS_NOT, "role", user=wish.user)
    if is_same_person(wish.by, wish.user):
        raise RefusedError(OWN_ROLE, "role")
    if any(one.source is not Source.DIRECTORY for one in held):
        raise RefusedError(HAS_ROLE, "role", user=wish.user)
    raise RefusedError(fault, "role")
