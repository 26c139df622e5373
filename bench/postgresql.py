"""What a beat and a node-month cost in a PostgreSQL store: processor seconds of the collector and of the server, bytes.

    python bench/postgresql.py [--quick]

The server is a real one on the disk of this machine, durable as the store demands. First the store alone, in commits
of several sizes, also by two collectors that hear each node in turns; then a collector as a process, by HTTP. Costs are
processor seconds: on a machine of few cores the collector, the server and the driver share them, and rates say less.
Ends with `postgresql store_us=… server_us=… beat_us=… wal_bytes=… month_kib=…`.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

import ingest_servers as servers
from detak_collector.store.base import Arrival
from detak_collector.store.parts import Store
from detak_collector.store.postgresql import open_store
from detak_wire.messages import Evidence, Part
from ingest_beats import BEAT_MS, Node, run_of
from ingest_disk import BATCH, HOUR_MS, PLACES, enrol, evidence, growths_of, month, opening, reading, span
from ingest_driver import Fleet
from ingest_estate import Sizes

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from peers.postgresql_server import PASSWORD, Postgres, primary  # noqa: E402 - it lies among the tests

WHOLE = Sizes(nodes=2_048, turns=8, turn_s=10.0, settle_s=0, paced_s=0, days=30, disk_nodes=200)
QUICK = Sizes(nodes=512, turns=2, turn_s=3.0, settle_s=0, paced_s=0, days=30, disk_nodes=10)
COMMITS = (16, 64, 256)
WINDOW = 256
SETTLE_S = 3.0
ASKED = 30
DISK = Path("/var/tmp")
OWNER = "detak"
SETTINGS = """
fsync = on
max_connections = 60
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
"""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Used:
    """Since some moment: processor seconds of this process and of the server, and bytes of write-ahead log."""

    here_s: float
    server_s: float
    wal: int

    def since(self, before: Used) -> Used:
        """What has been used since."""
        return Used(self.here_s - before.here_s, self.server_s - before.server_s, self.wal - before.wal)


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one quiet beat, in microseconds, and in bytes."""

    here_us: float
    server_us: float
    wal_bytes: float


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears beats, in commits of `size`. Of several each hears its own nodes, or all of them in turns."""

    stores: list[Store]
    size: int
    what: str = ""
    in_turns: bool = False

    def by(self, piece: int, beat: int) -> Store:
        """The one that takes this piece of a beat of all nodes."""
        return self.stores[(piece + beat * self.in_turns) % len(self.stores)]


def main() -> None:
    """Measures, and prints what it finds as it goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the same in little, in about a minute")
    sizes = QUICK if parser.parse_args().quick else WHOLE
    with primary(more=SETTINGS, inside=DISK) as server:
        print(f"Python {platform.python_version()}, PostgreSQL {server.value('SHOW server_version')}, ", end="")
        print(f"{os.cpu_count()} cores, nodes of {len(PLACES) - 1} checks\n")
        alone = store_alone(server, sizes)
        together = by_http(server, sizes)
        kib = quiet_month(server, sizes)
    print(
        f"\npostgresql store_us={alone.here_us:.0f} server_us={alone.server_us:.0f} beat_us={together.here_us:.0f} "
        f"wal_bytes={alone.wal_bytes:.0f} month_kib={kib:.0f}"
    )


def store_alone(server: Postgres, sizes: Sizes) -> Costs:
    """Quiet beats into the store, in commits of so many; the costs in the largest."""
    print("the store alone: quiet beats, a microsecond of processor each")
    print(f"{'commits of':<28}{'store':>8}{'server':>8}{'WAL bytes':>11}{'beats/s':>9}")
    with _store(server, "alone") as one, closing(open_store(_url(server, "alone"), reading(0))) as other:
        enrol(one, sizes.nodes)
        _commit(one, [_first(at) for at in range(sizes.nodes)], 0, BATCH)
        beat = 0
        for size in COMMITS:
            costs, beat = _round(server, Hearing([one], size), sizes, beat)
        _, beat = _round(server, Hearing([one, other], size, ", two, each its own"), sizes, beat)
        _round(server, Hearing([one, other], size, ", two, each all in turns", in_turns=True), sizes, beat)
        _asked_of_all_nodes(server, one, sizes)
    return costs


def _round(server: Postgres, hearing: Hearing, sizes: Sizes, beat: int) -> tuple[Costs, int]:
    """The costs of a quiet beat, and the number of the last one."""
    time.sleep(SETTLE_S)
    took_s, here_s, before = 0.0, 0.0, used(server)
    for _ in range(sizes.turns):
        beat += 1
        at_ms = beat * BEAT_MS
        said = [evidence(at, at_ms, Part(run_of(at), None, [], growths_of(0, at_ms))) for at in range(sizes.nodes)]
        begun, cpu = time.monotonic(), time.process_time()
        for at, piece in enumerate(pieces(said, hearing.size)):
            _commit(hearing.by(at, beat), piece, at_ms, hearing.size)
        took_s, here_s = took_s + time.monotonic() - begun, here_s + time.process_time() - cpu
    spent, beats = used(server).since(before), sizes.turns * sizes.nodes
    costs = Costs(1e6 * here_s / beats, 1e6 * spent.server_s / beats, spent.wal / beats)
    print(
        f"{f'{hearing.size}{hearing.what}':<28}{costs.here_us:>8.0f}{costs.server_us:>8.0f}{costs.wal_bytes:>11.0f}"
        f"{beats / took_s:>9.0f}",
        flush=True,
    )
    return costs, beat


def _asked_of_all_nodes(server: Postgres, store: Store, sizes: Sizes) -> None:
    """What each collector asks of the database as long as it serves, whatever comes in."""
    now, registry = reading(HOUR_MS), store.registry
    print(f"\n{'asked by each collector, microseconds a node':<46}{'store':>8}{'server':>8}")
    for what, ask in (
        ("each second: have keys changed", registry.changed_elsewhere),
        ("each 5 s: who was heard, who speaks twice", lambda: (registry.heard(now), registry.several(now))),
        ("at a scrape or `nodes`: what is told of each", lambda: registry.listing(now)),
    ):
        before = used(server)
        for _ in range(ASKED):
            ask()
        spent, nodes = used(server).since(before), ASKED * sizes.nodes
        print(f"{what:<46}{1e6 * spent.here_s / nodes:>8.2f}{1e6 * spent.server_s / nodes:>8.2f}", flush=True)


def pieces(said: list[Evidence], size: int) -> Iterator[list[Evidence]]:
    """So many at a time."""
    return (said[begin : begin + size] for begin in range(0, len(said), size))


def by_http(server: Postgres, sizes: Sizes) -> Costs:
    """A collector on one core; the server and the driver on the others."""
    print(f"\nby HTTP, {WINDOW} requests under way, one in 200 with a change: microseconds of processor a request")
    print(f"{'collector':>9}{'server':>8}{'WAL bytes':>11}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}")
    with tempfile.TemporaryDirectory() as folder:
        password = Path(folder) / "password"
        password.write_text(PASSWORD + "\n", encoding="utf-8")
        password.chmod(0o600)
        _new_database(server, "http")
        place = _url(server, "http").replace(f":{PASSWORD}@", "@")
        home = Path(folder) / "home"
        keys = servers.enrolled(home, sizes.nodes, f'store = "{place}"\nstore_password_file = "{password}"\n')
        return _driven(server, servers.collector(home, min(os.sched_getaffinity(0))), keys, sizes)


def _driven(server: Postgres, collector: servers.Server, keys: list[str], sizes: Sizes) -> Costs:
    agents = [Node(at, key) for at, key in enumerate(keys)]
    fleet = Fleet(collector.port, len(agents))
    try:
        fleet.once(lambda at: agents[at].first(), WINDOW // 4)
        time.sleep(SETTLE_S)
        before, cpu_s = used(server), collector.usage().cpu_s
        outcome = fleet.saturate(lambda at: agents[at].next(), WINDOW, sizes.turn_s)
        spent, cpu_s = used(server).since(before), collector.usage().cpu_s - cpu_s
    finally:
        fleet.close()
        collector.end()
    beats = outcome.statuses[200]
    costs = Costs(1e6 * cpu_s / beats, 1e6 * spent.server_s / beats, spent.wal / beats)
    print(
        f"{costs.here_us:>9.0f}{costs.server_us:>8.0f}{costs.wal_bytes:>11.0f}{outcome.per_second:>8.0f}"
        f"{outcome.quantile_ms(0.5):>8.1f}{outcome.quantile_ms(0.99):>8.1f}",
        flush=True,
    )
    return costs


def quiet_month(server: Postgres, sizes: Sizes) -> float:
    """What a month of a quiet node takes on the server's disk, in KiB."""
    with _store(server, "month") as store:
        enrol(store, sizes.disk_nodes)
        empty = _octets(server, "month")
        for at_ms, said in month(sizes):
            _commit(store, said, at_ms, BATCH)
            store.ledger.append(reading(at_ms).utc, only_due=True)
        server.run("CHECKPOINT")
        with server.connect(database="month") as connection:
            # Room that was given back by beats: as much however long the nodes are quiet.
            connection.execute("VACUUM FULL reach")
            connection.execute("VACUUM FULL open_spans")
            tables = connection.execute(
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 3"
            ).fetchall()
        kib = (_octets(server, "month") - empty) / 1_024 / sizes.disk_nodes
    most = ", ".join(f"{name} {size / 1_024 / sizes.disk_nodes:.0f} KiB" for name, size in tables)
    print(f"\non the disk, a quiet node for {sizes.days} days: {kib:.0f} KiB with all indexes ({most})")
    return kib


def used(server: Postgres) -> Used:
    """By now."""
    assert server.server.process is not None
    first = server.server.process.pid
    wal = int(server.value("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))
    return Used(time.process_time(), sum(_processor_s(one) for one in _family(first)), wal)


def _family(first: int) -> Iterator[int]:
    yield first
    for task in Path(f"/proc/{first}/task").iterdir():
        yield from map(int, (task / "children").read_text(encoding="utf-8").split())


def _processor_s(pid: int) -> float:
    """Of a process and those of its children that have ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, stat[11:15])) / _TICKS


def _commit(store: Store, said: list[Evidence], at_ms: int, size: int) -> None:
    for piece in pieces(said, size):
        outcomes = store.evidence.commit([Arrival(one.node, one, reading(at_ms)) for one in piece])
        refused = [one for one in outcomes if isinstance(one, Exception)]
        assert not refused, refused[0]


def _first(at: int) -> Evidence:
    return evidence(at, 0, Part(run_of(at), opening(), [span(place, 0, 0) for place in PLACES]))


@contextmanager
def _store(server: Postgres, name: str) -> Iterator[Store]:
    _new_database(server, name)
    with closing(open_store(_url(server, name), reading(0))) as store:
        yield store


def _url(server: Postgres, name: str) -> str:
    return f"postgresql://{OWNER}:{PASSWORD}@127.0.0.1:{server.port}/{name}"


def _new_database(server: Postgres, name: str) -> None:
    server.run(f"CREATE DATABASE {name} OWNER {OWNER}")


def _octets(server: Postgres, name: str) -> int:
    return int(server.value(f"SELECT pg_database_size('{name}')"))


if __name__ == "__main__":
    try:
        main()
    except psycopg.Error as error:
        raise SystemExit(f"the server failed: {error}") from error
