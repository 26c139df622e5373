"""The table `[sign_in]` of collector.toml: read and checked here, so that the rest of the file need not know it."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from detak_collector.accounts.account import Terms
from detak_collector.accounts.roles import Role

NAME_PLACE = "{name}"
DEFAULT_PORTS = {"ldap": 389, "ldaps": 636}

Idle = Annotated[int, Meta(ge=60_000, le=604_800_000)]
Longest = Annotated[int, Meta(ge=60_000, le=2_592_000_000)]
TimeOut = Annotated[int, Meta(ge=100, le=60_000)]


class RolesFile(Struct, frozen=True):
    """The table `[sign_in.directory.roles]`: the groups, by their full names, whose members have a role."""

    viewer: list[str] = []
    operator: list[str] = []
    approver: list[str] = []
    auditor: list[str] = []
    admin: list[str] = []


class DirectoryFile(Struct, frozen=True):
    """The table `[sign_in.directory]`: an LDAP server or Active Directory, and where in it people and groups are."""

    urls: list[str]
    base: str
    ca_file: str | None = None
    name_attribute: str = "uid"
    bind_as: str | None = None
    search_as: str | None = None
    search_password_file: str | None = None
    groups_base: str | None = None
    timeout_ms: TimeOut = 5_000
    roles: RolesFile = RolesFile()


class SignInFile(Struct, frozen=True):
    """The table `[sign_in]`: it is there, so people sign in, and what is not marked public is for them alone."""

    idle_ms: Idle = 7_200_000
    longest_ms: Longest = 43_200_000
    metrics_token_file: str | None = None
    proxies: list[str] = []
    directory: DirectoryFile | None = None


TABLES: dict[str, type[Struct]] = {"sign_in": SignInFile, "directory": DirectoryFile, "roles": RolesFile}


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """Where the directory is. `urls` are asked one after the other while they do not answer.

    A person is found by binding as him (`bind_as`), or by an account that may search. `roles` are by group.
    """

    urls: tuple[str, ...]
    base: str
    ca_file: Path | None
    name_attribute: str
    bind_as: str | None
    search_as: str | None
    search_password_file: Path | None
    groups_base: str | None
    timeout_ms: int
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class SignInTerms:
    """How people sign in. `proxies` are the addresses whose word for whom they speak is taken."""

    terms: Terms
    metrics_token_file: Path | None = None
    proxies: frozenset[str] = frozenset()
    directory: DirectoryPlace | None = None


def sign_in_faults(file: SignInFile | None, url: str, base: Path) -> Iterator[str]:
    """What is wrong with the table, a line each; `url` is how people reach the collector."""
    if file is None:
        return
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield (
            'sign_in: passwords would travel readable: add [tls], or name with public_url = "https://..." '
            f"the proxy that speaks TLS (people would use {_shown(url)})"
        )  # fmt: skip
    if file.longest_ms < file.idle_ms:
        yield f"sign_in.longest_ms: expected no less than idle_ms, {file.idle_ms} (got {file.longest_ms})"
    yield from _missing("sign_in.metrics_token_file", file.metrics_token_file, base)
    for one in file.proxies:
        if not _is_address(one):
            yield f"sign_in.proxies: expected addresses such as 127.0.0.1 (got {_shown(one)})"
    if file.directory is not None:
        yield from _directory_faults(file.directory, base)


def _directory_faults(file: DirectoryFile, base: Path) -> Iterator[str]:
    if find_spec("ldap3") is None:
        yield "sign_in.directory: the library for it is not installed: install detak-collector[ldap]"
    if not file.urls:
        yield "sign_in.directory.urls: expected at least one"
    for url in file.urls:
        if not _is_directory_url(url):
            yield f"sign_in.directory.urls: expected URLs such as ldaps://dc1.example.go.id (got {_shown(url)})"
    if (file.bind_as is None) == (file.search_as is None):
        yield "sign_in.directory: expected either bind_as or search_as: how is a person found?"
    if file.bind_as is not None and NAME_PLACE not in file.bind_as:
        yield (
            "sign_in.directory.bind_as: expected {name} in it, such as uid={name},ou=people,dc=example or "
            f"{{name}}@example.go.id (got {_shown(file.bind_as)})"
        )
    if (file.search_as is None) != (file.search_password_file is None):
        yield "sign_in.directory: search_as and search_password_file come together"
    yield from _missing("sign_in.directory.search_password_file", file.search_password_file, base)
    yield from _missing("sign_in.directory.ca_file", file.ca_file, base)
    if not file.name_attribute.isascii() or not file.name_attribute.replace("-", "").isalnum():
        yield f"sign_in.directory.name_attribute: expected a name such as uid (got {_shown(file.name_attribute)})"


def sign_in_terms(file: SignInFile, base: Path) -> SignInTerms:
    """The table, once nothing is wrong with it."""
    token = None if file.metrics_token_file is None else base / file.metrics_token_file
    directory = None if file.directory is None else _place(file.directory, base)
    return SignInTerms(Terms(file.idle_ms, file.longest_ms), token, frozenset(file.proxies), directory)


def _place(file: DirectoryFile, base: Path) -> DirectoryPlace:
    return DirectoryPlace(
        tuple(file.urls),
        file.base,
        None if file.ca_file is None else base / file.ca_file,
        file.name_attribute,
        file.bind_as,
        file.search_as,
        None if file.search_password_file is None else base / file.search_password_file,
        file.groups_base,
        file.timeout_ms,
        {group: role for role in Role for group in getattr(file.roles, role.value)},
    )


def is_loopback(host: str) -> bool:
    """Whether that is this machine, as far as the name itself says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_directory_url(url: str) -> bool:
    parts = urlsplit(url)
    try:
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and has_port and not parts.path.strip("/")


def _missing(name: str, value: str | None, base: Path) -> Iterator[str]:
    if value is None:
        return
    path = base / value
    if not path.is_file():
        yield f"{name}: no such file (got {_shown(value)})"
    elif name.endswith(("password_file", "token_file")) and path.stat().st_mode & 0o007:
        yield f"{name}: everybody can read it: `chmod o= {path}`"


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
