"""The folder of an own authority, and what is done with it: begin, renew, hand over to a next one, retire the former.

Everything in it but the keys is public. A key may be kept elsewhere and be brought back when something is to be signed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from detak_collector.channel.authority import (
    Authority,
    Issued,
    cross_signed,
    is_signed_by,
    issue,
    names_of,
    new_authority,
    pem,
    read_authority,
    renewed,
)
from detak_collector.channel.certificate_files import CertificateError, certificates_in, key_fingerprint, period_of
from detak_collector.channel.private_files import write_whole
from detak_collector.config import Tls

RENEW_DAYS = 90
"""A server's certificate is renewed so long before its end: well before anybody is warned."""

RENEW_AUTHORITY_DAYS = 730
"""An authority's own certificate (never its key): a server's must fit into it."""


@dataclass(frozen=True, slots=True)
class AuthorityFolder:
    """`authority.pem` signs now; `next.pem` will, and `former.pem` did, during a roll-over; a `.key` beside each."""

    path: Path

    def has_key(self, name: str = "authority") -> bool:
        """Whether something can be signed here and now."""
        return os.access(self.path / f"{name}.key", os.R_OK)

    def certificates(self) -> list[x509.Certificate]:
        """Those that agents are to trust, the one that signs first; raises CertificateError."""
        names = [name for name in ("authority", "next", "former") if name == "authority" or self._has(f"{name}.pem")]
        return [certificates_in(self._read(f"{name}.pem"))[0] for name in names]

    def announced(self) -> bytes:
        """The same as PEM; raises CertificateError."""
        return b"".join(map(pem, self.certificates()))

    def fingerprints(self) -> list[str]:
        """What agents pin."""
        return [key_fingerprint(one) for one in self.certificates()]

    def begin(self, organisation: str, now_utc: int) -> None:
        """Makes the folder and an authority in it."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keep("authority", new_authority(organisation, now_utc))

    def begin_next(self, organisation: str, now_utc: int) -> None:
        """Makes the next authority, for which the present one vouches; raises CertificateError."""
        self._refuse_unfinished()
        present, following = self._authority("authority"), new_authority(organisation, now_utc)
        write_whole(self.path / "cross.pem", cross_signed(following, present, now_utc), 0o644)
        self._keep("next", following)

    def hand_over(self) -> None:
        """From now on the next authority signs; what a crash interrupted is ended. Raises CertificateError."""
        if not self._has("next.pem"):
            raise CertificateError("there is no next authority yet: `detak-collector certificate next-authority`")
        if not self._has("next.key") and not self._has("former.key"):
            raise CertificateError(f"{self.path / 'next.key'}: is not there: bring it back to hand over")
        # The certificate comes last: as long as next.pem is there, the roll-over is not done.
        for name in ("key", "pem"):
            if self._has(f"next.{name}"):
                if self._has(f"authority.{name}") and not self._has(f"former.{name}"):
                    (self.path / f"authority.{name}").replace(self.path / f"former.{name}")
                (self.path / f"next.{name}").replace(self.path / f"authority.{name}")

    def retire_former(self) -> None:
        """Agents are told to trust the present authority alone; raises CertificateError."""
        if not self._has("former.pem"):
            raise CertificateError("there is no former authority to retire")
        if not self.has_key():
            raise CertificateError(
                f"{self.path / 'authority.key'}: is not there: bring it back to sign without the former"
            )
        for name in ("cross.pem", "former.key", "former.pem"):
            (self.path / name).unlink(missing_ok=True)

    def issue(self, names: Sequence[str], now_utc: int) -> Issued:
        """A certificate for these names; the authority's own is renewed first if need be. Raises CertificateError."""
        present = self._authority("authority")
        if period_of(present.certificate).days_left(now_utc) < RENEW_AUTHORITY_DAYS:
            present = renewed(present, now_utc)
            self._keep("authority", present)
        return issue(present, names, now_utc, beside=self._vouched(present.certificate))

    def _vouched(self, present: x509.Certificate) -> bytes:
        """What the former authority says of the present one, during a roll-over."""
        if not self._has("former.pem") or not self._has("cross.pem"):
            return b""
        cross = self._read("cross.pem")
        return cross if key_fingerprint(certificates_in(cross)[0]) == key_fingerprint(present) else b""

    def _refuse_unfinished(self) -> None:
        for name, command in (("next", "roll-over"), ("former", "retire-former")):
            if self._has(f"{name}.pem"):
                under_way = f"a roll-over is under way ({self.path / name}.pem)"
                raise CertificateError(f"{under_way}: end it with `detak-collector certificate {command}`")

    def _authority(self, name: str) -> Authority:
        return read_authority(self._read(f"{name}.pem"), self._read(f"{name}.key"))

    def _has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def _read(self, name: str) -> bytes:
        path = self.path / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise CertificateError(f"{path}: {error.strerror}") from error

    def _keep(self, name: str, authority: Authority) -> None:
        write_whole(self.path / f"{name}.key", authority.key_pem, 0o600)
        write_whole(self.path / f"{name}.pem", authority.certificate_pem, 0o644)


def keep_issued(tls: Tls, issued: Issued) -> None:
    """Puts a certificate and its key in place: in one moment where both lie in one file, as `init` makes it."""
    if tls.key == tls.certificate:
        write_whole(tls.certificate, issued.chain + issued.key, 0o600)
        return
    write_whole(tls.key, issued.key, 0o600)
    write_whole(tls.certificate, issued.chain, 0o644)


def renew(tls: Tls, now_utc: int, names: Sequence[str] = ()) -> list[str]:
    """A new certificate and key for the names given, or those of the present one; raises CertificateError."""
    if tls.authority is None:
        raise CertificateError("collector.toml names no tls.authority: whoever signed the certificate renews it")
    chosen = list(names) or names_of(_served(tls))
    keep_issued(tls, AuthorityFolder(tls.authority).issue(chosen, now_utc))
    return chosen


def renew_if_due(tls: Tls, now_utc: int) -> bool:
    """Renews what ends soon or is signed by a former authority, where the key is at hand; raises CertificateError."""
    if tls.authority is None or not AuthorityFolder(tls.authority).has_key():
        return False
    served = _served(tls)
    present = AuthorityFolder(tls.authority).certificates()[0]
    if period_of(served).days_left(now_utc) >= RENEW_DAYS and is_signed_by(served, present):
        return False
    renew(tls, now_utc)
    return True


def _served(tls: Tls) -> x509.Certificate:
    try:
        return certificates_in(tls.certificate.read_bytes())[0]
    except OSError as error:
        raise CertificateError(f"{tls.certificate}: {error.strerror}") from error
