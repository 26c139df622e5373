"""The table `[mail]` of collector.toml: read and checked here, so that the rest of the file need not know it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from detak_collector.accounts.roles import Role
from detak_collector.accounts.sign_in_file import is_loopback
from detak_collector.config_values import shown
from detak_collector.mail.letter import HOUR_MS
from detak_collector.mail.smtp import Server
from detak_collector.translation import LANGUAGES

PORTS = {"starttls": 587, "tls": 465, "none": 25}
KINDS = ("daily", "weekly", "monthly", "quarterly", "half-yearly", "yearly")
ATTACHMENTS = ("pdf", "xlsx")
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what LoadCredential= names."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?")

TimeOut = Annotated[int, Meta(ge=1_000, le=120_000)]
Hours = Annotated[int, Meta(ge=1, le=720)]


class RecipientFile(Struct, frozen=True):
    """One `[[mail.recipient]]`: an address, or all accounts with a role, and which summaries go there."""

    summaries: list[str]
    address: str | None = None
    role: str | None = None
    of: str | None = None
    attach: list[str] = []
    language: str | None = None


class MailFile(Struct, frozen=True):
    """The table `[mail]`: it is there, so mails are sent."""

    server: str
    sender: str
    security: str = "starttls"
    ca_file: str | None = None
    user: str | None = None
    password_file: str | None = None
    password_credential: str | None = None
    timeout_ms: TimeOut = 30_000
    give_up_after_hours: Hours = 72
    language: str = "en"
    deputies: list[str] = []
    deputy_after_hours: Hours = 24
    warn_before_hours: Hours = 24
    alarm_after_hours: Hours = 2
    recipient: list[RecipientFile] = []


TABLES: dict[str, type[Struct]] = {"mail": MailFile, "recipient": RecipientFile}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who gets which summaries. Either `address` or `role` says who; `of`: the unit or service that it is about."""

    summaries: frozenset[str]
    address: str | None
    role: Role | None
    of: str | None
    attach: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class MailTerms:
    """How mails are sent, to whom, and when somebody is reminded. `sender`: the whole of what stands in From.

    `alarm_after_ms`: so long a mail may wait before the page says so.
    """

    server: Server
    sender: str
    language: str
    give_up_ms: int
    deputies: frozenset[str]
    deputy_after_ms: int
    warn_before_ms: int
    alarm_after_ms: int
    wanted: tuple[Wanted, ...]


def mail_faults(file: MailFile | None, base: Path, *, allow_plaintext: bool) -> Iterator[str]:
    """What is wrong with the table, a line each."""
    if file is None:
        return
    place = _place(file)
    if place is None:
        yield f"mail.server: expected HOST or HOST:PORT such as smtp.example.go.id:587 (got {shown(file.server)})"
    if not is_address(parseaddr(file.sender)[1]) or _unprintable(file.sender):
        yield f"mail.sender: expected an address such as Detak <detak@example.go.id> (got {shown(file.sender)})"
    yield from _security_faults(file, place, allow_plaintext=allow_plaintext)
    yield from _password_faults(file, base)
    if file.ca_file is not None and not (base / file.ca_file).is_file():
        yield f"mail.ca_file: no such file (got {shown(file.ca_file)})"
    yield from _one_of("mail.language", file.language, LANGUAGES)
    for at, one in enumerate(file.recipient):
        yield from _recipient_faults(one, f"mail.recipient[{at}]")


def _security_faults(file: MailFile, place: tuple[str, int] | None, *, allow_plaintext: bool) -> Iterator[str]:
    yield from _one_of("mail.security", file.security, PORTS)
    if file.security == "none" and place is not None and not is_loopback(place[0]) and not allow_plaintext:
        yield (
            "mail.security: mails would travel readable to another machine: use starttls or tls, or say "
            f"allow_plaintext = true (got {shown(file.security)})"
        )
    if file.security == "none" and file.ca_file is not None:
        yield "mail.ca_file: only with security = starttls or tls"


def _password_faults(file: MailFile, base: Path) -> Iterator[str]:
    given = [one for one in (file.password_file, file.password_credential) if one is not None]
    if (file.user is None) != (not given) or len(given) > 1:
        yield "mail.user: comes together with either password_file or password_credential"
    if file.password_file is not None:
        path = base / file.password_file
        if not path.is_file():
            yield f"mail.password_file: no such file (got {shown(file.password_file)})"
        elif path.stat().st_mode & 0o007:
            yield f"mail.password_file: everybody can read it: `chmod o= {path}`"
    if file.password_credential is not None and "/" in file.password_credential:
        yield f"mail.password_credential: expected a name such as smtp-password (got {shown(file.password_credential)})"


def _recipient_faults(one: RecipientFile, path: str) -> Iterator[str]:
    if (one.address is None) == (one.role is None):
        yield f"{path}: expected either address or role: who gets it?"
    if one.address is not None and not is_address(one.address):
        yield f"{path}.address: expected an address such as kepala@example.go.id (got {shown(one.address)})"
    if one.role is not None:
        yield from _one_of(f"{path}.role", one.role, tuple(Role))
    if not one.summaries:
        yield f"{path}.summaries: expected at least one of {', '.join(KINDS)}"
    for kind in one.summaries:
        yield from _one_of(f"{path}.summaries", kind, KINDS)
    for form in one.attach:
        yield from _one_of(f"{path}.attach", form, ATTACHMENTS)
    if one.language is not None:
        yield from _one_of(f"{path}.language", one.language, LANGUAGES)


def _one_of(path: str, value: str, known: Collection[str]) -> Iterator[str]:
    if value not in known:
        yield f"{path}: expected one of {', '.join(known)} (got {shown(value)})"


def mail_terms(file: MailFile, base: Path) -> MailTerms:
    """The table, once nothing is wrong with it."""
    place = _place(file)
    if place is None:
        raise AssertionError(file.server)
    server = Server(
        *place,
        file.security,
        parseaddr(file.sender)[1],
        None if file.ca_file is None else base / file.ca_file,
        file.user,
        _password_path(file, base),
        file.timeout_ms,
    )
    return MailTerms(
        server,
        file.sender,
        file.language,
        file.give_up_after_hours * HOUR_MS,
        frozenset(file.deputies),
        file.deputy_after_hours * HOUR_MS,
        file.warn_before_hours * HOUR_MS,
        file.alarm_after_hours * HOUR_MS,
        tuple(_wanted(one, file.language) for one in file.recipient),
    )


def _wanted(one: RecipientFile, language: str) -> Wanted:
    role = None if one.role is None else Role(one.role)
    forms = tuple(form for form in ATTACHMENTS if form in one.attach)
    return Wanted(frozenset(one.summaries), one.address, role, one.of, forms, one.language or language)


def _password_path(file: MailFile, base: Path) -> Path | None:
    if file.password_file is not None:
        return base / file.password_file
    if file.password_credential is None:
        return None
    # Without systemd the folder is not there, which is told when the password is wanted.
    return Path(os.environ.get(CREDENTIALS, f"${CREDENTIALS}")) / file.password_credential


def is_address(text: str) -> bool:
    """Whether that is one mail address, of ASCII letters, with nothing beside it."""
    return _ADDRESS.fullmatch(text) is not None and ".." not in text


def _place(file: MailFile) -> tuple[str, int] | None:
    found = _HOST.fullmatch(file.server)
    if found is None:
        return None
    port = int(found["port"] or PORTS.get(file.security, 25))
    return (found["host"].strip("[]"), port) if 0 < port <= 65_535 else None


def _unprintable(text: str) -> bool:
    return not text.isprintable()
