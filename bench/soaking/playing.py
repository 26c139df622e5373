"""Which fault begins when, and when it ends: at random, and none beside another of the same victim."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

RESTARTS_UNTIL = 0.2
"""What share of a run may restart collectors: later on their memory is judged."""

BURST_AT = 0.22
"""Then each collector stands still once as long as it ever does. What all nodes say at once when it goes on is the most
that it ever holds, and a heap keeps that size: it comes before the judged part, so that what grows in that is a leak.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to go wrong. `key` of a victim is what no two faults may have at once; it lasts for some of `hold_s`."""

    name: str
    victims: Sequence[str]
    done_to: Callable[[str], AbstractContextManager[None]]
    hold_s: tuple[float, float]
    key: Callable[[str], str] = str
    only_early: bool = False
    certain_at: float | None = None
    """Once this share of a run is over it befalls each victim, for as long as it ever does; at random too."""


@dataclass(slots=True)
class _Lasting:
    until: float
    mending: ExitStack


@dataclass(slots=True)
class Player:
    """Begins a fault every `every_s` on average, as the chances have it, and ends each in its time."""

    kinds: Sequence[Kind]
    every_s: float
    chance: random.Random
    begun: Counter[str] = field(default_factory=Counter)
    _lasting: dict[str, _Lasting] = field(default_factory=dict)
    _certain: list[tuple[float, Kind, str]] = field(init=False)
    """What is to come yet: from which share of the run on, what, and to whom."""
    _next: float = 0.0

    def __post_init__(self) -> None:
        self._certain = [
            (kind.certain_at, kind, victim)
            for kind in self.kinds
            if kind.certain_at is not None
            for victim in kind.victims
        ]

    def step(self, now: float, share: float) -> None:
        """What is due `now`, when this share of the run is over."""
        for key in [key for key, one in self._lasting.items() if one.until <= now]:
            self._lasting.pop(key).mending.close()
        self._certain = [
            (begins, kind, victim)
            for begins, kind, victim in self._certain
            if share < begins or not self._does(kind, victim, now, kind.hold_s[1])
        ]
        if now >= self._next:
            if self._next:
                self._begin(now, share)
            self._next = now + self.chance.expovariate(1 / self.every_s)

    def mend(self) -> None:
        """All that is still broken."""
        while self._lasting:
            _, one = self._lasting.popitem()
            one.mending.close()

    def _begin(self, now: float, share: float) -> None:
        kind = self.chance.choice([one for one in self.kinds if share < RESTARTS_UNTIL or not one.only_early])
        victim = self.chance.choice(kind.victims)
        self._does(kind, victim, now, self.chance.uniform(*kind.hold_s))

    def _does(self, kind: Kind, victim: str, now: float, hold_s: float) -> bool:
        """Says no where something lasts that it may not be beside."""
        key = kind.key(victim)
        if key in self._lasting:
            return False
        mending = ExitStack()
        mending.enter_context(kind.done_to(victim))
        self._lasting[key] = _Lasting(now + hold_s, mending)
        self.begun[kind.name] += 1
        return True
