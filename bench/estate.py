"""Fills a store with a year of an organisation's evidence, as its agents would have delivered it. Seeded.

Each service has ten checks in five groups; each node runs fifty checks, one span a day and check, one clock exchange
an hour. Each service is down two hundred times: by one check, or by both of its databases at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec

from detak_collector.clocks import Reading
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_collector.store.sqlite_database import connect
from detak_wire.messages import CheckSettings, ClockClaim, RunOpening

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
INTERVAL_MS = 5_000
BEGIN_UTC = 1_735_664_400_000
"""2025-01-01 in Jakarta."""

DAYS = 380
"""The year, and half a month that is still running."""

CHECKS_A_NODE = 50
OUTAGES = 200
MEMBERS = ("app-1", "app-2", "app-3", "db-1", "db-2", "net-1", "net-2", "srv-1", "srv-2", "dev-1")
GROUPS = (
    ("network", "all_down", ("net-1", "net-2")),
    ("device", None, ("dev-1",)),
    ("server", "any_down", ("srv-1", "srv-2")),
    ("database", "lowest_member", ("db-1", "db-2")),
    ("application", "all_down", ("app-1", "app-2", "app-3")),
)
ALONE = ("dev-1", "srv-1", "srv-2")
"""Whose failure alone takes the service down."""

OFFSET = BEGIN_UTC - 1_000 * HOUR_MS
"""UTC minus agent time: the hosts had been up for a thousand hours when the year began."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service's check runs."""

    node: int
    check: str


def place(service: int, member: int) -> Place:
    """Members of one group stand on different nodes, each node bearing fifty checks."""
    block, within = divmod(service, CHECKS_A_NODE)
    return Place(block * len(MEMBERS) + member, f"{MEMBERS[member]}-{within:02}")


def catalogue(services: int) -> str:
    """The services.toml of so many services."""
    lines = ['organisation = "Bench"', 'timezone = "Asia/Jakarta"', "target_percent = 0.1"]
    for service in range(services):
        lines += ["", "[[service]]", f'id = "service-{service:04}"', f'name = "Service {service}"']
        lines += ['criticality = "sangat kritis"']
        for category, rule, members in GROUPS:
            checks = [_named(place(service, MEMBERS.index(member))) for member in members]
            lines += ["", "  [[service.group]]", f'  name = "{category}"', f'  category = "{category}"']
            lines += [f'  rule = "{rule}"'] if rule else []
            lines += [f"  members = {checks}".replace("'", '"')]
    return "\n".join(lines) + "\n"


def _named(where: Place) -> str:
    return f"node-{where.node:04}/{where.check}"


def fill(state_directory: Path, services: int, seed: int, now: Reading) -> int:
    """Makes the store and returns how many spans it holds."""
    open_store(state_directory, now).close()
    with closing(connect(state_directory / FILE_NAME)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        filler = _Filler(Random(seed), services)
        for table, columns, rows in filler.tables():
            marks = ", ".join("?" * len(columns.split(",")))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        connection.execute("COMMIT")
        return int(connection.execute("SELECT count(*) FROM span").fetchone()[0])


SPAN = (
    'sequence, run, number, "check", state, first_begin, first_end, last_begin, last_end, samples, largest_gap, '
    "message, recorded_utc"
)
REACH = "run, heard_utc, heard_boottime, heard_boot, heard_agent, alive_reach, reach"

Row = tuple[object, ...]


class _Filler:
    """Makes the rows, table by table."""

    def __init__(self, random: Random, services: int) -> None:
        self._random = random
        self._nodes = -(-services // CHECKS_A_NODE) * len(MEMBERS)
        self._checks: dict[int, list[str]] = {node: [] for node in range(self._nodes)}
        self._failures: dict[tuple[int, str], list[tuple[int, int]]] = {}
        self._texts: dict[str, int] = {}
        self._sequence = 0
        for service in range(services):
            for member in range(len(MEMBERS)):
                where = place(service, member)
                self._checks[where.node].append(where.check)
            self._fail(service)

    def tables(self) -> Iterator[tuple[str, str, Iterator[Row]]]:
        """Every table's name, columns and rows, in the order in which they must be written."""
        words = ["alive", "connection refused", "collector", "boot"]
        for text in (*words, *dict.fromkeys(check for checks in self._checks.values() for check in checks)):
            self._texts[text] = len(self._texts) + 1
        yield "text", "id, text", ((number, text) for text, number in self._texts.items())
        nodes = range(self._nodes)
        yield "node", "id, name, enrolled_utc", ((node + 1, f"node-{node:04}", BEGIN_UTC) for node in nodes)
        yield "run", "sequence, node, run, boot, opening, sent_agent, recorded_utc", (self._run(at) for at in nodes)
        end = 1_000 * HOUR_MS + DAYS * DAY_MS
        numbers = msgspec.json.encode((((1, 1_000_000_000),), ())).decode()
        empty = msgspec.msgpack.encode([])
        yield (
            "open_spans", "run, current, numbers, open",
            ((node + 1, 1, numbers, empty) for node in nodes),
        )  # fmt: skip
        yield (
            "reach", REACH,
            ((node + 1, end + OFFSET, end, self._texts["boot"], end, end, empty) for node in nodes),
        )  # fmt: skip
        self._sequence = self._nodes
        yield "exchange", _EXCHANGE, (row for node in nodes for row in self._exchanges(node))
        yield "span", SPAN, (row for node in nodes for row in self._spans(node))
        stood = (1, "boot", BEGIN_UTC - DAY_MS, BEGIN_UTC + DAYS * DAY_MS, 0, (DAYS + 1) * DAY_MS)
        yield "watch", "id, boot, from_utc, to_utc, from_boottime, to_boottime", iter([stood])

    def _fail(self, service: int) -> None:
        """Two hundred outages in slots of their own, so that each is one."""
        slot = 365 * DAY_MS // OUTAGES
        for at in range(OUTAGES):
            begin = 1_000 * HOUR_MS + at * slot + self._random.randrange(HOUR_MS, slot - HOUR_MS)
            length = self._random.randrange(30_000, 1_200_000)
            failing = self._random.choice([*ALONE, "db"])
            for member in ("db-1", "db-2") if failing == "db" else (failing,):
                where = place(service, MEMBERS.index(member))
                late = self._random.randrange(10_000)
                self._failures.setdefault((where.node, where.check), []).append((begin + late, begin + late + length))

    def _run(self, node: int) -> Row:
        opened = 1_000 * HOUR_MS
        opening = RunOpening(
            boot=f"b007{node:04}",
            opened_agent=opened,
            init_started_agent=1_000,
            agent_version="0.1.0",
            tick_ms=1_000,
            beat_ms=5_000,
            checks=[CheckSettings(check, "tcp", INTERVAL_MS, 3_000) for check in self._checks[node]],
            clock=ClockClaim(opened, opened + OFFSET, 5),
        )
        text = msgspec.json.encode(opening).decode()
        return (node + 1, node + 1, f"{node:032x}", f"b007{node:04}", text, opened, opened + OFFSET)

    def _exchanges(self, node: int) -> Iterator[Row]:
        for hour in range(DAYS * 24):
            self._sequence += 1
            sent = (1_000 + hour) * HOUR_MS + 1_234
            arrived = sent + OFFSET + self._random.randrange(1, 6)
            yield (
                self._sequence, node + 1, 500_000_000 + hour, self._texts["collector"], sent, arrived, arrived + 2,
                sent + 12, arrived + HOUR_MS,
            )  # fmt: skip

    def _spans(self, node: int) -> Iterator[Row]:
        number = 0
        for check in ("alive", *self._checks[node]):
            every = 1_000 if check == "alive" else INTERVAL_MS
            for state, first, last in self._stretches(node, check, every):
                number += 1
                self._sequence += 1
                yield (
                    self._sequence, node + 1, number, self._texts[check], state, first, first + 3, last, last + 3,
                    (last - first) // every + 1, every, self._texts["connection refused"] if state == "down" else None,
                    last + OFFSET + 5_000,
                )  # fmt: skip

    def _stretches(self, node: int, check: str, every: int) -> Iterator[tuple[str, int, int]]:
        """The check's states from sample to sample, cut at each change and each day."""
        begin = 1_000 * HOUR_MS
        end = begin + DAYS * DAY_MS
        cuts = [("up", begin)]
        for failed, over in self._failures.get((node, check), ()):
            cuts += [("down", failed), ("up", over)]
        cuts.append(("", end))
        sample = begin
        for (state, _), (_, until) in pairwise(cuts):
            while sample < until:
                last = min(sample + DAY_MS - every, sample + (until - 1 - sample) // every * every)
                yield state, sample, last
                sample = last + every


_EXCHANGE = "sequence, run, number, collector, sent_agent, arrived_utc, answered_utc, received_agent, recorded_utc"
