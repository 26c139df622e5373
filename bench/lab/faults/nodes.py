"""Faults of whole nodes, and several things at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack

from detak_agent.clocks import SystemClock
from detak_agent.schedule import next_due
from lab.faults.base import Fault
from lab.faults.network import COLLECTORS
from lab.stage import Lab
from lab.truth import now_ms

_GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, less their whole part, lie evenly between 0 and 1 however many there are."""


def _crash(node: str) -> Callable[[Lab], int]:
    """Crashes lie evenly between two beats: of a few at random, most might come just after one."""

    def inject(lab: Lab) -> int:
        beat_ms = lab.pace.beat_ms
        place = (0.5 + next(lab.crashes) * _GOLDEN) % 1.0
        now = SystemClock().begin() + lab.hosts[node].ahead_s * 1_000 + lab.clocks[node].others_ms
        time.sleep((next_due(node, beat_ms, now) - now + place * beat_ms) / 1_000)
        begin = now_ms()
        lab.hosts[node].crash()
        return begin

    return inject


def _boot(node: str) -> Callable[[Lab], None]:
    return lambda lab: lab.boot(node)


def _shut_down(node: str) -> Callable[[Lab], int]:
    """As systemd does it: what it runs is told to end, the agent first said so, and then nothing is left."""

    def inject(lab: Lab) -> int:
        host = lab.hosts[node]
        (host.folder / "manager").write_text("stopping\n")
        lab.agent(node).kill(signal.SIGTERM)
        begin = now_ms()
        for program in host.programs:
            if program.is_running:
                program.kill(signal.SIGINT if program.user else signal.SIGTERM)
        host.crash()
        (host.folder / "manager").write_text("running\n")
        return begin

    return inject


def _paused(node: str) -> Callable[[Lab], None]:
    return lambda lab: lab.hosts[node].does("sh", "-c", "kill -STOP -1")


def resumed(node: str) -> Callable[[Lab], None]:
    """Every process on it goes on."""

    def heal(lab: Lab) -> None:
        lab.hosts[node].does("sh", "-c", "kill -CONT -1")
        for program in lab.hosts[node].programs:
            program.send(signal.SIGCONT)

    return heal


def _killed_while_cut(lab: Lab) -> int:
    cut_off(lab, "dc2")
    begin = now_ms()
    lab.program("pekerja-dc2").kill()
    return begin


def _started_while_cut(lab: Lab) -> None:
    lab.program("pekerja-dc2").start()
    time.sleep(lab.pace.long_s)
    lab.broken.pop("dc2").close()


def cut_off(lab: Lab, node: str) -> None:
    """From both collectors, and long enough for them to notice."""
    stack = lab.broken[node] = ExitStack()
    stack.enter_context(lab.network.lost(*lab.network.between(these=[node], those=COLLECTORS)))
    time.sleep(lab.pace.long_s)


def _crash_while_cut(node: str) -> Callable[[Lab], int]:
    def inject(lab: Lab) -> int:
        cut_off(lab, node)
        begin = now_ms()
        lab.hosts[node].crash()
        return begin

    return inject


def _boot_while_cut(node: str) -> Callable[[Lab], None]:
    """The network comes back a while after the node."""

    def heal(lab: Lab) -> None:
        lab.boot(node)
        time.sleep(lab.pace.long_s)
        lab.broken.pop(node).close()

    return heal


def _fail_over(lab: Lab) -> int:
    """The active one dies; a little later the standby turns out not to be ready either."""
    lab.hosts["drc1"].program("ganda-drc1").kill()
    time.sleep(lab.pace.long_s)
    begin = now_ms()
    lab.hosts["drc2"].program("ganda-drc2").kill()
    return begin


def _take_over(lab: Lab) -> None:
    lab.hosts["drc2"].program("ganda-drc2").start()
    time.sleep(lab.pace.long_s)
    lab.hosts["drc1"].program("ganda-drc1").start()


NODES = ("dc2", "drc2", "drc1")
ON = {
    "dc2": ("simpul-dc2", "ekspor", "pekerja-dc2", "nama", "berkas"),
    "drc1": ("simpul-drc1", "lapor", "replika"),
    "drc2": ("simpul-drc2", "pekerja-drc2"),
}
DISTURBED = {"dc2": ("dc2",), "drc1": ("drc1", "pair"), "drc2": ("drc2", "pair")}
"""With each of two nodes goes one of the pair that a service rests on: only one of them at a time."""

FAULTS = (
    *(Fault("node crashes", ON[node], _crash(node), _boot(node), DISTURBED[node], "crash", "down: rebooted", 16.0,
            of=node)
      for node in NODES),
    *(Fault("node shut down", ON[node], _shut_down(node), _boot(node), DISTURBED[node], "other", "down: shut down", 4.0,
            of=node)
      for node in NODES),
    Fault("node crashes while cut off", ON["drc2"], _crash_while_cut("drc2"), _boot_while_cut("drc2"),
          DISTURBED["drc2"], None, "down: rebooted"),
    Fault("process killed while cut off", ("pekerja-dc2",), _killed_while_cut, _started_while_cut, ("dc2",), None),
    *(Fault("node stands still", tuple(one for one in ON[node] if not one.startswith("simpul-")), _paused(node),
            resumed(node), (node,), None, "", at_once=True, of=node) for node in ("drc2",)),
    Fault("failover with a gap", ("ganda",), _fail_over, _take_over, ("pair",), "process"),
    Fault("one of two killed", (), lambda lab: lab.hosts["drc1"].program("ganda-drc1").kill(),
          lambda lab: lab.hosts["drc1"].program("ganda-drc1").start(), ("pair",), None),
)  # fmt: skip
