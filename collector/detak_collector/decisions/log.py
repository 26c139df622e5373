"""The rules in force with the corrections that the store has: for a command, or current while a collector serves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from detak_collector.clocks import Clock
from detak_collector.closing.bodies import SEALS
from detak_collector.decisions.corrections import Corrections, known
from detak_collector.decisions.recording import log_of
from detak_collector.rules import Rules
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.parts import Store

AHEAD_MS = 14 * 86_400_000
"""How far ahead windows that recur are laid out while a collector serves; half way there they are laid out anew.

So the status page can tell of all of the next week.
"""


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """What the store's log comes to at any moment."""

    store: Store

    def as_of(self, moment: int, until: int | None = None) -> Corrections:
        """As it was known then; windows that recur are laid out until then, or until `until`."""
        with self.store.database.reading() as connection:
            entries = log_of(connection)
        return known(entries, moment, until)

    def over(self, rules: Rules, now: int) -> Rules:
        """The rules with what is in force and pending now, which can tell how it stood earlier."""
        return replace(rules.under(self.as_of(now)), decided=self)


class CurrentRules:
    """The rules of a serving collector, for now alone: another object only when they say another thing.

    Any thread may ask.
    """

    def __init__(self, store: Store, rules: Callable[[], Rules], clock: Clock) -> None:
        self._store = store
        self._log = DecisionLog(store)
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()
        self._base: Rules | None = None
        self._known: Rules | None = None
        self._corrections = Corrections()
        self._mark = -1
        self._laid_until = 0

    def __call__(self) -> Rules:
        """As of now. While the store cannot be read they stay as they were."""
        with self._lock:
            base, now = self._rules(), self._clock().utc
            try:
                return self._looked(base, now)
            except StoreUnavailableError:
                if self._known is None or self._base is not base:
                    raise
                return self._known

    def _looked(self, base: Rules, now: int) -> Rules:
        mark = self._store.entries.mark()
        is_same = self._base is base and self._mark == mark and now < self._laid_until - AHEAD_MS // 2
        if self._known is not None and is_same:
            return self._known
        until = now + AHEAD_MS
        corrections = self._log.as_of(now, until)
        sealings = self._store.entries.count(SEALS)
        is_news = corrections != self._corrections or self._known is None or self._known.sealings != sealings
        if self._known is None or self._base is not base or is_news:
            self._known, self._corrections = replace(base.under(corrections), sealings=sealings), corrections
        self._base, self._mark, self._laid_until = base, mark, until
        return self._known
