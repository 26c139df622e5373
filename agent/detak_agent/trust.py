"""How a collector proves who it is: by the system's authorities, an own list of them, or one known certificate."""

from __future__ import annotations

import hmac
import ssl
from pathlib import Path

from detak_agent.failures import CouldNotError
from detak_agent.fingerprints import fingerprint_of, normal_fingerprint


class Trust:
    """For one collector. `pin_file` holds a fingerprint that was pasted at enrolment; what is configured wins."""

    def __init__(
        self, ca_file: str | None = None, fingerprint: str | None = None, pin_file: Path | None = None
    ) -> None:
        self._ca_file = ca_file
        self._fingerprint = fingerprint
        self._pin_file = pin_file
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def pinned(self) -> str | None:
        """The fingerprint of the only certificate that is trusted, or None; raises CouldNotError."""
        if self._ca_file is not None or self._fingerprint is not None or self._pin_file is None:
            return self._fingerprint
        return read_pin(self._pin_file)

    def context(self, pinned: str | None) -> ssl.SSLContext:
        """What a connection is made with; one under a pin has to pass `mismatch` before anything is sent on it."""
        is_pinned = pinned is not None
        if is_pinned not in self._contexts:
            self._contexts[is_pinned] = _unverified() if is_pinned else self._verified()
        return self._contexts[is_pinned]

    def _verified(self) -> ssl.SSLContext:
        if self._ca_file is not None and not Path(self._ca_file).is_file():
            raise CouldNotError(f"ca_file {self._ca_file}: there is no such file")
        try:
            return ssl.create_default_context(cafile=self._ca_file)
        except (OSError, ssl.SSLError) as error:
            raise CouldNotError(f"ca_file {self._ca_file}: not a list of PEM certificates: {error}") from error


def mismatch(pinned: str, certificate: bytes | None) -> str | None:
    """Why this certificate (DER) is not the pinned one; None where it is."""
    met = fingerprint_of(certificate or b"")
    if hmac.compare_digest(met, pinned):
        return None
    return (
        f"its certificate is another one: met {met}, trusted is {pinned}. "
        "Trust the new one only if `detak-collector config-check` there shows it"
    )


def read_pin(path: Path) -> str | None:
    """The fingerprint that was pasted at enrolment, or None; raises CouldNotError."""
    try:
        written = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotError(f"{path}: the fingerprint cannot be read: {error}") from error
    pinned = normal_fingerprint(written)
    if pinned is None:
        raise CouldNotError(f"{path}: this is no fingerprint: enrol this node again, or write it into agent.toml")
    return pinned


def _unverified() -> ssl.SSLContext:
    """No authority, name or date counts: the caller compares the certificate itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
