"""A real SMTP server on loopback (aiosmtpd), which takes mails or fails where a test says so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import AnyStr

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CLOSE = "close"
SILENT = "silent"
"""Beside these a fault is what the server answers instead, such as `451 4.7.1 later`."""

Fault = str | Callable[[str], str | None]


@dataclass
class Inbox:
    """What the server was given. `faults`: what goes wrong by step; `body` is after the last line of a mail.

    A fault may be a function of what the command said, for instance of the recipient.
    """

    port: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    @property
    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _ in self.taken)

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=policy.default) for _, content in self.taken]

    def fault(self, step: str, said: str = "") -> str | None:
        found = self.faults.get(step)
        return found(said) if callable(found) else found

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        assert isinstance(envelope.content, bytes)
        self.taken += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        assert server.transport is not None
        self.encrypted.append(bool(session.ssl or server.transport.get_extra_info("ssl_object")))
        return "250 2.0.0 taken as 4711"


class _Speaker(SMTP):
    """Speaks as aiosmtpd does, but for the faults of its inbox."""

    inbox: Inbox

    async def _fails(self, step: str, said: str) -> bool:
        fault = self.inbox.fault(step, said)
        if fault is None:
            return False
        if fault == SILENT:
            await asyncio.sleep(60)
        if fault not in {CLOSE, SILENT}:
            await self.push(fault)
        if fault in {CLOSE, SILENT} or fault.startswith("421"):
            assert self.transport is not None
            self.transport.close()
        return True

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        if not await self._fails("EHLO", hostname):
            await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        if not await self._fails("EHLO", hostname):
            await super().smtp_HELO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("STARTTLS", arg):
            await super().smtp_STARTTLS(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not await self._fails("MAIL", arg or ""):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if not await self._fails("RCPT", arg or ""):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("DATA", arg):
            await super().smtp_DATA(arg)

    async def push(self, status: AnyStr) -> None:
        told = str(status)
        if told.startswith("250 2.0.0 taken") and await self._fails("body", told):
            return
        await super().push(status)


@contextlib.contextmanager
def mail_server(
    *, certificate: Path | None = None, implicit: bool = False, password: str | None = None
) -> Iterator[Inbox]:
    """A server until it is not needed any more; `certificate` has its key beside it, `implicit`: it begins with TLS."""
    # What it says to itself is no line of what a command says.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    inbox = Inbox()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.parent / "key.pem")

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, who: object) -> AuthResult:
        right = isinstance(who, LoginPassword) and who.password == (password or "").encode()
        if right and isinstance(who, LoginPassword):
            inbox.signed_in.append(who.login.decode())
        return AuthResult(success=right, handled=False)

    def speaker() -> SMTP:
        with warnings.catch_warnings():
            # Of an implicit TLS aiosmtpd does not know that it is one.
            warnings.simplefilter("ignore")
            made = _Speaker(
                inbox,
                tls_context=None if implicit else context,
                require_starttls=context is not None and not implicit,
                auth_required=password is not None,
                auth_require_tls=not implicit,
                authenticator=authenticate,
                timeout=60,
            )
        made.inbox = inbox
        return made

    loop = asyncio.new_event_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    inbox.port = listening.getsockname()[1]
    server = loop.run_until_complete(loop.create_server(speaker, sock=listening, ssl=context if implicit else None))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    mine = asyncio.current_task()
    others = [one for one in asyncio.all_tasks() if one is not mine]
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)
