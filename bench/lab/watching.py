"""Follows what a collector shows of each service, as a person before its page sees it: for how soon an outage shows."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from lab.truth import now_ms

EVERY_S = 0.25
SHOWN_DOWN = frozenset({"down", "presumed down"})


@dataclass(frozen=True)
class Sight:
    """From `at` on a service was shown in this condition."""

    at: int
    service: str
    condition: str


@dataclass
class Watch:
    """Asks again and again, in a thread of its own, until it is stopped."""

    url: str
    sights: list[Sight] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """From now on."""
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def stop(self) -> None:
        """And wait for its end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self) -> None:
        shown: dict[str, str] = {}
        while not self._stop.wait(EVERY_S):
            with suppress(OSError, ValueError):
                told = conditions(self.url)
                at = now_ms()
                for service, condition in told.items():
                    if shown.get(service) != condition:
                        shown[service] = condition
                        self.sights.append(Sight(at, service, condition))


def conditions(url: str) -> dict[str, str]:
    """What the collector there shows of each service; raises OSError or ValueError where it does not answer."""
    with urllib.request.urlopen(f"{url}/api/v1/services?limit=100", timeout=5) as answer:
        return {one["id"]: one["condition"] for one in json.load(answer)["items"]}


def first_shown(sights: Iterable[Sight], service: str, begin: int, end: int) -> int | None:
    """When it was first shown down in [begin, end), if it was up before."""
    for one in sights:
        if one.service == service and begin <= one.at < end and one.condition in SHOWN_DOWN:
            return one.at
    return None
