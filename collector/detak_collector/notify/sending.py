"""Brings one message to one target, and says what came of it. It decides nothing and keeps nothing."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from detak_collector.notify.alertmanager import trial_alert
from detak_collector.notify.apprise_way import send_by_apprise
from detak_collector.notify.items import Message
from detak_collector.notify.targets import Target, TargetError, Way, secret_of
from detak_collector.notify.webhook import body_of, headers_of, test_body
from detak_collector.notify.wording import Reader, Text, text_of

WITHIN_S = 20.0
MOST_SAID = 200
JSON = {"Content-Type": "application/json"}


class NotTakenError(Exception):
    """The target did not take it; the text says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A message that only tries the way."""

    key: str
    text: Text


async def send(session: aiohttp.ClientSession, target: Target, told: Message | Trial, reader: Reader, now: int) -> str:
    """What the target answered; raises NotTakenError or TargetError."""
    if target.way is Way.ALERTMANAGER:
        assert isinstance(told, Trial), "what happened is posted in batches"
        return await post(session, target, trial_alert(told.text, reader, now), JSON)
    secret = await asyncio.to_thread(secret_of, target)
    if target.way is Way.APPRISE:
        text = told.text if isinstance(told, Trial) else text_of(told, reader)
        return await _by_apprise(secret, text)
    body = _body(told, reader, now)
    return await post(session, target, body, headers_of(told.key, body, secret, now))


def _body(told: Message | Trial, reader: Reader, now: int) -> bytes:
    if isinstance(told, Trial):
        return test_body(told.key, told.text.title, told.text.body, now, reader)
    return body_of(told, reader)


async def _by_apprise(url: str, text: Text) -> str:
    fault = await asyncio.to_thread(send_by_apprise, url, text)
    if fault:
        raise NotTakenError(fault)
    return "taken"


async def post(session: aiohttp.ClientSession, target: Target, body: bytes, headers: Mapping[str, str]) -> str:
    """Posts a document to the target's URL; raises NotTakenError."""
    tls = await asyncio.to_thread(_tls, target)
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            session.post(target.url, data=body, headers=headers, ssl=tls, allow_redirects=False) as answer,
        ):
            if 200 <= answer.status < 300:
                return f"status {answer.status}"
            said = (await answer.content.read(MOST_SAID)).decode("utf-8", "replace").strip()
    except TimeoutError:
        raise NotTakenError(f"no answer within {WITHIN_S:.0f} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise NotTakenError(_why(error)) from error
    raise NotTakenError(f"status {answer.status}{f': {said}' if said.isprintable() and said else ''}")


def _why(error: aiohttp.ClientError | OSError) -> str:
    """A URL may be a secret: where it cannot be reached, host and reason are told alone."""
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = os.strerror(error.os_error.errno) if error.os_error.errno else str(error.os_error)
        return f"{error.host}:{error.port}: {reason}"
    return type(error).__name__ if isinstance(error, aiohttp.InvalidURL) else str(error) or type(error).__name__


def _tls(target: Target) -> ssl.SSLContext | bool:
    if target.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=target.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TargetError(f"{target.ca_file}: no certificate can be read from it: {error}") from error
