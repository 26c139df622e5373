"""One conversation over SNMP for each sample, on a fresh socket.

Not by pysnmp: it takes 18 MiB, and with a fresh engine 110 to 150 ms of a processor for each sample; a kept engine does
not hear a device that comes back with another engine ID, which would be counted as downtime.
"""

from __future__ import annotations

import asyncio
import time

from detak_agent.checks.addresses import Address, met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.snmp.health import Facts, judge
from detak_agent.checks.kinds.snmp.kind import LEAST_PASSWORD, SECRETS, SnmpSettings
from detak_agent.checks.kinds.snmp.message import Community, Envelope
from detak_agent.checks.kinds.snmp.reading import Reader
from detak_agent.checks.kinds.snmp.session import RefusedError, Session
from detak_agent.checks.kinds.snmp.usm import Cipher, Secured, User, secret_of
from detak_agent.checks.secrets import SecretReader


class SnmpClient:
    """Keeps what passwords hash to and what the reader keeps, but no socket."""

    def __init__(self, settings: SnmpSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._reader = Reader(settings)
        self._secrets = {key: _Secret(key, settings) for key in SECRETS if settings.has(key)}
        self._cipher = _cipher() if settings.has("privacy_password") else None

    async def sample(self, deadline_ms: int) -> Outcome:
        envelope = await self._envelope(deadline_ms)
        patience = patience_s(deadline_ms)
        until = time.monotonic() + patience
        try:
            facts = await asyncio.wait_for(
                self._caller.first(until, lambda address: self._converse(address, envelope)), patience
            )
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms{self._doubt(envelope)}")
        except RefusedError as error:
            raise CouldNotCheckError(f"{self._caller.where} {error}") from None
        return judge(facts, self._settings)

    async def _envelope(self, deadline_ms: int) -> Envelope:
        settings = self._settings
        if settings.version == "2c":
            return Community(await self._secrets["community"].plain(deadline_ms))
        hashes = {key: await secret.hashed(deadline_ms) for key, secret in self._secrets.items()}
        return Secured(
            User(
                settings.user,
                settings.authentication,
                hashes.get("password"),
                hashes.get("privacy_password"),
                self._cipher,
            )
        )

    def _doubt(self, envelope: Envelope) -> str:
        """What else silence may mean; CouldNotCheckError where the device is there, and only does not understand."""
        if isinstance(envelope, Community):
            return " (a wrong community looks the same)"
        if isinstance(envelope, Secured) and envelope.engine.identity and self._cipher is not None:
            raise CouldNotCheckError(
                f"{self._caller.where} answers, but not to what is encrypted for user {self._settings.user}: "
                "is privacy_password right, and AES what the device uses?"
            )
        return ""

    async def _converse(self, address: Address, envelope: Envelope) -> Facts:
        self._caller.waiting_for = f"{self._caller.where} did not answer"
        try:
            session = Session(address, envelope)
            try:
                return await self._reader.facts(session)
            finally:
                session.close()
        except OSError as error:
            raise met(error, self._caller.where) from error


class _Secret:
    """One secret of the settings, and what it hashes to, which is dear."""

    def __init__(self, key: str, settings: SnmpSettings) -> None:
        self._key = key
        self._authentication = settings.authentication
        self._reader = SecretReader(getattr(settings, key), getattr(settings, f"{key}_file"), key)
        self._hashed = ("", b"")

    async def plain(self, deadline_ms: int) -> str:
        """As it is written; CouldNotCheckError where it cannot be read."""
        return await self._reader.read(deadline_ms)

    async def hashed(self, deadline_ms: int) -> bytes:
        """As keys are made of it; CouldNotCheckError where it is too short."""
        password = await self.plain(deadline_ms)
        if len(password) < LEAST_PASSWORD:
            raise CouldNotCheckError(f"{self._key} must have at least {LEAST_PASSWORD} characters (RFC 3414)")
        if password != self._hashed[0]:
            self._hashed = (password, secret_of(password, self._authentication))
        return self._hashed[1]


def _cipher() -> Cipher:
    from detak_agent.checks.kinds.snmp.privacy import Aes  # noqa: PLC0415 - 8 MiB, only where something is encrypted

    return Aes()
