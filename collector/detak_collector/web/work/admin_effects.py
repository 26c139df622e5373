"""Has the effect of another catalogue derived in a process of its own, one at a time; the latest answers are kept."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
import signal
import sys
from asyncio.subprocess import Process
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field

from detak_collector.deriving.catalogue_effect import Effect, Question
from detak_collector.deriving.life import started_behind
from detak_collector.deriving.process import NotDerivedError
from detak_collector.translation.saying import Saying, saying

COMMAND = (sys.executable, "-P", "-m", "detak_collector.deriving.catalogue_effect_worker")
MOST_KEPT = 8
KEPT_S = 120.0


@dataclass(slots=True)
class Effects:
    """Who asks waits for at most `wait_s`; the process that takes longer is ended."""

    command: tuple[str, ...] = COMMAND
    wait_s: float = 120.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _kept: OrderedDict[str, tuple[float, Effect]] = field(default_factory=OrderedDict, init=False)

    async def of(self, question: Question) -> Effect:
        """The answer, of now or of a moment ago; raises NotDerivedError."""
        asked = pickle.dumps(question, protocol=pickle.HIGHEST_PROTOCOL)
        of_what = pickle.dumps((question.rules, question.other), protocol=pickle.HIGHEST_PROTOCOL)
        key, loop = hashlib.sha256(of_what).hexdigest(), asyncio.get_running_loop()
        async with self._turn:
            known = self._kept.get(key)
            if known is not None and loop.time() - known[0] < KEPT_S:
                return known[1]
            effect = await self._derived(asked)
            self._kept[key] = (loop.time(), effect)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return effect

    async def _derived(self, asked: bytes) -> Effect:
        child = await started_behind(self.command)
        try:
            async with asyncio.timeout(self.wait_s):
                said, _ = await child.communicate(asked)
        except TimeoutError:
            raise NotDerivedError(saying("it was not derived within {number} s", number=round(self.wait_s))) from None
        finally:
            await _ended(child)
        try:
            answer = pickle.loads(said)  # noqa: S301 - from our own child
        except (pickle.UnpicklingError, EOFError) as error:
            raise NotDerivedError(_ended_by(child.returncode)) from error
        if not isinstance(answer, Effect):
            raise NotDerivedError(str(answer))
        return answer


def _ended_by(status: int | None) -> Saying:
    if status is not None and status < 0:
        return saying("the process that derives it was ended by {signal}", signal=signal.Signals(-status).name)
    return saying("the process that derives it ended with {status}", status=str(status))


async def _ended(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
