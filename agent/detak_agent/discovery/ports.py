"""Ways to check a port, each a few drafts with the best first. What they cannot know, trying them decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detak_agent.discovery.drafts import Draft
from detak_agent.discovery.facts import Listener
from detak_agent.discovery.toml_text import Value

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A port as it is reached from this machine. `zones` are those of the server there, if it is a name server."""

    host: str
    listener: Listener
    zones: tuple[str, ...] = ()

    @property
    def port(self) -> int:
        return self.listener.port

    @property
    def keys(self) -> dict[str, Value]:
        return {"host": self.host, "port": self.port}

    def url(self, scheme: str, path: str) -> str:
        """The address of a page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _USUAL_PORTS[scheme] else f":{self.port}"
        return f"{scheme}://{host}{port}{path}"


OnPort = Callable[[Target], tuple[Draft, ...]]

_BY_ADDRESS = (
    "Asked by address, so of the certificate only the expiry is looked at. Write the public name into url and drop "
    "verify_tls to have its name and trust checked too."
)
_ANY_ANSWER = "This page answers with an error for visitors. Name one that works for users, and drop status."
_ANY_STATUS = ("200-399", "401-499")
"""Not 400: so answers a port of TLS that is spoken to in plain text."""

_QUIET = 60_000


def nothing(_target: Target) -> tuple[Draft, ...]:
    """Not to be checked: a port for the server's own use."""
    return ()


def tcp(target: Target) -> tuple[Draft, ...]:
    """It takes connections."""
    return (Draft("tcp", target.keys),)


def says(expect: str, send: str = "", *, quiet: bool = False) -> OnPort:
    """It says what it should. `quiet`: seldom, where the server writes each visit down or holds it against one."""

    def on_port(target: Target) -> tuple[Draft, ...]:
        spoken: dict[str, Value] = {"send": send, "expect": expect} if send else {"expect": expect}
        seldom: dict[str, Value] = {"interval_ms": _QUIET} if quiet else {}
        return (Draft("tcp", {**target.keys, **spoken, **seldom}), Draft("tcp", {**target.keys, **seldom}))

    return on_port


def tls(target: Target) -> tuple[Draft, ...]:
    """It speaks TLS at once."""
    note = "Reached by address: write the name in server_name and drop verify_tls to have name and trust checked too."
    return (Draft("tls", {**target.keys, "verify_tls": False}, note), *tcp(target))


def redis(target: Target) -> tuple[Draft, ...]:
    """Redis and its kin; with a password set, no more can be seen than that it speaks."""
    return (
        Draft("redis", target.keys),
        Draft("tcp", {**target.keys, "send": "PING\r\n", "expect": "^[+-]"}, _WHERE_IT_ASKS_WHO.format(kind="redis")),
    )


def mongodb(target: Target) -> tuple[Draft, ...]:
    """MongoDB says without a user whether it serves."""
    return (Draft("mongodb", target.keys), *tcp(target))


_WHERE_IT_ASKS_WHO = 'To see more, make it kind = "{kind}" without send and expect, and give it a password_file.'


def web(*paths: str, contains: str = "") -> OnPort:
    """A web server: the first of `paths` that is served, in plain text or TLS; else any answer; else connections."""

    def on_port(target: Target) -> tuple[Draft, ...]:
        schemes = ("https", "http") if target.port % 1_000 == 443 else ("http", "https")
        pages = [(scheme, path) for path in paths or ("/",) for scheme in schemes]
        good = [_page(target, scheme, path, contains if path != "/" else "") for scheme, path in pages]
        # A server of TLS answers plain text with an error, which must not pass for an answer: TLS goes first.
        answers = [_any_answer(_page(target, scheme, "/", "")) for scheme in ("https", "http")]
        return (*good, *answers, *tcp(target))

    return on_port


def _page(target: Target, scheme: str, path: str, contains: str) -> Draft:
    keys: dict[str, Value] = {"url": target.url(scheme, path), "follow_redirects": False}
    if contains:
        keys["body_contains"] = contains
    if scheme == "https":
        keys["verify_tls"] = False
    return Draft("http", keys, _BY_ADDRESS if scheme == "https" else "")


def _any_answer(draft: Draft) -> Draft:
    note = f"{_ANY_ANSWER} {draft.note}".strip()
    return Draft(draft.kind, {**draft.keys, "status": _ANY_STATUS}, note)


def web_or_tcp(target: Target) -> tuple[Draft, ...]:
    """Behind a load balancer may be anything: only where the port says so it is asked for a page."""
    usual = target.port in {80, 8000, 8008, 8080, 8081, 8088, 8888} or target.port % 1_000 == 443
    return web()(target) if usual else tcp(target)


def dns(target: Target) -> tuple[Draft, ...]:
    """A name server: a zone of its own, else what any resolver knows, else connections."""
    plain = target.port == 53
    host = f"[{target.host}]" if ":" in target.host else target.host
    server: Value = (target.host if plain else f"{host}:{target.port}",)
    asked = [
        Draft("dns", {"query": zone, "type": "SOA", "servers": server, "authoritative": True})
        for zone in target.zones[:_MOST_ZONES]
    ]
    note = "Answered from the server itself. Ask for a name that users need, too: that shows whether it reaches others."
    asked += [
        Draft("dns", {"query": "localhost", "servers": server}, note),
        Draft("dns", {"query": "127.in-addr.arpa", "type": "SOA", "servers": server}, note),
    ]
    note = "Name a zone that it serves in a check of kind dns: this one only sees that the port is open."
    return (*asked, Draft("tcp", target.keys, note)) if target.listener.protocol == "tcp" else tuple(asked)


_MOST_ZONES = 3
