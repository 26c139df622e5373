"""Time stamps of the organisation's authority (RFC 3161) over a seal: asked for when it is made, checked at any time.

What is stamped is one line, the SHA-256 of the seal's account and the ledger's head, so that `openssl ts -verify` can
check it too. Nobody's clock but the authority's is in it.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from cryptography import x509

from detak_collector.closing.bodies import SealBody
from detak_collector.closing.terms import TimestampPlace

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

WITHIN_S = 20.0
MOST_BYTES = 64 * 1024
QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"


class TimestampError(Exception):
    """No time stamp was given, or one is not good; the text says why."""


def message_of(body: SealBody) -> bytes:
    """What is stamped of a seal."""
    return f"{body.digest} {body.head}\n".encode()


def stamped(place: TimestampPlace, body: SealBody) -> str:
    """A time stamp over the seal, checked, in base64; raises TimestampError."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - only where it is configured

    message = message_of(body)
    asked = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
    content = _answer(place.url, asked.as_bytes())
    _checked(place, content, message, asked.nonce)
    return base64.b64encode(content).decode()


def stamp_time(place: TimestampPlace, body: SealBody) -> int:
    """When the authority says that it saw the seal, UTC ms, once its stamp is found good; raises TimestampError."""
    return _checked(place, token_of(body), message_of(body), None)


def token_of(body: SealBody) -> bytes:
    """The authority's answer as it came; raises TimestampError."""
    try:
        return base64.b64decode(body.timestamp, validate=True)
    except ValueError:
        raise TimestampError("the time stamp of the seal is no base64") from None


def _answer(url: str, query: bytes) -> bytes:
    request = Request(url, data=query, headers={"Content-Type": QUERY, "Accept": REPLY})  # noqa: S310 - config checks it
    try:
        with urlopen(request, timeout=WITHIN_S) as answer:  # noqa: S310 - as above
            content: bytes = answer.read(MOST_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise TimestampError(f"{url}: gives no time stamp: {error}") from None
    if len(content) > MOST_BYTES:
        raise TimestampError(f"{url}: answers with more than {MOST_BYTES:,} bytes")
    return content


def _checked(place: TimestampPlace, content: bytes, message: bytes, nonce: int | None) -> int:
    from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415 - only where it is configured

    answer = response_in(place, content)
    verifier = VerifierBuilder(roots=_roots(place.ca_file), nonce=nonce).build()
    try:
        verifier.verify_message(answer, message)
    except (VerificationError, ValueError) as error:
        raise TimestampError(f"{place.url}: its time stamp is not good by {place.ca_file}: {error}") from None
    return _milliseconds(answer.tst_info.gen_time)


def response_in(place: TimestampPlace, content: bytes) -> TimeStampResponse:
    """What an authority answers, where it grants a time stamp; raises TimestampError where it does not."""
    from rfc3161_client import PKIStatus, decode_timestamp_response  # noqa: PLC0415 - only where it is configured

    try:
        answer = decode_timestamp_response(content)
        status = PKIStatus(answer.status)
    except ValueError as error:
        raise TimestampError(f"{place.url}: answers with no time stamp: {error}") from None
    if status is not PKIStatus.GRANTED:
        said = "; ".join(answer.status_string) or "without a reason"
        raise TimestampError(f"{place.url}: refuses a time stamp ({status.name.lower()}): {said}")
    return answer


def _roots(file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise TimestampError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise TimestampError(f"{file}: holds no certificates: {error}") from None


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1_000)
