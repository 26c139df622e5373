"""What a fault is, and how one is played: broken, left so for a while, mended, and the truth of it told."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from lab.stage import Lab
from lab.truth import Outage, now_ms

LOOK_AGAIN_S = 0.005
_MENDED_WITHIN_S = 60.0

Class = Literal["process", "hang", "crash", "cut", "other"]


@dataclass(frozen=True)
class Fault:
    """One kind. `breaks` are the services that it takes down; `inject` may say since when, in UTC milliseconds.

    `disturbs` are nodes, or `collectors`, whose observation suffers from it while the things themselves go on.
    `shown_as` is what the collector calls such an outage once all evidence is there. `detected` is the class whose
    detection is measured; None: there is nothing to detect in time. `longer_s` is how much longer than others it lasts.
    """

    kind: str
    breaks: tuple[str, ...]
    inject: Callable[[Lab], int | None]
    heal: Callable[[Lab], None]
    disturbs: tuple[str, ...] = ()
    detected: Class | None = "other"
    shown_as: str = "down"
    longer_s: float = 0.0
    at_once: bool = False
    """It is over by the very act that mends it; otherwise it lasts until the thing is seen to work."""

    of: str | None = None
    """Where one kind is done to several things: to which."""

    @property
    def name(self) -> str:
        """Unlike any other's."""
        return f"{self.kind}:{self.of}" if self.of else self.kind

    def touches(self, lab: Lab) -> frozenset[str]:
        """The services that it breaks or whose observation it disturbs."""
        return frozenset(self.breaks) | {service for node in self.disturbs for service in lab.seen_from(node)}


def play(lab: Lab, fault: Fault, hold_s: float) -> list[Outage]:
    """Break, wait, mend; what was down of it. When this returns all of it is well again."""
    begin = now_ms()
    since = fault.inject(lab)
    begun = now_ms()
    time.sleep(hold_s + fault.longer_s)
    ending = now_ms()
    mended = 0
    with ThreadPoolExecutor(1) as healer:
        healing = healer.submit(fault.heal, lab)
        if fault.at_once:
            healing.result()
            mended = now_ms()
        ended = _ends(lab, fault.breaks, ending)
        healing.result()
    if fault.at_once:
        ended = dict.fromkeys(ended, (ending, mended))
    return [
        Outage(service, fault.name, begin if since is None else since, end, begun, last)
        for service, (last, end) in ended.items()
    ]


def _ends(lab: Lab, services: tuple[str, ...], ending: int) -> dict[str, tuple[int, int]]:
    """When each was last seen down, and first seen well."""
    last = dict.fromkeys(services, ending)
    ended: dict[str, tuple[int, int]] = {}
    deadline = time.monotonic() + _MENDED_WITHIN_S
    while len(ended) < len(services):
        for service in services:
            asked = now_ms()
            if service in ended:
                continue
            if lab.is_well(service):
                ended[service] = last[service], now_ms()
            else:
                last[service] = asked
        if time.monotonic() > deadline:
            raise TimeoutError(f"not well again: {', '.join(set(services) - ended.keys())}")
        time.sleep(LOOK_AGAIN_S)
    return ended
