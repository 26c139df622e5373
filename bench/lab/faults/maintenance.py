"""Planned work: two people take it out of the figure beforehand, and it lasts longer than they said."""

from __future__ import annotations

import re
import signal
import time

from lab.faults.base import Fault
from lab.host import NotDoneError
from lab.stage import Lab
from lab.truth import now_ms

SERVICE = "lapor"
_AHEAD_S = 2
"""The work is announced, and begins this much later, on a full second."""


def _announce(lab: Lab) -> None:
    begin = int(time.time()) + _AHEAD_S
    end = begin + max(2, int(lab.pace.long_s / 2))
    window = ("--from", _instant(begin), "--to", _instant(end))
    words = ("--category", "planned", "--service", SERVICE, *window, "--document", "ND-1", "--reason", "new version")
    told = lab.says("dc", "exclude", "add", *words, "--by", "Ani")
    proposal = re.search(r"proposes (x\d+)", told)
    if proposal is None:
        raise NotDoneError(f"exclude add: {told}")
    lab.says("dc", "exclude", "approve", proposal[1], "--by", "Budi")
    lab.windows.append((SERVICE, begin * 1_000, end * 1_000))


def _stopped_for_work(lab: Lab) -> int:
    _announce(lab)
    begin = now_ms()
    lab.program(SERVICE).kill(signal.SIGTERM)
    return begin


FAULTS = (Fault("planned work overruns", (SERVICE,), _stopped_for_work, lambda lab: lab.program(SERVICE).start()),)


def _instant(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
