"""How one collector knows the other's certificate: by the system's authorities, or by what the pairing pinned."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding

from detak_collector.channel.certificate_files import CertificateError, certificates_in, key_fingerprint

MEET_S = 15.0


class UntrustedError(Exception):
    """The other collector cannot be reached in a way that proves who it is; the text says why."""


def context_of(authority: str | None) -> ssl.SSLContext:
    """What trusts the certificates in `authority` (PEM) and no other; without it, the system's authorities."""
    if authority is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=authority)
    except ssl.SSLError as error:
        raise UntrustedError(f"the certificate of its authority cannot be used: {error}") from error
    return context


def pinned(told: bytes, keys: Sequence[str]) -> str:
    """Of the certificates that a collector told (PEM), those whose keys were pasted; raises UntrustedError."""
    try:
        certificates = certificates_in(told)
    except CertificateError as error:
        raise UntrustedError(f"what it says of its authority is no certificate: {error}") from error
    held = [one for one in certificates if key_fingerprint(one) in keys]
    if not held:
        met = ", ".join(key_fingerprint(one) for one in certificates) or "none"
        raise UntrustedError(f"its certificate authority is another one: met {met}, pasted was {', '.join(keys)}")
    return "".join(pem_of(one.public_bytes(Encoding.DER)) for one in held)


def learned(told: bytes, known: str) -> str | None:
    """What a collector that proved who it is says of its authorities, where that is news and one of them is known."""
    try:
        announced, before = certificates_in(told), certificates_in(known.encode())
    except CertificateError:
        return None
    keys = {key_fingerprint(one) for one in before}
    if not keys & {key_fingerprint(one) for one in announced}:
        return None
    pem = "".join(pem_of(one.public_bytes(Encoding.DER)) for one in announced)
    return pem if pem != known else None


async def met_certificate(url: str, fingerprint: str) -> str:
    """The server's certificate (PEM) where it is the one of this fingerprint; raises UntrustedError."""
    parts = urlsplit(url)
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(MEET_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=unverified)
    except (OSError, TimeoutError) as error:
        raise UntrustedError(f"{url}: {reason_of(error)}") from error
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    met = hashlib.sha256(shown).hexdigest()
    if met != fingerprint.replace(":", "").removeprefix("sha256").strip().lower():
        raise UntrustedError(f"its certificate is another one: met {met}, pasted was {fingerprint}")
    return pem_of(shown)


def pem_of(der: bytes) -> str:
    """A certificate as text."""
    return ssl.DER_cert_to_PEM_cert(der)


def reason_of(error: BaseException) -> str:
    """Why a connection failed, for people."""
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    text = str(error).strip()
    return text or type(error).__name__
