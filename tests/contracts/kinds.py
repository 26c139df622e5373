"""What the contract tests call an opened store, whichever kind it is."""

from collections.abc import Callable

from detak_collector.store.parts import Store

OpenStore = Callable[[], Store]
"""Opens one and the same store as often as a test asks."""
