"""Why the agent is told to stop: alone, or because its machine goes down. Only the service manager knows that."""

from __future__ import annotations

import asyncio
import subprocess

from detak_agent.checks.threads import in_thread
from detak_wire.messages import StopReason

_QUESTION = ("systemctl", "is-system-running")
_ANSWER_WITHIN_S = 1.5
"""A machine that goes down is busy, and the last beat still has to get out before the network is gone."""


async def why_stopping() -> StopReason:
    """`shutdown` only where systemd says so in time: what is not known to be one is read as the agent's own stop."""
    try:
        return reason_of(await asyncio.wait_for(in_thread(_ask), _ANSWER_WITHIN_S))
    except (asyncio.TimeoutError, OSError, subprocess.SubprocessError):
        return "stop"


def reason_of(said: str) -> StopReason:
    """From what systemctl(1) prints: `stopping` from the moment that a poweroff, reboot, halt or kexec begins."""
    return "shutdown" if said.strip() == "stopping" else "stop"


def _ask() -> str:
    asked = subprocess.run(  # noqa: S603 - fixed words
        _QUESTION,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_ANSWER_WITHIN_S,
        check=False,
    )
    return asked.stdout.decode(errors="replace")
