"""The zones that a name server's configuration names: BIND's and NSD's. Pure; `read` is handed in."""

from __future__ import annotations

import re
from collections.abc import Callable

from detak_agent.discovery.facts import RunningProcess

Read = Callable[[str], str]
"""The text of a file, empty where it cannot be read."""

MOST_FILES = 100
MOST_ZONES = 50

_COMMENTS = re.compile(r"/\*.*?\*/|(?://|#)[^\n]*", re.DOTALL)
_BIND_ZONE = re.compile(r'\bzone\s+"?([^"\s{;]+)"?\s+(?:IN\s+)?\{([^}]*)', re.IGNORECASE)
_BIND_OWN = re.compile(r"\btype\s+(?:master|primary|slave|secondary)\b")
_BIND_INCLUDE = re.compile(r'\binclude\s+"([^"]+)"')
_NSD_ZONE = re.compile(r'^\s*zone:\s*\n(?:\s*(?!zone:)[a-z-]+:[^\n]*\n)*?\s*name:\s*"?([^"\s]+)', re.MULTILINE)
_NSD_INCLUDE = re.compile(r'^\s*include:\s*"?([^"\n]+)"?', re.MULTILINE)
_EVERYBODYS = re.compile(r"^(\.|localhost|.*\.(?:in-addr|ip6)\.arpa)$", re.IGNORECASE)
"""The root and the zones that distributions set up on every server."""


def zones_of_bind(process: RunningProcess, read: Read) -> tuple[str, ...]:
    """In the order of the files, without those that every server has."""
    chroot = _option(process, "-t").rstrip("/")
    named = _option(process, "-c")
    texts = []
    for path in [named] if named else ["/etc/bind/named.conf", "/etc/named.conf"]:
        texts += _with_includes(chroot + path, _BIND_INCLUDE, lambda one: _COMMENTS.sub("", read(one)), chroot)
    zones = [name for text in texts for name, body in _BIND_ZONE.findall(text) if _BIND_OWN.search(body)]
    return _own(zones)


def zones_of_nsd(process: RunningProcess, read: Read) -> tuple[str, ...]:
    """Likewise."""
    path = _option(process, "-c") or "/etc/nsd/nsd.conf"
    return _own([name for text in _with_includes(path, _NSD_INCLUDE, read) for name in _NSD_ZONE.findall(text)])


def _own(zones: list[str]) -> tuple[str, ...]:
    unique = dict.fromkeys(zone.rstrip(".").lower() or "." for zone in zones)
    return tuple(zone for zone in unique if not _EVERYBODYS.match(zone))[:MOST_ZONES]


def _with_includes(path: str, include: re.Pattern[str], read: Read, chroot: str = "") -> list[str]:
    """The texts of the file and of all that it includes; those that are relative are looked for beside it."""
    texts: dict[str, str] = {}
    left = [path]
    while left and len(texts) < MOST_FILES:
        one = left.pop(0)
        if one not in texts:
            texts[one] = read(one)
            found = include.findall(texts[one])
            left += [chroot + name if name.startswith("/") else f"{one.rpartition('/')[0]}/{name}" for name in found]
    return list(texts.values())


def _option(process: RunningProcess, option: str) -> str:
    """The value of a short option, written apart from it or joined to it."""
    words = list(process.arguments)
    for at, word in enumerate(words):
        if word == option and at + 1 < len(words):
            return words[at + 1]
        if word.startswith(option) and len(word) > len(option) and not word.startswith("--"):
            return word[len(option) :]
    return ""
