"""Who is sent away for being slow, and who is not because the collector was."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from detak_collector.channel import door
from detak_collector.channel.door import Door
from evidence_builders import reading


@dataclass(eq=False, slots=True)
class SlowVisitor:
    """One that is slow whenever it is asked."""

    farewells: list[bytes] = field(default_factory=list)

    def is_slow(self, now_s: float) -> bool:
        return now_s > 0

    def is_stuck(self, _: float) -> bool:
        return False

    def is_idle(self, _: float) -> bool:
        return False

    def turn_away(self, answer: bytes) -> None:
        self.farewells.append(answer)


@pytest.mark.parametrize(("held_up_s", "sent_away"), [(0.0, True), (0.5, False)])
@pytest.mark.asyncio
async def test_nobody_is_sent_away_as_slow_in_the_round_in_which_the_collector_itself_came_late(
    held_up_s: float, sent_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "SWEEP_S", 0.15)
    visitor = SlowVisitor()
    one = Door(lambda: reading(0))
    one.visitors.add(visitor)  # type: ignore[arg-type]
    rounds = asyncio.create_task(one.run())
    await asyncio.sleep(0.05)
    time.sleep(held_up_s)  # noqa: ASYNC251 - it is the loop that is held up
    await asyncio.sleep(0.12)
    rounds.cancel()
    assert bool(visitor.farewells) == sent_away
