"""What is asked of a web server, and what next when it sends us elsewhere: pure. It opens no connection."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import h11

from detak_agent.checks.kinds.http.address import WebAddress, web_address
from detak_agent.checks.kinds.http.kind import HttpSettings

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SEE_OTHER, _MOVED = 303, frozenset({301, 302})
_FOR_ONE_ORIGIN = frozenset({"host", "authorization", "cookie", "proxy-authorization"})
_OF_A_BODY = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
_DEFAULTS = {
    "User-Agent": "detak-agent",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}

Head = h11.Response | h11.InformationalResponse


@dataclass(frozen=True, slots=True)
class Question:
    """One request; `headers` are those of the settings, `body` is what POST sends."""

    address: WebAddress
    method: str
    headers: Mapping[str, str]
    body: bytes = b""

    def request(self) -> h11.Request:
        """As it goes over the wire; h11.LocalProtocolError where HTTP does not allow a header."""
        lines = {"Host": self.address.authority, **_DEFAULTS}
        if self.address.authorization:
            lines["Authorization"] = self.address.authorization
        if self.method == "POST":
            lines["Content-Type"] = "application/octet-stream"
        lines = _without(lines, {name.lower() for name in self.headers}) | dict(self.headers)
        if self.method == "POST":
            lines["Content-Length"] = str(len(self.body))
        encoded = [(name.encode(), value.strip().encode()) for name, value in lines.items()]
        return h11.Request(method=self.method, target=self.address.target, headers=encoded)

    def after(self, answer: Head) -> Question | None:
        """What to ask next, without what only the server before may see; None where this answer is the last.

        Raises NoWebAddressError. As browsers do, a POST becomes a GET unless the status says that it must not.
        """
        status = answer.status_code
        locations = values_of(answer, b"location") if status in _REDIRECTS else []
        if not any(locations):
            return None
        address = self.address.joined(locations[0])
        stays = address.origin == self.address.origin
        headers = self.headers if stays else _without(self.headers, _FOR_ONE_ORIGIN)
        if status == _SEE_OTHER or (status in _MOVED and self.method == "POST"):
            method = "HEAD" if self.method == "HEAD" else "GET"
            return Question(address, method, _without(headers, _OF_A_BODY))
        return Question(address, self.method, headers, self.body)


def first_question(settings: HttpSettings) -> Question:
    """What the settings say; NoWebAddressError."""
    body = settings.body.encode() if settings.method == "POST" else b""
    return Question(web_address(settings.url), settings.method, settings.headers, body)


def values_of(answer: Head, name: bytes) -> list[str]:
    """Of the headers of this name, which is in lower case."""
    return [value.decode(errors="replace") for known, value in answer.headers if known == name]


def _without(headers: Mapping[str, str], names: AbstractSet[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}
