"""What HAProxy's and NUT's own files say of what can be checked. Pure; `read` is handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from detak_agent.discovery.facts import Balancer, RunningProcess
from detak_agent.discovery.zones import Read

MOST_BACKENDS = 10
MOST_UPS = 10

_UPS = re.compile(r"^\s*\[([A-Za-z0-9_.-]+)\]", re.MULTILINE)
_SECTIONS = frozenset(
    {"global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "userlist", "program", "mailers",
     "cache", "http-errors", "ring", "log-forward", "fcgi-app", "crt-store", "traces"}
)  # fmt: skip


@dataclass
class _Section:
    kind: str
    name: str
    servers: int = 0


def balancer_of(process: RunningProcess, read: Read) -> Balancer:
    """The sockets and backends of the files that HAProxy was started with."""
    return parse_haproxy([read(path) for path in _files(process.arguments)])


def _files(arguments: Iterable[str]) -> list[str]:
    """What stands behind each -f, and after --."""
    files, takes, rest = [], False, False
    for word in arguments:
        if takes or rest:
            files.append(word)
        takes = word == "-f" and not takes
        rest = rest or word == "--"
    return [path for path in files if path.startswith("/")] or ["/etc/haproxy/haproxy.cfg"]


def parse_haproxy(texts: Iterable[str]) -> Balancer:
    """Backends without a server of their own, such as a page of statistics, are left out."""
    section = _Section("", "")
    sections, sockets = [], []
    for words in (line.split() for text in texts for line in text.splitlines()):
        if words and words[0] in _SECTIONS:
            section = _Section(words[0], words[1] if len(words) > 1 else "")
            sections.append(section)
        elif words[:2] == ["stats", "socket"] and len(words) > 2 and words[2].startswith("/"):
            sockets.append(words[2])
        elif words and words[0] in {"server", "server-template"}:
            section.servers += 1
    backends = [one.name for one in sections if one.kind in {"backend", "listen"} and one.servers and one.name]
    return Balancer(tuple(sockets[:1]), tuple(dict.fromkeys(backends))[:MOST_BACKENDS])


def parse_ups_names(text: str) -> tuple[str, ...]:
    """The UPS of NUT's ups.conf."""
    return tuple(_UPS.findall(text))[:MOST_UPS]
