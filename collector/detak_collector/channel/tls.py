"""The certificate that this collector serves with: taken anew when its files change, whole or not at all.

A new pair makes a context of its own for the connections that come after it; those that are open go on as they are.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from detak_collector.channel.certificate_files import CertificateError, Period, certificates_in, period_of
from detak_collector.config import Tls

LOOK_S = 5.0
"""A pair is taken once its files have stayed the same for so long: they are rarely replaced in one moment."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate chain and its key as they were read, PEM."""

    certificate: bytes
    key: bytes

    def period(self) -> Period:
        """When the collector's own certificate is good; raises CertificateError."""
        return period_of(certificates_in(self.certificate)[0])

    def context(self) -> ssl.SSLContext:
        """What connections are accepted with; raises CertificateError."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Agents stay connected and resume nothing: a ticket would be made for nobody.
        context.num_tickets = 0
        # OpenSSL reads from files only, and these two may be replaced between one look and the next.
        with ExitStack() as held:
            certificate, key = (_in_memory(held, content) for content in (self.certificate, self.key))
            try:
                context.load_cert_chain(certificate, key, password=lambda: "")
            except ssl.SSLError as error:
                raise CertificateError(_reason(error, self.key)) from error
        return context


def read_pair(tls: Tls) -> Pair:
    """The pair as its files have it now; raises CertificateError."""
    return Pair(_content(tls.certificate), _content(tls.key))


class ServedTls:
    """The context in force, and the files that it came from. `now_utc` tells UTC in milliseconds."""

    def __init__(self, tls: Tls, now_utc: Callable[[], int]) -> None:
        """Raises CertificateError where the pair cannot be served."""
        self._tls = tls
        self._now_utc = now_utc
        self._seen = self._signature()
        self._pair = read_pair(tls)
        self.period = self._pair.period()
        self.context = self._pair.context()

    def reload(self) -> bool:
        """Takes the files as they are now, and tells whether they are served; a pair that is wrong changes nothing."""
        self._seen = self._signature()
        try:
            pair = read_pair(self._tls)
            if pair == self._pair:
                return True
            period, context = pair.period(), pair.context()
            self._refuse_ended(period)
        except CertificateError as error:
            told = str(error)
            where = (
                ""
                if any(str(one) in told for one in (self._tls.certificate, self._tls.key))
                else (f"{self._tls.certificate}: ")
            )
            _log.error("certificate not taken, the one before is kept: %s%s", where, told)
            return False
        self._pair, self.context, self.period = pair, context, period
        _log.info("certificate taken: %s: %s", self._tls.certificate, period)
        return True

    async def watch(self, look_s: float = LOOK_S) -> None:
        """Notices for ever that the files were replaced."""
        before = self._seen
        while True:
            await asyncio.sleep(look_s)
            found = self._signature()
            if found == before and found != self._seen:
                self.reload()
            before = found

    def _refuse_ended(self, period: Period) -> None:
        now = self._now_utc()
        if period.end_utc <= now < self.period.end_utc:
            raise CertificateError(f"it is {period}")

    def _signature(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_mark(path) for path in (self._tls.certificate, self._tls.key))


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Changes whenever what a path leads to is replaced or written."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror}") from error


def _in_memory(held: ExitStack, content: bytes) -> str:
    """The path of a file that holds this and lies on no disk."""
    descriptor = os.memfd_create("detak-tls")
    held.callback(os.close, descriptor)
    os.write(descriptor, content)
    return f"/proc/self/fd/{descriptor}"


def _reason(error: ssl.SSLError, key: bytes) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key does not belong to the certificate"
    if b"PRIVATE KEY-----" not in key:
        return "the key's file holds no PEM private key"
    if b"ENCRYPTED" in key:
        return "the key is encrypted: a service cannot be asked for its password"
    return f"the pair cannot be read: {error.reason or error}"
