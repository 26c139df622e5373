"""Speaks SMTP with the organisation's server, over the standard library: one mail to one recipient at a time.

A mail counts as handed over once the server has agreed to take it (354) and before the first byte of it goes: whoever
sends records that in between, which is why DATA is spoken in two steps here.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from detak_collector.mail.letter import CLAIM_MS

GO_AHEAD = 354
LATER, NEVER = 400, 500
TOO_LARGE = 552
LONGEST_S = CLAIM_MS / 3_000
"""One mail takes no longer than this in all, however slowly its server speaks."""

MOST_LETTERS = 300
NO_ANSWER = "no answer in time"
_DOTS = re.compile(rb"^\.", re.MULTILINE)
_ENDS = re.compile(rb"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class ServerError(Exception):
    """The server takes nothing from this collector now; the text says what it said, and at what."""


class LaterError(Exception):
    """It does not take this mail now, and was given nothing of it."""


class RefusedError(Exception):
    """It does not take this mail for this recipient at all."""


class UnansweredError(Exception):
    """It was given the mail, and its answer never came."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go. `security` is `starttls`, `tls` or `none`; the password is read anew for each connection."""

    host: str
    port: int
    security: str
    sender: str
    ca_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    timeout_ms: int = 30_000
    name: str | None = None

    @property
    def place(self) -> str:
        """What people are told of it."""
        return f"{self.host}:{self.port}"


class Line:
    """One connection. It is made with `line`."""

    def __init__(self, speaks: smtplib.SMTP, server: Server) -> None:
        self._speaks = speaks
        self._server = server

    def send(self, recipient: str, content: bytes, may_hand_over: Callable[[], bool]) -> str:
        """Sends a mail; what the server said when it had it. `may_hand_over` records that it goes now, and may say no.

        Raises LaterError, RefusedError, UnansweredError or ServerError.
        """
        with self._within(LONGEST_S):
            self._agree(recipient, len(content))
            if not may_hand_over():
                # A server throws away what it was not given the last line of.
                raise ServerError("another process has this mail")
            return self._give(content)

    def _agree(self, recipient: str, size: int) -> None:
        try:
            options = [f"SIZE={size}"] if self._speaks.has_extn("size") else []
            self._expect("MAIL FROM", *self._speaks.mail(self._server.sender, options), is_about_sender=True)
            self._expect("RCPT TO", *self._speaks.rcpt(recipient))
            self._expect("DATA", *self._speaks.docmd("DATA"), wanted=GO_AHEAD)
        except (OSError, smtplib.SMTPException) as error:
            raise ServerError(_told(error)) from error

    def _expect(self, step: str, code: int, said: bytes, *, wanted: int = 0, is_about_sender: bool = False) -> None:
        if code == wanted or (not wanted and 200 <= code < 300):
            return
        told = f"{step}: {code} {shown(said)}".rstrip()
        if code == 421 or code < LATER:
            raise ServerError(told)
        self._begin_anew()
        if code < NEVER:
            raise LaterError(told)
        # A server that does not take mails of this sender says nothing about the recipient.
        raise ServerError(told) if is_about_sender and code != TOO_LARGE else RefusedError(told)

    def _begin_anew(self) -> None:
        with suppress(OSError, smtplib.SMTPException):
            self._speaks.rset()

    def _give(self, content: bytes) -> str:
        body = _DOTS.sub(b"..", _ENDS.sub(b"\r\n", content).removesuffix(b"\r\n"))
        try:
            self._speaks.send(body + b"\r\n.\r\n")
            code, said = self._speaks.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise UnansweredError(_told(error)) from error
        told = f"{code} {shown(said)}".rstrip()
        if 200 <= code < 300:
            return told
        if code >= NEVER:
            raise RefusedError(told)
        if code >= LATER:
            raise LaterError(told)
        raise UnansweredError(told)

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, _hang_up, (self._speaks,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextmanager
def line(server: Server) -> Iterator[Line]:
    """A connection that is greeted, encrypted and signed in as `server` says. Raises ServerError."""
    speaks = _connected(server)
    try:
        yield Line(speaks, server)
        with suppress(OSError, smtplib.SMTPException):
            speaks.quit()
    finally:
        speaks.close()


def _connected(server: Server) -> smtplib.SMTP:
    context = None if server.security == "none" else _trust(server)
    timeout = server.timeout_ms / 1_000
    try:
        if server.security == "tls":
            speaks: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, server.name, timeout=timeout, context=context
            )
        else:
            speaks = smtplib.SMTP(server.host, server.port, server.name, timeout=timeout)
    except (OSError, smtplib.SMTPException) as error:
        raise ServerError(_told(error)) from error
    try:
        _introduce(speaks, server, context)
    except BaseException:
        speaks.close()
        raise
    return speaks


def _introduce(speaks: smtplib.SMTP, server: Server, context: ssl.SSLContext | None) -> None:
    timer = threading.Timer(LONGEST_S, _hang_up, (speaks,))
    timer.daemon = True
    timer.start()
    try:
        speaks.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            speaks.starttls(context=context)
            speaks.ehlo_or_helo_if_needed()
        if server.user is not None:
            speaks.login(server.user, password_of(server))
    except (OSError, smtplib.SMTPException) as error:
        raise ServerError(_told(error)) from error
    finally:
        timer.cancel()


def password_of(server: Server) -> str:
    """The one line of the password's file; raises ServerError."""
    if server.password_file is None:
        return ""
    try:
        return server.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ServerError(f"the password: {server.password_file}: {reason}") from error


def _trust(server: Server) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.ca_file)
    except OSError as error:
        raise ServerError(f"{server.ca_file}: {error.strerror or 'holds no certificate'}") from error


def _hang_up(speaks: smtplib.SMTP) -> None:
    if speaks.sock is not None:
        with suppress(OSError):
            speaks.sock.shutdown(socket.SHUT_RDWR)


def _told(error: Exception) -> str:
    match error:
        case smtplib.SMTPResponseException():
            words = error.smtp_error
            said = shown(words if isinstance(words, bytes) else words.encode())
            what = "signing in: " if isinstance(error, smtplib.SMTPAuthenticationError) else ""
            return f"{what}{error.smtp_code} {said}"
        case smtplib.SMTPServerDisconnected():
            return NO_ANSWER if "timed out" in str(error) else "it closed the connection"
        case TimeoutError():
            return NO_ANSWER
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case OSError():
            return error.strerror or str(error)
        case _:
            return shown(str(error).encode())


def shown(said: bytes) -> str:
    """What a server said, on one line that a terminal may show."""
    return _CONTROL.sub(" ", said.decode("utf-8", "replace"))[:MOST_LETTERS].strip()
