"""Sends what waits in the outbox: each mail by itself, and what became of it is recorded before the next one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from detak_collector.mail.letter import CLOSED, Letter, Standing, next_try
from detak_collector.mail.smtp import LaterError, Line, RefusedError, Server, ServerError, UnansweredError, line
from detak_collector.store.outbox import SqlOutbox

MOST_ON_ONE_LINE = 50
"""So many mails go over one connection: servers end a longer one."""

MOST_BROKEN = 3
"""So many connections that broke one after the other are the server's trouble, and no longer that of one mail."""

LEAST_PAUSE_S = 0.05
NEWS_MS = 500
"""So soon it is looked again for a mail that another process sends."""


@dataclass(slots=True)
class Round:
    """What came of going through the outbox, by the keys of the mails. `trouble`: why the server takes none at all."""

    found: dict[str, Letter] = field(default_factory=dict)
    trouble: str = ""

    def of(self, *standings: Standing) -> list[Letter]:
        """Those that stand so."""
        return [one for one in self.found.values() if one.standing in standings]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outbox, the server that takes what is in it, and for how long a mail is tried. `now`: UTC milliseconds.

    `is_stopped` is asked before each mail.
    """

    outbox: SqlOutbox
    server: Server
    give_up_ms: int
    now: Callable[[], int]
    is_stopped: Callable[[], bool] = lambda: False

    def round(self) -> Round:
        """Tries once all that is due. Raises StoreError; whatever the server does is in the result."""
        self.outbox.settle(self.now())
        done, keys, broken = Round(), self.outbox.due(self.now()), 0
        while keys and not self.is_stopped():
            before = len(keys)
            try:
                with line(self.server) as spoken:
                    self._over(spoken, keys, done)
            except ServerError as error:
                broken += 1
                if len(keys) == before or broken == MOST_BROKEN:
                    self._put_off(keys, str(error), done)
                    return done
            else:
                broken = 0
        return done

    def rounds(self, keys: Collection[str], wait_s: float, pause: Callable[[float], None] = time.sleep) -> Round:
        """The same again, for so long, until none of these mails waits any more or is being sent by another process."""
        until, whole = self.now() + int(wait_s * 1_000), Round()
        while True:
            done = self.round()
            whole.found.update(done.found)
            whole.trouble = done.trouble
            due = self._next_look(keys)
            if due is None or due > until:
                return whole
            pause(max(LEAST_PAUSE_S, (due - self.now()) / 1_000))

    def _next_look(self, keys: Collection[str]) -> int | None:
        """When there may be news of one of these mails; None where none is to be expected."""
        open_ = [one for one in self.outbox.with_keys(keys) if one.standing not in CLOSED]
        soon = self.now() + NEWS_MS
        return min((one.due_utc if one.standing is Standing.WAITING else soon for one in open_), default=None)

    def _over(self, spoken: Line, keys: list[str], done: Round) -> None:
        """Sends over one connection what it takes; what was tried leaves `keys`. Raises ServerError where it broke."""
        for _ in range(min(len(keys), MOST_ON_ONE_LINE)):
            if self.is_stopped():
                return
            taken = self.outbox.claim(keys.pop(0), self.now())
            if taken is not None and not self._send(spoken, *taken, done):
                return

    def _send(self, spoken: Line, letter: Letter, proof: str, done: Round) -> bool:
        """Whether another mail may go over the same connection."""

        def may_hand_over() -> bool:
            return self.outbox.hand_over(letter, proof, self.now())

        try:
            said = spoken.send(letter.recipient, letter.content, may_hand_over)
        except RefusedError as error:
            self._close(letter, proof, Standing.REFUSED, str(error), done)
        except UnansweredError as error:
            self._close(letter, proof, Standing.UNSURE, str(error), done)
            return False
        except LaterError as error:
            self._later(letter, proof, str(error), done)
        except ServerError as error:
            self._later(letter, proof, str(error), done)
            raise
        else:
            self._close(letter, proof, Standing.SENT, said, done)
        return True

    def _put_off(self, keys: list[str], said: str, done: Round) -> None:
        done.trouble = said
        for key in keys:
            taken = self.outbox.claim(key, self.now())
            if taken is not None:
                self._later(*taken, said, done)

    def _later(self, letter: Letter, proof: str, said: str, done: Round) -> None:
        due = next_try(letter.tries, letter.made_utc, self.now(), self.give_up_ms)
        if due is None:
            self._close(letter, proof, Standing.REFUSED, f"given up: {said}", done)
            return
        self.outbox.wait(letter.key, proof, due, said, self.now())
        done.found[letter.key] = replace(letter, standing=Standing.WAITING, due_utc=due, said=said)

    def _close(self, letter: Letter, proof: str, standing: Standing, said: str, done: Round) -> None:
        self.outbox.close(letter.key, proof, standing, said, self.now())
        done.found[letter.key] = replace(letter, standing=standing, said=said)
