"""The webhook of our own: a JSON document, signed, so that its receiver can prove where it comes from. Pure.

The signature is HMAC-SHA256 over the timestamp, a full stop and the body; the timestamp is that of the try.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from detak_collector.notify.items import OUTAGE, Item, Message
from detak_collector.notify.wording import Reader, text_of

VERSION = 1
KEY, TIMESTAMP, SIGNATURE = "Idempotency-Key", "Detak-Timestamp", "Detak-Signature"
TEST = "test"


def body_of(message: Message, reader: Reader) -> bytes:
    """The document that tells of the message."""
    text = text_of(message, reader)
    outages = [_outage(one, reader) for one in message.items if one.kind == OUTAGE]
    others = [_observation(one) for one in message.items if one.kind != OUTAGE]
    return msgspec.json.encode(
        {
            **_head(message.key, str(message.event), message.made_utc, reader),
            "title": text.title,
            "text": text.body,
            "outages": outages,
            "observation": others,
        }
    )


def test_body(key: str, title: str, text: str, now: int, reader: Reader) -> bytes:
    """The document of a message that only tries the way."""
    return msgspec.json.encode({**_head(key, TEST, now, reader), "title": title, "text": text})


def headers_of(key: str, body: bytes, secret: str, now: int) -> Mapping[str, str]:
    """What stands above the body."""
    timestamp = str(now // 1_000)
    return {
        "Content-Type": "application/json",
        KEY: key,
        TIMESTAMP: timestamp,
        SIGNATURE: f"sha256={signature(secret, timestamp, body)}",
    }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The signature in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def utc_text(instant: int) -> str:
    """An instant as RFC 3339 has it, to the millisecond."""
    moment = datetime.fromtimestamp(instant // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{instant % 1_000:03d}Z"


def service_url(url: str, service: str) -> str:
    """The page of a service; empty where nobody knows where pages are."""
    return f"{url}/service/{quote(service, safe='')}" if url else ""


def _head(key: str, event: str, made: int, reader: Reader) -> dict[str, Any]:
    return {
        "version": VERSION,
        "id": key,
        "event": event,
        "made": utc_text(made),
        "organisation": reader.organisation,
        "collector": reader.url,
        "escalated": reader.escalated,
    }


def _outage(one: Item, reader: Reader) -> dict[str, Any]:
    return {
        "number": one.number,
        "service": one.subject,
        "service_name": one.name,
        "begin": utc_text(one.begin),
        "end": None if one.end is None else utc_text(one.end),
        "over": one.over,
        "cause": one.cause,
        "shown_as": one.shown_as,
        "detail": one.detail,
        "proven": one.proven,
        "in_figure": one.counts,
        "counted_ms": one.counted_ms,
        "certain_ms": one.certain_ms,
        "possible_ms": one.possible_ms,
        "reclassified": None if one.why is None else str(one.why),
        "part_of": one.other,
        "url": service_url(reader.url, one.subject),
    }


def _observation(one: Item) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "subject": one.subject,
        "name": one.name,
        "begin": utc_text(one.begin),
        "end": None if one.end is None else utc_text(one.end),
        "over": one.over,
    }
