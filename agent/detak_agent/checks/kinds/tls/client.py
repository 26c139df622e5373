"""One TLS handshake for each sample, on a fresh connection. It imports ssl: only `tls` loads it, when it must."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
import time
from dataclasses import dataclass

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import NOT_TLS, changed_at, client_context, days_left, present, refusal
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.tls.connection import Connection, PeerError
from detak_agent.checks.kinds.tls.kind import TlsSettings
from detak_agent.checks.kinds.tls.upgrade import upgrade
from detak_agent.checks.threads import Lane

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_TOO_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "VERSION_TOO_LOW"})
_NOTHING_IN_COMMON = "SSLV3_ALERT_HANDSHAKE_FAILURE"
_FAREWELL_S = 1.0


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a completed handshake showed, as far as it is judged."""

    version: str
    days_left: float
    latency_ms: float


def judge(seen: Handshake, settings: TlsSettings) -> Outcome:
    """Pure: the state after a handshake that was completed."""
    values = {"latency_ms": seen.latency_ms, "certificate_days_left": seen.days_left}
    if seen.days_left <= 0:
        return Outcome("down", f"the certificate expired {-seen.days_left:.1f} days ago: renew it", values=values)
    found = []
    if settings.slow_ms is not None and seen.latency_ms > settings.slow_ms:
        found.append(f"slow: the handshake took {seen.latency_ms:.0f} ms (limit {settings.slow_ms} ms)")
    if seen.days_left < settings.expiry_warning_days:
        found.append(
            f"the certificate expires in {seen.days_left:.1f} days (warning {settings.expiry_warning_days} days before)"
        )
    if found:
        return Outcome("degraded", "; ".join(found), values=values)
    words = f"{seen.version} in {seen.latency_ms:.0f} ms, the certificate holds for {seen.days_left:.0f} days"
    return Outcome("up", words, values=values)


class TlsClient:
    """Keeps the context while the files it is made of stay as they are."""

    def __init__(self, settings: TlsSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._name = (settings.server_name or settings.host).partition("%")[0].rstrip(".")
        self._lane = Lane()
        self._files = self._file_times()
        self._context = self._new_context()

    async def sample(self, deadline_ms: int) -> Outcome:
        until = time.monotonic() + patience_s(deadline_ms)
        if any(self._file_names()):
            await self._look_at_files(deadline_ms)
        try:
            return judge(await asyncio.wait_for(self._converse(until), until - time.monotonic()), self._settings)
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")

    async def _converse(self, until: float) -> Handshake:
        begin = time.perf_counter()
        with contextlib.closing(Connection(await self._caller.connected(until))) as connection:
            try:
                return await self._shake_hands(connection, begin, until)
            except asyncio.CancelledError:
                self._caller.waiting_for = f"{self._caller.where} {connection.awaited}"
                raise

    async def _shake_hands(self, connection: Connection, begin: float, until: float) -> Handshake:
        try:
            if self._settings.starttls:
                await upgrade(connection, self._settings.starttls)
            tls = await connection.handshake(self._context, self._name)
            latency_ms = (time.perf_counter() - begin) * 1_000
            version = tls.version() or "TLS"
            if self._settings.certificate_file:
                await self._hear_out(connection, tls, until)
        except PeerError as error:
            raise OSError(f"{self._caller.where} {error}") from None
        except ssl.SSLError as error:
            raise self._disagreement(error) from None
        except OSError as error:
            raise met(error, self._caller.where) from error
        certificate = tls.getpeercert(binary_form=True)
        days = days_left([certificate] if certificate is not None else [], dt.datetime.now(dt.timezone.utc))
        assert days is not None
        return Handshake(version, days, latency_ms)

    async def _hear_out(self, connection: Connection, tls: ssl.SSLObject, until: float) -> None:
        """In TLS 1.3 a server refuses a client's certificate only after the handshake."""
        patience = min(_FAREWELL_S, (until - time.monotonic()) / 2)
        try:
            await asyncio.wait_for(connection.farewell(tls), patience)
        except asyncio.TimeoutError:
            return
        except ssl.SSLError as error:
            # What else goes wrong while a good connection ends is no fault of the server.
            if _is_about_own_certificate(error.reason or ""):
                raise

    def _disagreement(self, error: ssl.SSLError) -> Exception:
        """In words: a fault of the server is an OSError, one of this check's own certificate is not the server's."""
        where, reason = self._caller.where, error.reason or ""
        if _is_about_own_certificate(reason):
            words = reason.rpartition("_ALERT_")[2].lower().replace("_", " ")
            if self._settings.certificate_file:
                return CouldNotCheckError(f"{where} refuses the client certificate of certificate_file: {words}")
            return CouldNotCheckError(f"{where} wants a client certificate: set certificate_file ({words})")
        if reason in _TOO_OLD:
            return OSError(f"{where} does not speak TLS {self._settings.minimum_version} or newer")
        if reason in NOT_TLS:
            hint = "" if self._settings.starttls else ": is it a plain port, or one that needs starttls?"
            return OSError(f"{where} answered something that is not TLS{hint}")
        if reason == _NOTHING_IN_COMMON and not self._settings.certificate_file:
            return OSError(f"{where} broke off the handshake: no cipher in common, or it wants a client certificate")
        named = "" if self._name == self._settings.host else f" (asked for as {self._name})"
        return OSError(refusal(error, where + named))

    async def _look_at_files(self, deadline_ms: int) -> None:
        """In a thread: their disk or file server may hang."""
        try:
            await self._lane.run(self._renew_context, deadline_ms)
        except asyncio.TimeoutError:
            named = " or ".join(name for name in self._file_names() if name)
            raise CouldNotCheckError(f"{named} hangs: its disk or file server does not answer") from None

    def _renew_context(self) -> None:
        times = self._file_times()
        if times != self._files:
            self._context = self._new_context()
            self._files = times

    def _new_context(self) -> ssl.SSLContext:
        settings = self._settings
        context = client_context(verify=settings.verify_tls, ca_file=settings.ca_file)
        context.minimum_version = _VERSIONS[settings.minimum_version]
        if settings.certificate_file:
            present(context, settings.certificate_file, settings.key_file)
        return context

    def _file_times(self) -> list[int]:
        """When each file was last changed; a missing one is told when the context is made."""
        return [changed_at(name) if name else 0 for name in self._file_names()]

    def _file_names(self) -> tuple[str, str, str]:
        return self._settings.ca_file, self._settings.certificate_file, self._settings.key_file


def _is_about_own_certificate(reason: str) -> bool:
    """Whether it is an alert from the server on the certificate that it got from us, or did not get."""
    return "_ALERT_" in reason and ("CERTIFICATE" in reason or reason.endswith(("UNKNOWN_CA", "ACCESS_DENIED")))
