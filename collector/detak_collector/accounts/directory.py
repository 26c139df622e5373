"""Asks an LDAP server or Active Directory whether a password is somebody's, and of which groups he is a member.

Nothing travels readable: LDAPS or StartTLS, plain only on this machine. A name is data, never a part of a query.
"""

from __future__ import annotations

import math
import secrets
import ssl
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from detak_collector.accounts.directory_answer import DirectoryError, Found
from detak_collector.accounts.names import normal
from detak_collector.accounts.roles import Role
from detak_collector.accounts.sign_in_file import DEFAULT_PORTS, NAME_PLACE, DirectoryPlace, is_loopback

with warnings.catch_warnings():
    # The library asks another one for names that this still has, and warns of.
    warnings.simplefilter("ignore", DeprecationWarning)
    from ldap3 import NONE, SIMPLE, SUBTREE, Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException
    from ldap3.utils.conv import escape_filter_chars
    from ldap3.utils.dn import escape_rdn, parse_dn

REFUSED = frozenset({32, 34, 48, 49, 53})
"""The results of a bind that speak of whoever binds; any other is a trouble of the directory."""

MOST_GROUPS = 1_000
NOBODY = "cn=nobody"
_DISPLAY = ("displayName", "cn")

Parsed = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory. It may be asked by several threads at once, and keeps no connection."""

    place: DirectoryPlace

    def authenticate(self, name: str, password: str) -> Found | None:
        """The person, or None where there is none or the password is another. Raises DirectoryError.

        A server that does not answer is followed by the next one. The work is the same for a name that is not there.
        """
        if not name:
            return None
        # A bind without a password succeeds as nobody in particular (RFC 4513, 5.1.2).
        if not password or "\0" in password:
            password = secrets.token_hex(16)
        return self._of_first(lambda server: self._asked(server, name, password))

    def _of_first(self, ask: Callable[[Server], Found | None]) -> Found | None:
        troubles = []
        for url in self.place.urls:
            try:
                return ask(self._server(urlsplit(url)))
            except (LDAPException, OSError, DirectoryError) as error:
                troubles.append(f"{url}: {_first_line(error)}")
        raise DirectoryError("; ".join(troubles))

    def _server(self, url: SplitResult) -> Server:
        host = url.hostname or ""
        port = url.port or DEFAULT_PORTS[url.scheme]
        timeout_s = self.place.timeout_ms / 1_000
        tls = _VerifiedTls(None if self.place.ca_file is None else str(self.place.ca_file))
        return Server(host, port, use_ssl=url.scheme == "ldaps", tls=tls, get_info=NONE, connect_timeout=timeout_s)

    def _asked(self, server: Server, name: str, password: str) -> Found | None:
        place = self.place
        if place.bind_as is not None:
            with self._bound(server, _bind_name(place.bind_as, name), password) as own:
                return None if own is None else self._found(own, name)
        with self._bound(server, place.search_as or "", self._search_password()) as searching:
            if searching is None:
                raise DirectoryError("the account search_as is refused")
            entry = self._entry(searching, name)
            with self._bound(server, NOBODY if entry is None else entry["dn"], password) as own:
                if own is None or entry is None:
                    return None
            return self._found(searching, name)

    def _search_password(self) -> str:
        path = self.place.search_password_file
        return "" if path is None else path.read_text(encoding="utf-8").strip("\r\n")

    @contextmanager
    def _bound(self, server: Server, who: str, password: str) -> Iterator[Connection | None]:
        """A connection as somebody, None where he is refused."""
        # As bytes it goes as it is: the library would refuse some that a directory may know.
        secret: Any = password.encode("utf-8", "replace")
        connection = Connection(
            server, who, secret, authentication=SIMPLE, auto_referrals=False, read_only=True,
            receive_timeout=math.ceil(self.place.timeout_ms / 1_000),
        )  # fmt: skip
        try:
            connection.open(read_server_info=False)
            if self._needs_start_tls(server) and not connection.start_tls(read_server_info=False):
                raise DirectoryError("it does not speak StartTLS")
            if not connection.bind(read_server_info=False):
                code = connection.result["result"]
                if code not in REFUSED:
                    raise DirectoryError(f"it answers {connection.result['description']}")
                yield None
                return
            yield connection
        finally:
            with suppress(LDAPException, OSError):
                connection.unbind()
            # Of one that could not be opened the library forgets the socket.
            if connection.socket is not None:
                connection.socket.close()

    def _needs_start_tls(self, server: Server) -> bool:
        """Plain LDAP stays plain on this machine alone, and there only where no authority is named."""
        return not server.ssl and (self.place.ca_file is not None or not is_loopback(server.host))

    def _entry(self, connection: Connection, name: str) -> dict[str, Any] | None:
        """The one entry of that name; several are nobody's."""
        place = self.place
        wanted = f"({place.name_attribute}={escape_filter_chars(name)})"
        attributes = [place.name_attribute, *_DISPLAY, "mail", "memberOf"]
        entries = _searched(connection, place.base, wanted, attributes, 2)
        exact = [one for one in entries if name in map(normal, _values(one, place.name_attribute))]
        return exact[0] if len(entries) == 1 and exact else None

    def _found(self, connection: Connection, name: str) -> Found | None:
        entry = self._entry(connection, name)
        if entry is None:
            raise DirectoryError(f"{name} could bind, and is not found under {self.place.base}")
        display = next((value for key in _DISPLAY for value in _values(entry, key)), name)
        mail = next(iter(_values(entry, "mail")), "")
        return Found(name, display, mail, roles_by(self.place.roles, self._groups(connection, entry, name)))

    def _groups(self, connection: Connection, entry: dict[str, Any], name: str) -> list[str]:
        if self.place.groups_base is None:
            return _values(entry, "memberOf")
        own = escape_filter_chars(entry["dn"])
        wanted = f"(|(member={own})(uniqueMember={own})(memberUid={escape_filter_chars(name)}))"
        return [one["dn"] for one in _searched(connection, self.place.groups_base, wanted, [], MOST_GROUPS)]


def roles_by(mapping: Mapping[str, Role], groups: Iterable[str]) -> frozenset[Role]:
    """The roles that these groups give; names of groups are compared as names, whatever their case and spaces."""
    by_name = {_parsed(group): role for group, role in mapping.items()}
    return frozenset(by_name[name] for name in map(_parsed, groups) if name in by_name)


def _parsed(name: str) -> Parsed:
    try:
        return tuple((kind.lower(), normal(value)) for kind, value, _ in parse_dn(name, strip=True))
    except LDAPException:
        return (("", normal(name)),)


def _bind_name(template: str, name: str) -> str:
    """A distinguished name has the name as a value in it; of `{name}@domain` it is a part."""
    return template.replace(NAME_PLACE, escape_rdn(name) if "=" in template else name)


def _searched(connection: Connection, base: str, wanted: str, attributes: list[str], most: int) -> list[dict[str, Any]]:
    connection.search(base, wanted, SUBTREE, attributes=attributes or None, size_limit=most)
    if connection.result["result"] not in {0, 4}:
        raise DirectoryError(f"the search under {base} answers {connection.result['description']}")
    return [one for one in connection.response or [] if one.get("type") == "searchResEntry"]


def _values(entry: dict[str, Any], attribute: str) -> list[str]:
    """All values of an attribute as texts."""
    found = {key.lower(): value for key, value in entry.get("raw_attributes", {}).items()}.get(attribute.lower(), [])
    return [value.decode("utf-8", "replace") for value in found]


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


class _VerifiedTls(Tls):
    """TLS as Python's own standard sets it up: the certificate is checked, and its name by OpenSSL."""

    def __init__(self, ca_file: str | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = ssl.create_default_context(cafile=ca_file)

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """As ldap3.Tls says; the handshake is always done here."""
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)
