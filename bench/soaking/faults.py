"""What goes wrong during a soak, and to whom.

A fault is mended where it ends, and not where the soak is broken off: then nothing is to be started again.
"""

from __future__ import annotations

import http.client
import random
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from soaking.playing import BURST_AT, Kind
from soaking.simulated import Simulated
from soaking.stand import SIDES, Stand

MODES = ("error", "wrong", "slow 1500", "slow 6000", "hang")
STRANGERS = 20
GARBAGE = (b"", b"{", b"[" * 5_000, b'{"protocol": 1}', bytes(range(256)))
STRANGERS_WAIT_S = 1.0


def kinds(stand: Stand, simulated: Simulated, chance: random.Random) -> list[Kind]:
    """All of them. The agents of lasting nodes are stopped, and never killed."""
    applications = [f"app-{node}" for node in stand.nodes]
    restless = [node for node in stand.nodes if node not in stand.sizes.lasting]
    links = [f"{node}-{side}" for node in stand.nodes for side in SIDES]

    def some() -> list[int]:
        return chance.sample(range(simulated.count), max(1, simulated.count // 20))

    every = [
        Kind("application killed", applications, lambda name: killed(stand, name), (1, 30)),
        Kind("application stopped", applications, lambda name: stopped(stand, name), (6, 30)),
        Kind("application misbehaves", stand.nodes, lambda node: told(stand, node, chance.choice(MODES)), (6, 40),
             lambda node: f"app-{node}"),
        Kind("agent killed", restless, lambda name: killed(stand, name), (0, 30)),
        Kind("agent stopped", stand.nodes, lambda name: stopped(stand, name), (2, 40)),
        Kind("agent cut off from one collector", links, lambda name: cut(stand, name), (5, 90)),
        Kind("agent cut off", stand.nodes, lambda node: cut(stand, *(f"{node}-{side}" for side in SIDES)), (5, 90),
             lambda node: f"{node}-dc"),
        Kind("pair cut", ["drc-dc,dc-drc", "drc-dc", "dc-drc"], lambda names: cut(stand, *names.split(",")), (5, 90),
             lambda _: "pair"),
        Kind("collector stopped", SIDES, lambda name: stopped(stand, name), (1, 15), certain_at=BURST_AT),
        Kind("collector killed", SIDES, lambda name: killed(stand, name), (0, 30), only_early=True),
        Kind("simulated nodes silent", ["silent"], lambda _: simulated.silent(some()), (30, 300)),
        Kind("answers to simulated nodes lost", ["deaf"], lambda _: simulated.deaf(some()), (5, 60)),
        Kind("strangers knock", SIDES, lambda side: strangers(stand, side, chance), (0, 1), lambda side: f"at {side}"),
    ]  # fmt: skip
    return [one for one in every if one.victims]


@contextmanager
def killed(stand: Stand, name: str) -> Iterator[None]:
    """It is gone meanwhile, by SIGKILL, and started again."""
    stand.processes[name].kill()
    yield
    stand.processes[name].start()


@contextmanager
def stopped(stand: Stand, name: str) -> Iterator[None]:
    """It stands still meanwhile."""
    stand.processes[name].send(signal.SIGSTOP)
    yield
    stand.processes[name].send(signal.SIGCONT)


@contextmanager
def told(stand: Stand, node: str, words: str) -> Iterator[None]:
    """Its application behaves like that meanwhile."""
    stand.tell(node, words)
    yield
    stand.tell(node, "ok")


@contextmanager
def cut(stand: Stand, *names: str) -> Iterator[None]:
    """Nothing gets through these links meanwhile."""
    for name in names:
        stand.links[name].cut()
    yield
    for name in names:
        stand.links[name].heal()


@contextmanager
def strangers(stand: Stand, side: str, chance: random.Random) -> Iterator[None]:
    """Evidence of nobody, and no evidence at all: none of it may be taken."""
    with suppress(OSError, http.client.HTTPException):
        for _ in range(STRANGERS):
            status = _knock(stand.ports[side], chance)
            if status < 400:
                stand.flaws.append(f"{side} answered a stranger with {status}")
    yield


def _knock(port: int, chance: random.Random) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=STRANGERS_WAIT_S)) as connection:
        head = {"Authorization": f"Bearer {chance.randbytes(24).hex()}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/evidence", chance.choice(GARBAGE), head)
        return connection.getresponse().status


def restart(stand: Stand, side: str) -> None:
    """A collector is killed once more, and serves again when this returns; raises NotDoneError."""
    with killed(stand, side):
        pass
    stand.answers(side)
