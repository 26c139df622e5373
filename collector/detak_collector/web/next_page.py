"""Where somebody goes after signing in: a page of this collector, whatever the link said that led him here. Pure."""

from __future__ import annotations

import re

HOME = "/"
MOST = 500
PATH = re.compile(r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")


def next_page(asked: str) -> str:
    """The path that was asked for, or the status page where that is no path within this collector."""
    return asked if len(asked) <= MOST and PATH.fullmatch(asked) else HOME


def relative(path: str, depth: int) -> str:
    """A path as a page reaches it that stands so many folders deep: proxies may put a prefix before all of them."""
    return ("../" * depth or "./") + path.removeprefix("/")
