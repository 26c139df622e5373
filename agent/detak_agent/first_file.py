"""The first agent.toml of a node, which `enroll` writes where there is none, so that one pasted line is enough."""

from __future__ import annotations

import contextlib
import grp
import os
from pathlib import Path

from detak_agent.discovery.drafts import AGENT_ACCOUNT
from detak_agent.discovery.toml_text import table

_FOR_THE_AGENT = 0o640
_FOR_ROOT = 0o600
_TEXT = """\
# The agent of this node, as `detak-agent enroll` wrote it. `detak-agent config-check` says whether it is right.
# After a change: `systemctl reload detak-agent`. A file with errors is refused, and the old one goes on.

# This node's name, as the collector and services.toml use it.
{node}

# The collector. For a second one, add a second [[collector]]: each gets everything.
{collector}

# Checks. The check `alive` is there by itself; this one looks at processor, memory, disks and clock.
# `detak-agent discover --config {path}` proposes more, from what runs here.
{check}
"""


def first_text(path: Path, node: str, url: str) -> str:
    """What stands in it: this node, its collector, and the check of its operating system."""
    parts = {
        "node": table("", {"node": node})[1:],
        "collector": table("collector", {"url": url}),
        "check": table("check", {"name": "os", "kind": "os", "interval_ms": 15_000}),
    }
    return _TEXT.format(path=path, **{name: "\n".join(lines) for name, lines in parts.items()})


def write_new(path: Path, text: str) -> None:
    """A file that is not there yet. Raises OSError.

    The agent must be able to read it and, as passwords may come to stand in it, nobody else.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _FOR_ROOT)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
        with contextlib.suppress(KeyError, PermissionError):
            os.fchown(descriptor, -1, grp.getgrnam(AGENT_ACCOUNT).gr_gid)
            os.fchmod(descriptor, _FOR_THE_AGENT)
