"""This collector's own certificate as its nodes see it: its fingerprint, and whether they trust it by themselves."""

from __future__ import annotations

import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from detak_collector.channel.authority_files import AuthorityFolder
from detak_collector.channel.certificate_files import CertificateError
from detak_collector.config import Config, Tls
from detak_collector.translation.saying import saying

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_STEPS = 10
"""A handshake in memory has four."""

PINNED = saying(
    "The fingerprint is that of this collector's certificate: the node trusts it and no other. Once the certificate is "
    "renewed, enrol the node again; with ca_file in its agent.toml instead of --fingerprint that is not needed."
)
BY_AUTHORITY = saying(
    "The node trusts what this collector's own authority has signed; renewed certificates need nothing on the node."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the line to paste needs so that the node trusts this collector, and what to tell of it."""

    argument: str = ""
    notes: tuple[str, ...] = ()


def shown_certificate(config: Config) -> Shown:
    """Nothing where this collector speaks plain HTTP, or has a certificate that every system trusts."""
    if config.tls is None or not config.url.startswith("https:"):
        return Shown()
    try:
        fingerprint = fingerprint_of(config.tls.certificate)
    except (OSError, ValueError) as error:
        said = saying("The certificate {file} cannot be read: {why}", file=str(config.tls.certificate), why=str(error))
        return Shown(notes=(said,))
    if config.tls.authority is not None:
        return _by_authority(AuthorityFolder(config.tls.authority))
    if is_trusted_everywhere(config.tls, urlsplit(config.url).hostname or ""):
        return Shown()
    return Shown(f" --fingerprint {fingerprint}", (PINNED,))


def _by_authority(folder: AuthorityFolder) -> Shown:
    try:
        return Shown("".join(f" --ca-key {key}" for key in folder.fingerprints()), (BY_AUTHORITY,))
    except CertificateError as error:
        return Shown(notes=(saying("The authority's certificate cannot be read: {why}", why=str(error)),))


def certificate_line(certificate: Path) -> str:
    """The fingerprint, or why there is none."""
    try:
        return f"fingerprint {fingerprint_of(certificate)}"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"


def fingerprint_of(certificate: Path) -> str:
    """SHA-256 of the first certificate in a PEM file, in DER; raises OSError or ValueError."""
    found = _PEM.search(certificate.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("there is no PEM certificate in it")
    return f"sha256:{hashlib.sha256(ssl.PEM_cert_to_DER_cert(found[0])).hexdigest()}"


def is_trusted_everywhere(tls: Tls, host: str) -> bool:
    """Whether a client on this machine that trusts the system's authorities accepts it: tried out, in memory."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        serving.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(back, there, server_hostname=host)
        server = serving.wrap_bio(there, back, server_side=True)
        return _shake_hands(client, server)
    except (OSError, ValueError):
        return False


def _shake_hands(client: ssl.SSLObject, server: ssl.SSLObject) -> bool:
    """Whether the client is content with the server; raises ssl.SSLError where it is not."""
    for _ in range(_STEPS):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            if end is client:
                return True
    return False
