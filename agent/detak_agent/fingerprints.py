"""Fingerprints of certificates as people write them: pure."""

from __future__ import annotations

import hashlib
import re

FINGERPRINT_RULE = "must be sha256: and the certificate's 64 hexadecimal digits, with or without colons between them"
AUTHORITY_KEY_RULE = "must be sha256: and the 64 hexadecimal digits that `detak-collector certificate show` prints"

_WRITTEN = re.compile(r"sha256:[0-9a-f]{2}(?::?[0-9a-f]{2}){31}", re.IGNORECASE)


def normal_fingerprint(written: str) -> str | None:
    """The same fingerprint in lower case without colons, or None where this is none."""
    text = written.strip().lower()
    return f"sha256:{text.removeprefix('sha256:').replace(':', '')}" if _WRITTEN.fullmatch(text) else None


def fingerprint_of(certificate: bytes) -> str:
    """The fingerprint of a certificate in DER."""
    return f"sha256:{hashlib.sha256(certificate).hexdigest()}"
