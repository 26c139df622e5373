"""Leaves out what an existing configuration checks already. Pure, but for asking whose an address is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from detak_agent.checks.addresses import is_remote
from detak_agent.checks.kinds.dns.kind import server_endpoint
from detak_agent.checks.kinds.systemd.kind import full_name
from detak_agent.discovery.drafts import Draft, Finding, Proposal
from detak_agent.runner import Check

_WEB_PORTS = {"http": 80, "https": 443}
_SEES_A_CERTIFICATE = frozenset({"http", "tls"})

_USUAL_PORTS = {"mysql": 3_306}
_TELLING: Mapping[str, tuple[str, ...]] = {
    "os": ("filesystems",),
    "process": ("process_name", "command_pattern"),
    "haproxy": ("backend",),
    "ups": ("ups",),
    "ipmi": ("host",),
    "oracle": ("sid",),
}
"""The keys, texts or lists, by which two checks of such a kind look at the same thing."""

Place = tuple[str, int]


def is_here(host: str) -> bool:
    """Whether a host, or the path of a local socket, is on this machine."""
    return host.startswith("/") or not is_remote(host)


def without_known(
    findings: Sequence[Finding], checks: Sequence[Check], here: Callable[[str], bool] = is_here
) -> list[Finding]:
    """The findings with only those proposals that no check covers; findings without any are dropped."""
    known = _Known(checks, here)
    left = [
        replace(finding, proposals=tuple(one for one in finding.proposals if not known.covers(one)))
        for finding in findings
    ]
    return [finding for finding in left if finding.proposals]


class _Known:
    def __init__(self, checks: Sequence[Check], here: Callable[[str], bool]) -> None:
        self._here = here
        self._settings = [(check.kind.name, _keys(check)) for check in checks]
        self._places = [(kind, place) for kind, keys in self._settings for place in self._places_of(kind, keys)]
        self._units = {full_name(unit) for kind, keys in self._settings if kind == "systemd" for unit in keys["units"]}

    def covers(self, proposal: Proposal) -> bool:
        """Whether a check sees as much as the best of the proposal's drafts, or is the same as any of them."""
        first = proposal.drafts[0]
        return self._sees_the_place(first) or any(self._is_there(draft) for draft in proposal.drafts)

    def _sees_the_place(self, draft: Draft) -> bool:
        return draft.kind not in _TELLING and any(
            place == other and _sees_as_much(kind, draft.kind)
            for place in self._places_of(draft.kind, draft.keys)
            for kind, other in self._places
        )

    def _is_there(self, draft: Draft) -> bool:
        keys: Mapping[str, Any] = draft.keys
        if draft.kind == "systemd":
            return self._units >= {full_name(unit) for unit in keys["units"]}
        telling = _TELLING.get(draft.kind, ())
        wanted = [tuple(keys.get(key, "")) for key in telling]
        return bool(telling) and any(
            kind == draft.kind and [tuple(one[key]) for key in telling] == wanted for kind, one in self._settings
        )

    def _places_of(self, kind: str, keys: Mapping[str, Any]) -> list[Place]:
        if kind == "http":
            url = urlsplit(keys["url"])
            return [self._place(url.hostname or "", url.port or _WEB_PORTS[url.scheme])]
        if kind == "dns":
            return [self._place(*server_endpoint(server)) for server in keys["servers"]]
        if "host" not in keys:
            return []
        return [self._place(keys["host"], keys.get("port", _USUAL_PORTS.get(kind, 0)))]

    def _place(self, host: str, port: int) -> Place:
        return ("here" if self._here(host) else host, port)


def _keys(check: Check) -> Mapping[str, Any]:
    return {key: getattr(check.settings, key) for key in check.settings.__struct_fields__}


def _sees_as_much(known: str, proposed: str) -> bool:
    return proposed in {known, "tcp"} or {known, proposed} <= _SEES_A_CERTIFICATE
