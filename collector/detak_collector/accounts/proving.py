"""Whether somebody is who he says: by password, here or in the directory, and by the code of the second factor.

However it ends, it does the same work and says the same, whether there is an account of that name or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from detak_collector.accounts.account import Account, Origin, Session
from detak_collector.accounts.directory_answer import DirectoryError, Found
from detak_collector.accounts.grants import Source, Wish, body_of, directory_changes
from detak_collector.accounts.known_grants import KnownGrants
from detak_collector.accounts.names import is_name, normal
from detak_collector.accounts.passwords import Hasher
from detak_collector.accounts.roles import Role
from detak_collector.accounts.second_factor import matching_step
from detak_collector.accounts.throttle import Throttle
from detak_collector.clocks import Clock
from detak_collector.operating.counters import refusals
from detak_collector.operating.events import Audit
from detak_collector.pair.entry import GRANT
from detak_collector.store.parts import Store

REFUSAL_S = 1.0
"""No refusal comes sooner, so that its time says nothing of how far the attempt came."""

MOST_WAITING = 32
"""So many may wait for their password to be looked at."""

DIRECTORY = "directory"
R = TypeVar("R")


class Authenticates(Protocol):
    """A directory, asked in a thread."""

    def authenticate(self, name: str, password: str) -> Found | None:
        """The person, or None; raises DirectoryError."""
        ...


class Writes(Protocol):
    """Does something in the thread that alone writes to the store."""

    def __call__(self, work: Callable[[], R], /) -> Awaitable[R]:
        """Its result."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt: the account where it was right; in how many seconds to come back where it was held."""

    account: Account | None = None
    wait_s: int = 0


@dataclass(slots=True)
class Proving:
    """Of one serving process, used in its event loop only."""

    store: Store
    clock: Clock
    write: Writes
    audit: Audit
    directory: Callable[[], Authenticates | None]
    grants: KnownGrants
    hasher: Hasher = field(default_factory=Hasher)
    throttle: Throttle = field(default_factory=Throttle)
    refusal_s: float = REFUSAL_S
    trouble: str = field(default="", init=False)
    """Why the directory cannot be asked; empty where it answered last."""
    _hashing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "passwords"), init=False)
    _asking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "directory"), init=False)
    _waiting: int = field(default=0, init=False)

    def close(self) -> None:
        """Lets go of its threads."""
        self._hashing.shutdown(wait=False, cancel_futures=True)
        self._asking.shutdown(wait=False, cancel_futures=True)

    async def password(self, typed: str, password: str, address: str) -> Answer:
        """Whose password it is. A refusal takes a second, and an attempt too many is not looked at."""
        begun = asyncio.get_running_loop().time()
        name = normal(typed)[:100]
        wait_s = self._held(name, address)
        if wait_s:
            return Answer(wait_s=wait_s)
        self._waiting += 1
        try:
            account, why = await self._looked_at(name, password)
        finally:
            self._waiting -= 1
        if account is not None:
            self.throttle.succeeded(name, address, self._now_s())
            return Answer(account)
        self._tell_refused(name, address, why)
        await asyncio.sleep(begun + self.refusal_s - asyncio.get_running_loop().time())
        return Answer()

    async def code(self, account: Account, session: Session, typed: str, address: str) -> Answer:
        """Whether it is the code of now, which is good once."""
        wait_s = self._held(account.name, address)
        if wait_s:
            return Answer(wait_s=wait_s)
        now = self.clock().utc
        step = matching_step(account.secret or "", typed, now, account.step)
        accounts, sessions = self.store.accounts, self.store.sessions
        if step is not None and await self.write(partial(accounts.use_step, account.name, step)):
            self.throttle.succeeded(account.name, address, self._now_s())
            return Answer(account)
        await self.write(partial(sessions.wrong_code, session.hash))
        self._tell_refused(account.name, address, "another code, or one that was used")
        return Answer()

    async def hashed(self, password: str) -> str:
        """What is to be kept of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._hashing, self.hasher.hash, password)

    def _held(self, name: str, address: str) -> int:
        """In how many seconds the next attempt may be made; 0: now."""
        wait_s = 5 if self._waiting >= MOST_WAITING else self.throttle.take(name, address, self._now_s())
        if wait_s:
            refusals.count("sign_in_too_often")
        return wait_s

    async def _looked_at(self, name: str, password: str) -> tuple[Account | None, str]:
        """The account whose password it is, or why not. One hash is computed, whatever the name."""
        account = await asyncio.to_thread(self.store.accounts.find, name) if is_name(name) else None
        local = account is not None and account.origin is Origin.LOCAL
        kept = account.password if account is not None and local else None
        loop = asyncio.get_running_loop()
        fits = await loop.run_in_executor(self._hashing, self.hasher.fits, kept, password)
        if account is not None and account.disabled_utc is not None:
            return None, "the account is disabled"
        if account is not None and local:
            if fits and kept is not None:
                await self._renew(account.name, kept, password)
            return (account, "") if fits else (None, "another password" if kept else "no password is set")
        return await self._in_directory(name, password)

    async def _renew(self, name: str, kept: str, password: str) -> None:
        if self.hasher.is_dated(kept):
            fresh = await self.hashed(password)
            await self.write(partial(self.store.accounts.rehash, name, kept, fresh))

    async def _in_directory(self, name: str, password: str) -> tuple[Account | None, str]:
        directory = self.directory()
        if directory is None or not is_name(name):
            return None, "there is no such account"
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._asking, directory.authenticate, name, password)
        except DirectoryError as error:
            self._directory_fares(str(error))
            return None, "the directory does not answer"
        self._directory_fares("")
        if found is None:
            return None, "the directory refuses it"
        account, changes = await self.write(partial(self._met, found))
        for role, withdrawn in changes.items():
            name, done = ("role-withdrawn", "was taken from") if withdrawn else ("role-granted", "was given to")
            text = f"the role {role} {done} {found.name} by the directory"
            self.audit(name, text, user=found.name, role=role.value, on_word_of=DIRECTORY)
        return account, "the account is a local one, or disabled"

    def _met(self, found: Found) -> tuple[Account | None, Mapping[Role, bool]]:
        """His account, with what the directory says of his roles entered in the log where that is news.

        With these roles, and whether each was withdrawn.
        """
        now = self.clock().utc
        account = self.store.accounts.meet(Account(found.name, found.display, found.mail, Origin.DIRECTORY, now))
        if account is None or account.disabled_utc is not None:
            return None, {}
        changes = directory_changes(found.name, found.roles, self.grants.read())
        for role, withdrawn in changes.items():
            body = body_of(Wish(found.name, role, DIRECTORY, Source.DIRECTORY), withdrawn=withdrawn)
            self.store.entries.append(GRANT, body, DIRECTORY, now)
        return account, changes

    def _directory_fares(self, trouble: str) -> None:
        """Told once for as long as it lasts."""
        if trouble and not self.trouble:
            self.audit("directory-silent", f"the directory cannot be asked: {trouble}", logging.ERROR)
        elif self.trouble and not trouble:
            self.audit("directory-answers", "the directory answers again")
        self.trouble = trouble

    def _tell_refused(self, name: str, address: str, why: str) -> None:
        """What is no name may be a password in the wrong field: it is not told."""
        refusals.count("sign_in")
        shown = name if is_name(name) else "(not a name)"
        text = f"sign-in of {shown} from {address} refused: {why}"
        self.audit("sign-in-refused", text, logging.WARNING, user=shown, address=address)

    def _now_s(self) -> float:
        return self.clock().boottime / 1_000
