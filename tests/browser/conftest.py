"""The stores over which whole journeys are made; see `made_store`."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator

import pytest

from browser.made_store import SIZES, Place, served


@pytest.fixture(scope="session")
def small_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with served(tmp_path_factory.mktemp("small"), "small") as made:
        yield made


@pytest.fixture(scope="session")
def large_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with served(tmp_path_factory.mktemp("large"), "large") as made:
        yield made


@pytest.fixture(params=SIZES)
def place(request: pytest.FixtureRequest) -> Place:
    """A collector with people who have signed in: over the small store and, where there is one, the large one."""
    if request.param == "large":
        # What hangs there is ended by the patience of its pages; what is merely slow is to be told, not ended.
        faulthandler.cancel_dump_traceback_later()
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found
