"""The one wrapper that times, isolates and reports every check, whatever the check does.

It must never report `down` for a fault of the agent itself: one that was stopped or starved says `unknown`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from dataclasses import dataclass

from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Probe, Silence, Surroundings
from detak_agent.checks.loading import LoadedProbe, Turns
from detak_agent.clocks import Clock
from detak_agent.memory import let_go
from detak_agent.spans import Sample
from detak_wire import limits
from detak_wire.messages import State

_log = logging.getLogger("detak_agent")

LATE_MS = 250
"""How late a timer of our own may be before a failure is laid to the agent and not to what it checked."""

_PULSE_MS = 50
"""How often a sample that takes long looks whether this process runs at all; a short one never does."""

_UNNOTICED_MS = 20
"""So late a pulse may be on a machine that is well, its timers steered."""

_OWN_FAULTS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EACCES,
        errno.EPERM,
        errno.EADDRNOTAVAIL,
        errno.EAFNOSUPPORT,
    }
)
"""What a system call says when this machine, and not the checked thing, is at fault."""


class Starvation:
    """Remembers when the agent itself did not run, as its ticks tell."""

    def __init__(self, tick_ms: int) -> None:
        self._late_ms = min(LATE_MS, tick_ms // 2)
        self._until = -1
        self._due: int | None = None

    def ticked(self, now: int, next_due: int) -> None:
        """A tick really happened at `now`; the next one is due at `next_due`."""
        if self._due is not None and now - self._due > self._late_ms:
            self._until = now
        self._due = next_due

    def touched(self, begin: int, end: int) -> bool:
        """Whether the agent did not run for a part of this time. A tick that is overdue at `end` counts already."""
        overdue = self._due is not None and end - self._due > self._late_ms
        return overdue or self._until > begin


@dataclass(frozen=True, slots=True)
class Check:
    """A configured check: its settings and its kind."""

    settings: CheckSettings
    kind: Kind


class Sampler:
    """Asks one check, once per call, and always comes back in time with a sample."""

    def __init__(self, check: Check, surroundings: Surroundings, clock: Clock, starvation: Starvation) -> None:
        self.settings = check.settings
        self.values: dict[str, float] = {}
        self._kind = check.kind
        self._surroundings = surroundings
        self._clock = clock
        self._starvation = starvation
        self._probe: Probe | None = None
        self._hanging: asyncio.Future[Outcome] | None = None
        self._logged = ""
        self._stalled_ms = 0

    async def prepare(self, turns: Turns) -> None:
        """Before the first sample: load what it needs, in its turn. What goes wrong with that, the sample will say."""
        with contextlib.suppress(Exception):
            probe = self._built()
            if isinstance(probe, LoadedProbe):
                await turns.take(self._kind.name, lambda: probe.load(self.settings.timeout_ms))

    async def sample(self) -> Sample:
        """One sample. It is never started while an earlier one still hangs."""
        begin = self._clock.begin()
        self._stalled_ms = 0
        if self._hanging is not None and not self._hanging.done():
            outcome = Outcome("unknown", "the check still hangs in an earlier sample")
        else:
            outcome = await self._try(begin)
        end = self._clock.end()
        outcome = self._without_own_fault(outcome, begin, end)
        self.values = dict(outcome.values)
        return Sample(self.settings.name, begin, end, outcome.state, wire_text(outcome.message), _wire_marks(outcome))

    async def _try(self, begin: int) -> Outcome:
        outcome = Outcome("unknown", "not sampled")
        for tries_left in range(self.settings.tries, 0, -1):
            left_ms = self.settings.timeout_ms - (self._clock.begin() - begin)
            if left_ms <= 0:
                break
            outcome = await self._attempt(left_ms // tries_left or 1)
            if outcome.state in {"up", "degraded"} or self._hanging is not None:
                break
        return outcome

    async def _attempt(self, within_ms: int) -> Outcome:
        asked = asyncio.ensure_future(self._ask(within_ms))
        try:
            await self._attend(asked, within_ms)
        except asyncio.CancelledError:
            asked.cancel()
            raise
        if asked.done():
            self._hanging = None
            return self._outcome_of(asked)
        asked.cancel()
        self._hanging = asked
        await asyncio.sleep(0)
        if asked.done():
            self._settle(asked)
        else:
            asked.add_done_callback(self._settle)
        return self._silent(within_ms)

    async def _attend(self, asked: asyncio.Future[Outcome], within_ms: int) -> None:
        """Waits for it, and adds up for how long this process did not run meanwhile.

        That time was not the target's. What has ended by the late pulse is an answer all the same.
        """
        now = self._clock.begin()
        end = now + within_ms
        while not asked.done() and now < end:
            pulse_ms = min(_PULSE_MS, end - now)
            await asyncio.wait({asked}, timeout=pulse_ms / 1_000)
            before, now = now, self._clock.begin()
            late_ms = now - before - pulse_ms
            if late_ms > _UNNOTICED_MS and not asked.done():
                self._stalled_ms += late_ms

    def _has_stalled(self) -> bool:
        """Whether the checked thing was left clearly less time than it is given."""
        return self._stalled_ms > max(_PULSE_MS, min(LATE_MS, self.settings.timeout_ms // 10))

    async def _ask(self, within_ms: int) -> Outcome:
        return await self._built().sample(within_ms)

    def _built(self) -> Probe:
        if self._probe is None:
            self._probe = self._kind.build(self.settings, self._surroundings)
        return self._probe

    def _settle(self, hung: asyncio.Future[Outcome]) -> None:
        if self._hanging is hung:
            self._hanging = None
        if not hung.cancelled() and (error := hung.exception()) is not None:
            let_go(error)

    def _outcome_of(self, asked: asyncio.Future[Outcome]) -> Outcome:
        try:
            return asked.result()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a check does, the others go on
            outcome = self._outcome_after(error)
            let_go(error)
            return outcome

    def _outcome_after(self, error: Exception | asyncio.CancelledError) -> Outcome:
        if isinstance(error, CouldNotCheckError):
            return Outcome("unknown", str(error))
        if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
            return self._silent(self.settings.timeout_ms)
        if isinstance(error, OSError):
            return self._refused(error)
        if isinstance(error, asyncio.CancelledError):
            return Outcome("unknown", "the check gave up by itself")
        return self._unexpected(error)

    def _silent(self, within_ms: int) -> Outcome:
        state: State = "down" if self._kind.silence is Silence.DOWN else "unknown"
        return Outcome(state, f"no answer within {within_ms} ms: {self._kind.silence.value}")

    def _refused(self, error: OSError) -> Outcome:
        of_the_target = self._kind.silence is Silence.DOWN and error.errno not in _OWN_FAULTS
        return Outcome("down" if of_the_target else "unknown", error.strerror or str(error) or type(error).__name__)

    def _unexpected(self, error: Exception) -> Outcome:
        message = f"the check failed: {type(error).__name__}: {error}"
        if message != self._logged:
            self._logged = message
            _log.error("check %s: %s", self.settings.name, wire_text(message))
            _log.debug("check %s", self.settings.name, exc_info=error)
        return Outcome("unknown", message)

    def _without_own_fault(self, outcome: Outcome, begin: int, end: int) -> Outcome:
        """A failure while the agent did not run may be the agent's own; a stretched sample says too little when."""
        stretched = end - begin - self.settings.timeout_ms > LATE_MS
        starved = self._has_stalled() or self._starvation.touched(begin, end)
        failed_while_starved = outcome.state == "down" and starved
        if outcome.state != "unknown" and (stretched or failed_while_starved):
            return Outcome("unknown", f"agent was starved; it had seen: {outcome.message or outcome.state}")
        return outcome


def wire_text(text: str) -> str:
    """The text as the wire takes it: valid Unicode, and no longer than a message may be."""
    clean = text.encode("utf-8", "replace").decode()
    if len(clean) <= limits.MESSAGE_CHARACTERS:
        return clean
    return clean[: limits.MESSAGE_CHARACTERS - 1] + "…"


def _wire_marks(outcome: Outcome) -> dict[str, str]:
    first = list(outcome.marks.items())[: limits.MARKS]
    return {name[: limits.NAME_CHARACTERS]: wire_text(value) for name, value in first}
