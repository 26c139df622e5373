"""Puts a mail together as RFC 5322 and MIME have it, by the standard library's own policy for SMTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from detak_collector.mail.letter import message_id
from detak_collector.report.terminal import printable

MOST_SUBJECT = 150
MOST_ATTACHED_BYTES = 10 * 1024 * 1024
"""Of all attachments together; many servers take no mail above 20 MB, and MIME makes a third more of it."""

POLICY = SMTP.clone(cte_type="7bit")
"""Quoted-printable and base64 alone: they come through every server."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is written on a mail. `sender` as in From, `sent_utc` in milliseconds."""

    key: str
    sender: str
    recipient: str
    subject: str
    language: str
    sent_utc: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail, of a type such as `application/pdf`."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Inline:
    """A picture that the HTML shows by `cid:NAME.KEY`."""

    name: str
    png: bytes


def composed(
    envelope: Envelope, text: str, html: str, pictures: Sequence[Inline] = (), attachments: Sequence[Attachment] = ()
) -> bytes:
    """The whole message, in lines as SMTP wants them."""
    mail = EmailMessage(policy=POLICY)
    _address(mail, envelope)
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    shown = mail.get_payload(1)
    assert isinstance(shown, EmailMessage), "the second alternative"
    for one in pictures:
        shown.add_related(
            one.png, "image", "png", cid=f"<{one.name}.{envelope.key}>", filename=f"{one.name}.png",
            disposition="inline",
        )  # fmt: skip
    for file in attachments:
        kind, _, subtype = file.type.partition("/")
        mail.add_attachment(file.content, kind, subtype, filename=file.name)
    return mail.as_bytes()


def _address(mail: EmailMessage, envelope: Envelope) -> None:
    name, address = parseaddr(envelope.sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    mail["To"] = Address(addr_spec=envelope.recipient)
    mail["Subject"] = subject_line(envelope.subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(envelope.sent_utc // 1000, UTC))
    mail["Message-ID"] = message_id(envelope.key, address)
    mail["Content-Language"] = envelope.language
    # Nobody's absence is to be told to it.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"


def subject_line(words: str) -> str:
    """The words on one line: what came from a name in a file begins no other header."""
    line = " ".join(printable(words).split())
    return line if len(line) <= MOST_SUBJECT else f"{line[: MOST_SUBJECT - 1]}\N{HORIZONTAL ELLIPSIS}"


def fitting(attachments: Sequence[Attachment]) -> tuple[list[Attachment], list[Attachment]]:
    """Those that a mail can carry, and those that are too large beside them."""
    taken: list[Attachment] = []
    left: list[Attachment] = []
    size = 0
    for one in attachments:
        fits = size + len(one.content) <= MOST_ATTACHED_BYTES
        (taken if fits else left).append(one)
        size += len(one.content) if fits else 0
    return taken, left
