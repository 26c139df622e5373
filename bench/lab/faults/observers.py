"""Faults of those who look: agents and collectors. The things themselves go on, and no outage may come of it."""

from __future__ import annotations

import signal
from collections.abc import Callable

from lab.faults.base import Fault
from lab.stage import SIDES, Lab, answers


def _agent_ends(node: str, number: signal.Signals) -> Callable[[Lab], None]:
    return lambda lab: lab.agent(node).kill(number)


def _agent_starts(node: str) -> Callable[[Lab], None]:
    return lambda lab: lab.agent(node).start()


def _agent_told(node: str, number: signal.Signals) -> Callable[[Lab], None]:
    return lambda lab: lab.agent(node).send(number)


def _upgraded(lab: Lab) -> None:
    lab.agent("drc1").kill(signal.SIGTERM)
    lab.agent("drc1").start()


def _nothing(_lab: Lab) -> None:
    pass


def _collectors(number: signal.Signals, *sides: str) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        for side in sides:
            if number in {signal.SIGKILL, signal.SIGTERM}:
                lab.collector(side).kill(number)
            else:
                lab.collector(side).send(number)

    return act


def _collectors_start(*sides: str) -> Callable[[Lab], None]:
    def heal(lab: Lab) -> None:
        for side in sides:
            lab.collector(side).start()
        for side in sides:
            answers(lab, side)

    return heal


BOTH = tuple(SIDES)
EVERYBODY = ("collectors",)

FAULTS = (
    *(Fault("agent killed", (), _agent_ends(node, signal.SIGKILL), _agent_starts(node), (node,), None, of=node)
      for node in ("dc1", "dc2")),
    Fault("agent stopped", (), _agent_ends("drc2", signal.SIGTERM), _agent_starts("drc2"), ("drc2",), None),
    Fault("agent upgraded", (), _upgraded, _nothing, ("drc1",), None),
    Fault("agent reloaded", (), _agent_told("dc2", signal.SIGHUP), _nothing, ("dc2",), None),
    *(Fault("agent starved", (), _agent_told(node, signal.SIGSTOP), _agent_told(node, signal.SIGCONT), (node,), None,
            of=node) for node in ("dc1", "drc1")),
    *(Fault("collector killed", (), _collectors(signal.SIGKILL, side), _collectors_start(side), EVERYBODY, None,
            of=side)
      for side in BOTH),
    Fault("collector stands still", (), _collectors(signal.SIGSTOP, "dc"), _collectors(signal.SIGCONT, "dc"), EVERYBODY,
          None),
    Fault("both collectors killed", (), _collectors(signal.SIGKILL, *BOTH), _collectors_start(*BOTH), EVERYBODY, None),
)  # fmt: skip
