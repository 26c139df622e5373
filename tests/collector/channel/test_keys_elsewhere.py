"""Keys that another collector has given, looked for before a node is refused."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from detak_collector.channel.enrol import Keyring, digest
from detak_collector.channel.keys_elsewhere import LOOK_S, KeysElsewhere
from detak_collector.store.base import StoreUnavailableError
from evidence_builders import NODE

SLOW_S = 0.2


@dataclass
class Elsewhere(Keyring):
    """Keys that are given somewhere else; each look takes a while."""

    given: str = ""
    looks: int = 0
    fails: bool = False

    def __post_init__(self) -> None:
        self._held = ({}, frozenset())

    def refill(self) -> None:
        self.looks += 1
        held = {digest(self.given): NODE}
        time.sleep(SLOW_S)
        if self.fails:
            raise StoreUnavailableError("away")
        self._held = (held, frozenset())


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


async def known(keyring: Keyring, lookup: KeysElsewhere, key: str) -> bool:
    await lookup.look()
    return keyring.holder_of(f"Bearer {key}") is not None


@pytest.mark.asyncio
async def test_all_who_come_while_a_key_is_looked_for_wait_for_it(thread: ThreadPoolExecutor) -> None:
    keyring = Elsewhere("key")
    lookup = KeysElsewhere(keyring, thread)
    assert await asyncio.gather(*(known(keyring, lookup, "key") for _ in range(50))) == [True] * 50
    assert keyring.looks == 1


@pytest.mark.asyncio
async def test_a_key_that_was_given_after_a_look_began_is_found_by_the_next(thread: ThreadPoolExecutor) -> None:
    keyring = Elsewhere("old")
    lookup = KeysElsewhere(keyring, thread)
    begun = time.monotonic()
    first = asyncio.create_task(known(keyring, lookup, "new"))
    await asyncio.sleep(SLOW_S / 2)
    keyring.given = "new"
    assert await known(keyring, lookup, "new")
    assert not await first or time.monotonic() - begun >= LOOK_S
    assert keyring.looks == 2


@pytest.mark.asyncio
async def test_wrong_keys_cost_the_store_one_look_a_second(thread: ThreadPoolExecutor) -> None:
    keyring = Elsewhere("key")
    lookup = KeysElsewhere(keyring, thread)
    begun = time.monotonic()
    for _ in range(3):
        assert not await known(keyring, lookup, "guessed")
    assert time.monotonic() - begun >= 2 * LOOK_S
    assert keyring.looks == 3


@pytest.mark.asyncio
async def test_a_store_that_is_away_is_told_to_all_and_asked_again(thread: ThreadPoolExecutor) -> None:
    keyring = Elsewhere("key", fails=True)
    lookup = KeysElsewhere(keyring, thread)
    told = await asyncio.gather(*(lookup.look() for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [StoreUnavailableError] * 3
    keyring.fails = False
    assert await known(keyring, lookup, "key")
