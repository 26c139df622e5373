"""An organisation's own certificate authority, made of keys and names alone: it reads and writes no file.

Agents pin the authority's key, so its certificate and the collector's may be renewed as often as one likes. While one
authority gives way to the next, the former one vouches for the next, so that agents which know the former only go on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from detak_collector.channel.certificate_files import CertificateError, certificates_in, key_fingerprint

AUTHORITY_DAYS = 3_650
SERVER_DAYS = 397
BEFORE_DAYS = 1
"""A certificate is good from a day ago: agents whose clocks are behind take it as well."""

_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs, and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        """What agents pin."""
        return key_fingerprint(self.certificate)

    @property
    def certificate_pem(self) -> bytes:
        """For everyone."""
        return pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """For nobody else."""
        return _key_pem(self.key)


@dataclass(frozen=True, slots=True)
class Issued:
    """A server's certificate chain and its key, PEM."""

    chain: bytes
    key: bytes


def new_authority(organisation: str, now_utc: int) -> Authority:
    """One with a key of its own, good for ten years."""
    return _signed_by_itself(ec.generate_private_key(ec.SECP256R1()), _authority_name(organisation, now_utc), now_utc)


def renewed(authority: Authority, now_utc: int) -> Authority:
    """The same key and name under a certificate that is good for ten years from now."""
    return _signed_by_itself(authority.key, authority.certificate.subject, now_utc)


def read_authority(certificate: bytes, key: bytes) -> Authority:
    """From two PEM files; raises CertificateError."""
    try:
        private = load_pem_private_key(key, None)
    except (TypeError, ValueError) as error:
        raise CertificateError("the authority's key is no unencrypted PEM private key") from error
    public = certificates_in(certificate)[0]
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != public.public_key():
        raise CertificateError("the authority's key does not belong to its certificate")
    return Authority(public, private)


def cross_signed(following: Authority, by: Authority, now_utc: int) -> bytes:
    """A certificate (PEM) in which one authority vouches for the key of the next."""
    end = min(_after(now_utc, AUTHORITY_DAYS), by.certificate.not_valid_after_utc)
    builder = _builder(following.certificate.subject, following.key.public_key(), now_utc, end)
    builder = _as_authority(builder.issuer_name(by.certificate.subject), path_length=0)
    builder = builder.add_extension(_key_identifier(following.key.public_key()), critical=False)
    return pem(builder.add_extension(_authority_identifier(by), critical=False).sign(by.key, hashes.SHA256()))


def issue(authority: Authority, names: Sequence[str], now_utc: int, *, beside: bytes = b"") -> Issued:
    """A certificate and a new key for a server of these names and addresses; `beside` is added to its chain."""
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(_after(now_utc, SERVER_DAYS), authority.certificate.not_valid_after_utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    builder = _builder(subject, key.public_key(), now_utc, end).issuer_name(authority.certificate.subject)
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([_general_name(name) for name in names]), False),
        (_key_identifier(key.public_key()), False),
        (_authority_identifier(authority), False),
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Issued(pem(builder.sign(authority.key, hashes.SHA256())) + beside, _key_pem(key))


def names_of(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that a server's certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(one.value) for one in found if isinstance(one, x509.DNSName | x509.IPAddress)]


def is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether this authority's key signed it."""
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:  # noqa: BLE001 - the library raises its own, ValueError or TypeError: each of them means no
        return False
    return True


def pem(certificate: x509.Certificate) -> bytes:
    """As PEM."""
    return certificate.public_bytes(Encoding.PEM)


def _signed_by_itself(key: ec.EllipticCurvePrivateKey, name: x509.Name, now_utc: int) -> Authority:
    builder = _builder(name, key.public_key(), now_utc, _after(now_utc, AUTHORITY_DAYS)).issuer_name(name)
    builder = _as_authority(builder, path_length=1)
    builder = builder.add_extension(_key_identifier(key.public_key()), critical=False)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def _authority_name(organisation: str, now_utc: int) -> x509.Name:
    # The moment tells an authority from the one that follows it: a chain is found by name.
    made = f"{datetime.fromtimestamp(now_utc / 1_000, UTC):%Y-%m-%d %H:%M:%S}"
    attributes = [(NameOID.ORGANIZATION_NAME, organisation[:64]), (NameOID.COMMON_NAME, f"Detak authority {made}")]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, now_utc: int, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(_after(now_utc, -BEFORE_DAYS)).not_valid_after(end)


def _as_authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    constraint = x509.BasicConstraints(ca=True, path_length=path_length)
    return builder.add_extension(constraint, critical=True).add_extension(
        _usage("key_cert_sign", "crl_sign"), critical=True
    )


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in wanted for name in _USAGES})


def _key_identifier(key: ec.EllipticCurvePublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)


def _authority_identifier(authority: Authority) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _after(now_utc: int, days: int) -> datetime:
    return datetime.fromtimestamp(now_utc // 1_000, UTC) + timedelta(days=days)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
