"""Who gets a summary: addresses as the file names them, and everybody who has a role, each once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from detak_collector.accounts.account import Account
from detak_collector.accounts.grants import Grant, roles_of
from detak_collector.accounts.roles import Role
from detak_collector.mail.file import Wanted, is_address


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address and what it gets. `role`: because of that, and not because the file names the address."""

    address: str
    of: str | None
    attach: tuple[str, ...]
    language: str
    role: Role | None


def recipients(
    wanted: Iterable[Wanted], kind: str, accounts: Iterable[Account], grants: Iterable[Grant]
) -> list[Recipient]:
    """Everybody who gets summaries of that kind; who is named twice for one part of it gets it as first named."""
    found: dict[tuple[str, str | None], Recipient] = {}
    people, given = list(accounts), tuple(grants)
    for one in wanted:
        if kind in one.summaries:
            for address in _addresses(one, people, given):
                recipient = Recipient(address, one.of, one.attach, one.language, one.role)
                found.setdefault((address.casefold(), one.of), recipient)
    return list(found.values())


def _addresses(one: Wanted, people: Iterable[Account], grants: tuple[Grant, ...]) -> Iterator[str]:
    if one.address is not None:
        yield one.address
    for account in people if one.role is not None else ():
        if account.disabled_utc is None and one.role in roles_of(account.name, grants) and is_address(account.mail):
            yield account.mail
