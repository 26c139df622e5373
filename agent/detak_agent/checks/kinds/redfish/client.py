"""Asks a Redfish controller, each resource over a connection of its own, since many controllers keep none open."""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from dataclasses import dataclass

import msgspec

from detak_agent.checks.addresses import endpoint, met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import refusal, shared_context
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.http_get import Page, TooLongError, basic, fetch, request_for
from detak_agent.checks.kinds.redfish.health import ON, Machine, judge
from detak_agent.checks.kinds.redfish.kind import RedfishSettings
from detak_agent.checks.kinds.redfish.reading import (
    ROOT,
    Part,
    Resource,
    chassis_links,
    link,
    links,
    parts,
    watts,
    whole,
)
from detak_agent.checks.secrets import SecretReader
from detak_agent.http_answer import BrokenAnswerError

MOST_BYTES = 1_024 * 1_024
_SHOWN_NAMES = 12
_PART_LINKS = ("Thermal", "Power")
_NEWER_PART_LINKS = ("ThermalSubsystem", "PowerSubsystem")
_NOTHING_KNOWN = "nothing is known of the machine itself"
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _OWN_ERRORS = 200, 401, 403, 404, 500


class _UnreadableError(Exception):
    """The controller answered, but did not show a resource."""

    def __init__(self, status: int, path: str) -> None:
        super().__init__(status, path)
        self.status = status
        self.path = path


class RedfishClient:
    """Keeps where the system and its chassis are; neither a connection nor a session."""

    def __init__(self, settings: RedfishSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._authority = endpoint(settings.host, settings.port)
        self._password = SecretReader(settings.password, settings.password_file)
        self._context = shared_context(verify=settings.verify_tls, ca_file=settings.ca_file) if settings.tls else None
        self._system = ""
        self._chassis = ""

    async def sample(self, deadline_ms: int) -> Outcome:
        begin, patience = time.monotonic(), patience_s(deadline_ms)
        try:
            machine = await asyncio.wait_for(self._look(begin + patience), patience)
        except asyncio.TimeoutError:
            words = f"{self._caller.waiting_for} within {deadline_ms} ms: {_NOTHING_KNOWN}"
            return Outcome(self._settings.unreachable, words)
        except _UnreadableError as error:
            self._system = self._chassis = ""
            raise CouldNotCheckError(self._refused(error)) from None
        except OSError as error:
            words = f"{error.strerror or error}: {_NOTHING_KNOWN}"
            if self._settings.unreachable == "unknown":
                raise CouldNotCheckError(words) from error
            raise OSError(error.errno, words) from error
        return judge(machine, self._settings, (time.monotonic() - begin) * 1_000)

    async def _look(self, until: float) -> Machine:
        headers = basic(self._settings.user, await self._password.read(max(1, int((until - time.monotonic()) * 1_000))))
        asked = _Asked(self, headers, until)
        if not self._system:
            self._system = await self._place(asked, "Systems", self._settings.system)
        resource = await asked.get(self._system)
        system = whole(resource, "the system")
        if system.power not in {"", ON}:
            return Machine(system)
        self._chassis = self._chassis or await self._chassis_of(asked, resource)
        if not self._chassis:
            return Machine(system)
        chassis = await asked.get(self._chassis)
        machine = Machine(system, whole(chassis, "the chassis"))
        return await self._with_parts(asked, machine, chassis) if self._settings.parts else machine

    async def _chassis_of(self, asked: _Asked, system: Resource) -> str:
        if self._settings.chassis:
            return await self._place(asked, "Chassis", self._settings.chassis)
        return next(iter(chassis_links(system)), "")

    async def _place(self, asked: _Asked, collection: str, wanted: str) -> str:
        """Where the member of this name is, or the first one."""
        path = link(await asked.get(ROOT), collection)
        members = links(await asked.get(path), "Members") if path else []
        names = [member.rstrip("/").rpartition("/")[2] for member in members]
        if wanted in names:
            return members[names.index(wanted)]
        if wanted or not members:
            listed = ", ".join(names[:_SHOWN_NAMES]) or "none"
            raise CouldNotCheckError(f"{self.where} has no {collection} {wanted or 'at all'}; it has {listed}")
        return members[0]

    async def _with_parts(self, asked: _Asked, machine: Machine, chassis: Resource) -> Machine:
        found: list[Part] = []
        unread: list[str] = []
        taken: float | None = None
        for older, newer in zip(_PART_LINKS, _NEWER_PART_LINKS, strict=True):
            path = link(chassis, older) or link(chassis, newer)
            try:
                resource = await asked.get(path, essential=False) if path else {}
            except _UnreadableError as error:
                unread.append(f"{older} (status {error.status})")
                continue
            found += parts(resource)
            taken = watts(resource) if taken is None else taken
        return Machine(machine.system, machine.chassis, found, taken, unread)

    @property
    def where(self) -> str:
        """The controller, for people."""
        return self._caller.where

    async def fetch(self, path: str, headers: dict[str, str], until: float) -> Page:
        """One resource; OSError in words where there is no answer, CouldNotCheckError where it cannot be used."""
        connected = await self._caller.connected(until)
        try:
            page = await fetch(
                connected, self._context, self._settings.host, request_for(path, self._authority, headers), MOST_BYTES
            )
        except ssl.SSLError as error:
            raise CouldNotCheckError(self._untrusted(error)) from error
        except BrokenAnswerError as error:
            raise OSError(errno.EPROTO, f"{self._caller.where} {error}") from error
        except TooLongError:
            raise CouldNotCheckError(f"{self._caller.where} sends more than {MOST_BYTES} bytes for {path}") from None
        except OSError as error:
            raise met(error, self._caller.where) from error
        return page

    def _untrusted(self, error: ssl.SSLError) -> str:
        words = refusal(error, self._settings.host)
        return f"{words} (verify_tls = false takes any)" if isinstance(error, ssl.SSLCertVerificationError) else words

    def _refused(self, error: _UnreadableError) -> str:
        where, user = self._caller.where, self._settings.user
        if error.status == _UNAUTHORIZED:
            who = f"refuses the user {user}: is the password right, and basic authentication allowed?"
            return f"{where} {who if user else 'wants a user and a password'}"
        if error.status == _FORBIDDEN:
            return f"{where} does not let the user {user} read {error.path}: give it the role ReadOnly"
        if error.status == _NOT_FOUND:
            return f"{where} has no {error.path}: is it a Redfish controller?"
        return f"{where} answers {error.path} with status {error.status}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The requests of one sample."""

    client: RedfishClient
    headers: dict[str, str]
    until: float

    async def get(self, path: str, *, essential: bool = True) -> Resource:
        """A resource; _UnreadableError where the controller does not show it."""
        page = await self.client.fetch(path, self.headers, self.until)
        if page.status >= _OWN_ERRORS and essential:
            where = self.client.where
            raise OSError(errno.EPROTO, f"{where} is in trouble itself: it answers {path} with status {page.status}")
        if page.status != _OK:
            raise _UnreadableError(page.status, path)
        try:
            decoded = msgspec.json.decode(page.body)
        except msgspec.DecodeError:
            raise CouldNotCheckError(f"{path} of the controller is not JSON") from None
        if not isinstance(decoded, dict):
            raise CouldNotCheckError(f"{path} of the controller is no resource of Redfish")
        return decoded
