"""Which fault begins when, and when it ends: at random, and none beside another of the same victim."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

RESTARTS_UNTIL = 0.2
"""What share of a run may restart collectors: later on their memory is judged."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to go wrong. `key` of a victim is what no two faults may have at once; it lasts for some of `hold_s`."""

    name: str
    victims: Sequence[str]
    done_to: Callable[[str], AbstractContextManager[None]]
    hold_s: tuple[float, float]
    key: Callable[[str], str] = str
    only_early: bool = False


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
    _next: float = 0.0

    def step(self, now: float, share: float) -> None:
        """What is due `now`, when this share of the run is over."""
        for key in [key for key, one in self._lasting.items() if one.until <= now]:
            self._lasting.pop(key).mending.close()
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
        key = kind.key(victim)
        if key in self._lasting:
            return
        mending = ExitStack()
        mending.enter_context(kind.done_to(victim))
        self._lasting[key] = _Lasting(now + self.chance.uniform(*kind.hold_s), mending)
        self.begun[kind.name] += 1
