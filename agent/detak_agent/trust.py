"""How a collector proves who it is: by the system's authorities, an own list of them, the key of one, or a certificate.

It keeps what was pasted at enrolment and learned since, and opens no connection.
"""

from __future__ import annotations

import hmac
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from detak_agent.authorities import MOST_KEYS, certificates_in, holding, keys_of
from detak_agent.failures import CouldNotError
from detak_agent.fingerprints import fingerprint_of, normal_fingerprint
from detak_agent.private_files import write_private


@dataclass(frozen=True, slots=True)
class Pins:
    """What was pasted or configured: one certificate's fingerprint, or those of authorities' keys, or nothing."""

    fingerprint: str | None = None
    authority_keys: tuple[str, ...] = ()


NO_PINS = Pins()


@dataclass(frozen=True, slots=True)
class PinFiles:
    """Where they lie; of the first two files there is one at most. `refusal` says why a certificate is refused now."""

    fingerprint: Path
    authority_keys: Path
    refusal: Path
    owner: Path
    """The directory whose owner they belong to."""

    def read(self) -> Pins:
        """Raises CouldNotError."""
        keys = _read(self.authority_keys)
        return Pins(authority_keys=tuple(keys)) if keys else Pins(next(iter(_read(self.fingerprint)), None))

    def write(self, pins: Pins) -> None:
        """Raises OSError."""
        for path, wanted in ((self.fingerprint, [pins.fingerprint]), (self.authority_keys, pins.authority_keys)):
            lines = [one for one in wanted if one is not None]
            if lines:
                write_private(path, "".join(f"{line}\n" for line in lines), self.owner)
            else:
                path.unlink(missing_ok=True)


class Trust:
    """For one collector; what is `configured` wins over what lies in `files`."""

    def __init__(
        self, ca_file: str | None = None, configured: Pins | None = None, files: PinFiles | None = None
    ) -> None:
        self._ca_file = ca_file
        self._configured = configured or NO_PINS
        self._files = files
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._noted: str | None = None
        self._authorities: tuple[tuple[str, ...], ssl.SSLContext] | None = None

    def pins(self) -> Pins:
        """What is pinned now; raises CouldNotError."""
        if self._ca_file is not None or self._configured != NO_PINS or self._files is None:
            return self._configured
        return self._files.read()

    def context(self, *, verified: bool = True) -> ssl.SSLContext:
        """By lists of authorities; or none, for what has to pass `mismatch` before anything is sent."""
        if verified not in self._contexts:
            self._contexts[verified] = self._by_lists() if verified else _unverified()
        return self._contexts[verified]

    def by_authority(self, keys: Sequence[str]) -> ssl.SSLContext | None:
        """What trusts the authorities of these keys; None where their certificates are not known yet."""
        if self._authorities is None or self._authorities[0] != tuple(keys):
            return None
        return self._authorities[1]

    def meet(self, keys: Sequence[str], told: str) -> str | None:
        """Takes the certificates of these keys from what a collector told (PEM); why that is not possible, or None."""
        certificates = certificates_in(told)
        held = holding(certificates, keys)
        if not held:
            met = ", ".join(keys_of(certificates)) or "none"
            return (
                f"its certificate authority is another one: met {met}, trusted is {', '.join(keys)}. "
                "Trust the new one only if `detak-collector certificate show` there shows it"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cadata=b"".join(held))
        except ssl.SSLError as error:
            return f"the certificate of its authority cannot be used: {error}"
        self._authorities = (tuple(keys), context)
        return None

    def note(self, refusal: str) -> None:
        """Leaves word for `detak-agent status` that the certificate is refused; with an empty text, that it is not."""
        if self._files is None or refusal == self._noted:
            return
        self._noted = refusal
        with suppress(OSError):
            if refusal:
                write_private(
                    self._files.refusal, refusal.encode("ascii", "replace").decode() + "\n", self._files.owner
                )
            else:
                self._files.refusal.unlink(missing_ok=True)

    def refusal(self) -> str:
        """What was noted last, by any process; empty where the certificate is trusted."""
        if self._files is None:
            return ""
        try:
            return self._files.refusal.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def learn(self, told: str) -> tuple[str, ...] | None:
        """From a collector that has proven who it is: which keys to trust from now on, where that is news.

        What is configured is never changed. Raises CouldNotError.
        """
        pins = self.pins()
        if self._files is None or self._configured != NO_PINS or not pins.authority_keys:
            return None
        announced = tuple(keys_of(certificates_in(told)))[:MOST_KEYS]
        if not set(announced) & set(pins.authority_keys) or announced == pins.authority_keys:
            return None
        try:
            self._files.write(Pins(authority_keys=announced))
        except OSError as error:
            raise CouldNotError(f"{self._files.authority_keys}: cannot be written: {error.strerror}") from error
        return announced

    def _by_lists(self) -> ssl.SSLContext:
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


def _read(path: Path) -> list[str]:
    """The fingerprints of a file, none where it is missing; raises CouldNotError."""
    try:
        written = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotError(f"{path}: the fingerprint cannot be read: {error}") from error
    found = [normal_fingerprint(line) for line in written.splitlines() or [""]]
    known = [one for one in found if one is not None]
    if len(known) != len(found):
        raise CouldNotError(f"{path}: this is no fingerprint: enrol this node again, or write it into agent.toml")
    return known


def _unverified() -> ssl.SSLContext:
    """No authority, name or date counts: the caller compares the certificate itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
