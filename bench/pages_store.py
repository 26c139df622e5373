"""Makes a store that pages are looked at over, in a folder that may be kept: made once, copied for each use.

    python bench/pages_store.py FOLDER [--small] [--seed 1]

The large one takes about eight minutes and 2.2 GB: 200 services, 1,000 nodes and two years, all closed months kept.
`pages_collector.py` serves it at any later time, as if no time had gone by since it was made. Where the code that
derives has changed since, only the months are derived again.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec

from detak_collector.accounts.account import Account, Origin, Session, Stage
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.roles import Role
from detak_collector.clocks import system_clock
from detak_collector.pair.entry import GRANT
from detak_collector.rules import engine
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_collector.store.sqlite_database import connect
from detak_collector.web.session import digest
from ingest_servers import Server, collector
from pages_estate import LARGE, SMALL, Made, Size, catalogue, fill
from pages_load import Reader

COOKIE = "c" * 43
"""That of Budi, who has signed in and may see."""

STATE = "state"
MADE = "made.json"
SERVE = (sys.executable, str(Path(__file__).with_name("pages_collector.py")))
LOOK_S = 1.0
WARM_S = 900.0
"""So long, at most, it is waited until all closed months are kept."""

CONFIGURATION = f"""\
listen = "127.0.0.1:0"
state_directory = "{STATE}"
services = "services.toml"
# The nodes stand still: their evidence ends when the store was made.
down_after_ms = 3600000

[sign_in]
"""


def main() -> int:
    """Makes one where there is none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true", help="four services and a hundred days, in a second")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found_or_made(arguments.folder, arguments.seed, SMALL if arguments.small else LARGE)
    return 0


def found_or_made(home: Path, seed: int, size: Size = LARGE) -> Made:
    """What is in the folder, made where it is not there yet; the large one with all closed months kept.

    What another version of the code has derived is void, and derived again.
    """
    if not (home / MADE).exists():
        home.mkdir(parents=True, exist_ok=True)
        _settle(home, make(home, size, seed))
    made = settled(home)
    if size == LARGE and made.engine != engine().hex():
        _forget_months(home)
        warm(home, min(os.sched_getaffinity(0)), made)
        made = replace(made, engine=engine().hex())
        _settle(home, made)
    return made


def make(home: Path, size: Size, seed: int) -> Made:
    """The store, the configuration, and somebody who has signed in."""
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    begun = time.monotonic()
    (home / "services.toml").write_text(catalogue(size), encoding="utf-8")
    (home / "collector.toml").write_text(CONFIGURATION, encoding="utf-8")
    (home / STATE).mkdir(mode=0o700)
    now = system_clock()()
    made = fill(home / STATE, size, seed, now)
    with closing(open_store(home / STATE, now)) as store:
        store.accounts.add(Account("budi", "Budi", "", Origin.LOCAL, now.utc))
        wish = Wish("budi", Role.VIEWER, "root", Source.MACHINE)
        store.entries.append(GRANT, body_of(wish, withdrawn=False), "root", now.utc)
        session = Session(digest(COOKIE), "budi", Stage.WHOLE, now.utc, now.utc, "127.0.0.1", "bench")
        store.sessions.begin(session, None, 0)
    print(f"{size.services} services, {size.nodes} nodes, {size.days} days, {size.outages} outages of each service: "
          f"{made.spans:,} spans, {made.exchanges:,} clock exchanges, made in {time.monotonic() - begun:.0f} s\n",
          flush=True)  # fmt: skip
    return made


def settled(home: Path) -> Made:
    """What was made there; raises SystemExit where that is not whole."""
    try:
        return msgspec.json.decode((home / MADE).read_bytes(), type=Made)
    except OSError:
        raise SystemExit(f"{home}: no store was made there; python bench/pages_store.py {home} makes one") from None


def _settle(home: Path, made: Made) -> None:
    (home / MADE).write_bytes(msgspec.json.encode(made))


def _forget_months(home: Path) -> None:
    with closing(connect(home / STATE / FILE_NAME)) as connection:
        connection.execute("DELETE FROM derived")


def warm(home: Path, core: int, made: Made) -> None:
    """What happens once in a collector's life, or after an upgrade: all closed months are derived and kept."""
    server = collector(home, core, SERVE)
    try:
        _wait_until_kept(server, home, made.size)
    finally:
        server.end()


def _wait_until_kept(server: Server, home: Path, size: Size) -> None:
    reader, begun = Reader(server.port, COOKIE), time.monotonic()
    first = reader.ask("/")
    reader.close()
    print(f"nothing kept: started in {server.started_s:.1f} s, first status page {first.took_ms / 1_000:.1f} s later")
    # At least so many months are over by then for good.
    wanted = size.days // 31 * size.services
    while (kept := months_kept(home)) < wanted:
        if time.monotonic() > begun + WARM_S:
            raise SystemExit(f"only {kept} of {wanted} months were kept after {WARM_S:.0f} s")
        time.sleep(LOOK_S)
    print(f"all {kept} months of services kept after {time.monotonic() - begun:.0f} s, unasked\n", flush=True)


def months_kept(home: Path) -> int:
    """How many months of services the store keeps."""
    with closing(sqlite3.connect(f"file:{home / STATE / FILE_NAME}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM derived").fetchone()
    return int(count)


if __name__ == "__main__":
    raise SystemExit(main())
