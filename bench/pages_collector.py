"""Serves a store that `pages_store.py` has made, at any later time: its clock goes on from the last moment it knows.

    python bench/pages_collector.py --config FOLDER/collector.toml serve

A store whose evidence ends when it was made is otherwise one whose nodes are all down, a day later.
"""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path

from detak_collector.clocks import Clock, Reading, system_clock
from detak_collector.commands.serve import serve
from detak_collector.commands.session import Session
from detak_collector.operating import logs
from detak_collector.store.sqlite import FILE_NAME
from pages_store import STATE, settled

RESTED_MS = 1_000
"""Between the last moment that is known and the first of now."""


def main() -> None:
    """Serves until it is told to end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("command", choices=["serve"])
    config = parser.parse_args().config
    logs.configure(debug=False)
    serve.main(args=[], obj=Session(config, debug=False, clock=going_on(config.parent)))


def going_on(home: Path) -> Clock:
    """The clock of the collector that the store was made for."""
    made = settled(home).now
    with closing(sqlite3.connect(f"file:{home / STATE / FILE_NAME}?mode=ro", uri=True)) as connection:
        (last,) = connection.execute("SELECT max(to_utc) FROM watch").fetchone()
    system = system_clock()
    begun, passed = system().boottime, last - made.utc + RESTED_MS

    def read() -> Reading:
        since = passed + system().boottime - begun
        return Reading(made.utc + since, made.boottime + since, made.boot)

    return read


if __name__ == "__main__":
    main()
