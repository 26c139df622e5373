"""The tables `[[notify]]` of collector.toml: read and checked here, so that the rest of the file need not know them."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from detak_collector.accounts.sign_in_file import is_loopback
from detak_collector.config_values import shown
from detak_collector.notify.deciding import Choice
from detak_collector.translation import LANGUAGES

ALERTS = "/api/v2/alerts"
LEAST_SECRET = 16
"""So many characters a secret has at least."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

After = Annotated[int, Meta(ge=0, le=86_400)]
Gather = Annotated[int, Meta(ge=0, le=600)]


class Way(StrEnum):
    """How a target is reached."""

    WEBHOOK = "webhook"
    ALERTMANAGER = "alertmanager"
    APPRISE = "apprise"


class NotifyFile(Struct, frozen=True):
    """One `[[notify]]`: who is told, how, and of what."""

    name: str
    webhook: str | None = None
    secret_file: str | None = None
    alertmanager: str | None = None
    apprise_file: str | None = None
    ca_file: str | None = None
    language: str = "en"
    after_seconds: After = 30
    gather_seconds: Gather = 10
    only_unacknowledged: bool = False
    services: list[str] | None = None
    counted_only: bool = False
    observation: bool = True


TABLES: dict[str, type[Struct]] = {"notify": NotifyFile}


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to be told. `url` is empty where `secret` holds it; files are read when they are needed."""

    name: str
    way: Way
    url: str
    secret: Path | None
    ca_file: Path | None
    language: str
    choice: Choice


class TargetError(Exception):
    """A target that cannot be used as it is configured; the text says why and what to do."""


def notify_faults(files: Sequence[NotifyFile], base: Path, *, allow_plaintext: bool) -> Iterator[str]:
    """What is wrong with the tables, a line each."""
    names = Counter(one.name for one in files)
    for at, one in enumerate(files):
        path = f"notify[{at}]"
        if not _NAME.fullmatch(one.name):
            yield f"{path}.name: expected letters, digits, dots and dashes such as noc (got {shown(one.name)})"
        elif names[one.name] > 1:
            yield f"{path}.name: each name may be used once (got {shown(one.name)})"
        ways = [way for way, value in _ways(one).items() if value is not None]
        if len(ways) != 1:
            yield f"{path}: expected one of webhook, alertmanager and apprise_file: how is {one.name} reached?"
        yield from _url_faults(one, path, allow_plaintext=allow_plaintext)
        yield from _file_faults(one, path, base)
        if one.language not in LANGUAGES:
            yield f"{path}.language: expected one of {', '.join(LANGUAGES)} (got {shown(one.language)})"
        if one.services is not None and not one.services:
            yield f"{path}.services: expected at least one service; leave it out for all"


def _ways(one: NotifyFile) -> dict[Way, str | None]:
    return {Way.WEBHOOK: one.webhook, Way.ALERTMANAGER: one.alertmanager, Way.APPRISE: one.apprise_file}


def _url_faults(one: NotifyFile, path: str, *, allow_plaintext: bool) -> Iterator[str]:
    for way, url in ((Way.WEBHOOK, one.webhook), (Way.ALERTMANAGER, one.alertmanager)):
        if url is None:
            continue
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            yield f"{path}.{way}: expected a URL beginning with https:// or http:// (got {shown(url)})"
        elif parts.scheme == "http" and not allow_plaintext and not is_loopback(parts.hostname):
            yield (
                f"{path}.{way}: messages would travel readable to another machine: use https://, or say "
                f"allow_plaintext = true (got {shown(url)})"
            )


def _file_faults(one: NotifyFile, path: str, base: Path) -> Iterator[str]:
    if one.webhook is not None and one.secret_file is None:
        yield f"{path}.secret_file: is missing: the receiver proves with it that a message comes from here"
    if one.webhook is None and one.secret_file is not None:
        yield f"{path}.secret_file: only with webhook"
    if one.ca_file is not None and one.apprise_file is not None:
        yield f"{path}.ca_file: only with webhook or alertmanager"
    if one.ca_file is not None and not (base / one.ca_file).is_file():
        yield f"{path}.ca_file: no such file (got {shown(one.ca_file)})"
    for key, name in (("secret_file", one.secret_file), ("apprise_file", one.apprise_file)):
        if name is None:
            continue
        file = base / name
        if not file.is_file():
            yield f"{path}.{key}: no such file (got {shown(name)})"
        elif file.stat().st_mode & 0o007:
            yield f"{path}.{key}: everybody can read it: `chmod o= {file}`"
    if one.apprise_file is not None and not _has_apprise():
        yield f"{path}.apprise_file: needs the library apprise: install detak-collector[notify]"


def _has_apprise() -> bool:
    """Whether it is installed; it is not loaded for that."""
    try:
        return importlib.util.find_spec("apprise") is not None
    except ValueError:
        return False


def notify_targets(files: Sequence[NotifyFile], base: Path) -> tuple[Target, ...]:
    """The tables, once nothing is wrong with them."""
    return tuple(_target(one, base) for one in files)


def _target(one: NotifyFile, base: Path) -> Target:
    way, value = next((way, value) for way, value in _ways(one).items() if value is not None)
    secret = one.secret_file if way is Way.WEBHOOK else one.apprise_file
    choice = Choice(
        one.name,
        one.after_seconds * 1_000,
        one.gather_seconds * 1_000,
        None if one.services is None else frozenset(one.services),
        one.counted_only,
        one.observation,
        one.only_unacknowledged,
    )
    return Target(
        one.name,
        way,
        _url(way, value or ""),
        None if secret is None else base / secret,
        None if one.ca_file is None else base / one.ca_file,
        one.language,
        choice,
    )


def _url(way: Way, value: str) -> str:
    if way is Way.APPRISE:
        return ""
    return f"{value.rstrip('/')}{ALERTS}" if way is Way.ALERTMANAGER else value


def secret_of(target: Target) -> str:
    """What is in the target's secret file; raises TargetError."""
    assert target.secret is not None, "an Alertmanager is never asked for one"
    try:
        text = target.secret.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise TargetError(f"{target.secret}: {reason}") from error
    if target.way is Way.WEBHOOK and len(text) < LEAST_SECRET:
        raise TargetError(f"{target.secret}: expected a secret of {LEAST_SECRET} characters at least")
    if len(text.splitlines()) != 1:
        raise TargetError(f"{target.secret}: expected one line; make a target of each URL")
    return text
