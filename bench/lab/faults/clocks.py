"""Faults of clocks: a wall clock that is stepped, and a guest that stood still with its clocks."""

from __future__ import annotations

import signal
from collections.abc import Callable

from lab.faults.base import Fault
from lab.faults.nodes import ON, resumed
from lab.stage import Lab
from lab.truth import now_ms

NODE = "drc2"
STEP_MS = 3_600_000


def _stepped(by_ms: int) -> Callable[[Lab], None]:
    return lambda lab: lab.clocks[NODE].step_wall(by_ms)


def _freeze(lab: Lab) -> None:
    lab.frozen_at = now_ms()
    for program in lab.hosts[NODE].programs:
        program.send(signal.SIGSTOP)
    lab.hosts[NODE].does("sh", "-c", "kill -STOP -1")


def _thaw(lab: Lab) -> None:
    lab.clocks[NODE].stood_still(now_ms() - lab.frozen_at)
    resumed(NODE)(lab)


FAULTS = (
    Fault("clock steps forward", (), _stepped(STEP_MS), _stepped(-STEP_MS), (NODE,), None),
    Fault("clock steps back", (), _stepped(-STEP_MS), _stepped(STEP_MS), (NODE,), None),
    Fault("guest frozen", ON[NODE], _freeze, _thaw, (NODE,), None, "", at_once=True),
)
