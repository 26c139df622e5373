"""The collector with a store that promises too early, to see that the power-loss replay notices.

python bench/power_loss_collector.py normal|off|early --config FILE serve
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from detak_collector.cli import main

FULL = "PRAGMA synchronous = FULL"
ASKED = "PRAGMA synchronous"
FULL_IS = "SELECT 2"
LATE_S = 0.05


class Hurried(sqlite3.Connection):
    """Is asked for synchronous = FULL, sets something less, and says that it is FULL."""

    level = "NORMAL"

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 - as its base has it
        """As sqlite3 says."""
        told = {FULL: f"PRAGMA synchronous = {self.level}", ASKED: FULL_IS}.get(sql, sql)
        return super().execute(told, parameters)


class Careless(Hurried):
    """The same without any sync."""

    level = "OFF"


class Early(sqlite3.Connection):
    """Says that a transaction is committed and commits it a little later, before it does anything else."""

    _late: threading.Timer | None = None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 - as its base has it
        """As sqlite3 says."""
        self._catch_up()
        if sql != "COMMIT":
            return super().execute(sql, parameters)
        self._late = threading.Timer(LATE_S, partial(super().execute, sql))
        self._late.start()
        return self.cursor()

    def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        """As sqlite3 says."""
        self._catch_up()
        return super().executemany(sql, rows)

    def close(self) -> None:
        """As sqlite3 says."""
        self._catch_up()
        super().close()

    def _catch_up(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.join()


STORES: dict[str, type[sqlite3.Connection]] = {"normal": Hurried, "off": Careless, "early": Early}


def weaken(kind: str) -> None:
    """From now on every connection is of this kind."""
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    setattr(sqlite3, "connect", partial(connect, factory=STORES[kind]))  # noqa: B010 - mypy would refuse it


if __name__ == "__main__":
    weaken(sys.argv.pop(1))
    main()
