"""Fills a store with years of evidence of an organisation's services and nodes, up to a given moment. Seeded.

Each service has ten checks in five groups, on nodes that it shares with one other service; each node runs three checks
more that no service names. One span a day and check, one clock exchange an hour and node. A service fails most often
for minutes and now and then for hours, in the large size a dozen times a year. What all nodes have alike is made by the
database itself, which is ten times as fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec

from detak_collector.channel.enrol import digest
from detak_collector.clocks import Reading
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_collector.store.sqlite_database import connect
from detak_wire.messages import CheckSettings, ClockClaim, RunOpening
from estate import ALONE, DAY_MS, GROUPS, HOUR_MS, INTERVAL_MS, MEMBERS

SERVICES_A_NODE = 2
OPENED_AGENT = 1_000 * HOUR_MS
"""The hosts had been up for a thousand hours when the evidence began."""

TICK_MS = 1_000
WORDS = ("alive", "connection refused", "collector", "boot", "cpu", "disk", "memory")
OTHERS = ("alive", "cpu", "disk", "memory")
"""The checks of every node that no service names."""

KEY = "k" * 64
"""That of the node whose check fails and recovers while the pages are looked at."""

NAMES = ("Impor", "Ekspor", "Manifes", "Perbendaharaan", "Cukai", "Kepatuhan internal", "Pengawasan", "Fasilitas")

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. `services` is even; `outages` are those of each service in all the days."""

    services: int
    days: int
    outages: int

    @property
    def nodes(self) -> int:
        """How many of them bear the services."""
        return self.services // SERVICES_A_NODE * len(MEMBERS)


LARGE = Size(200, 730, 24)
SMALL = Size(4, 100, 12)
"""Made in a second, for what only has to look like the large one."""


@dataclass(frozen=True, slots=True)
class Made:
    """What there is: `begin_utc` is its first moment, `end_agent` the agent time up to which every node has spoken.

    `now` is the moment at which it was made, by the clock of the collector that it is for; `engine` names the code that
    has derived all closed months since, and is empty until they are kept.
    """

    size: Size
    now: Reading
    begin_utc: int
    end_agent: int
    spans: int
    exchanges: int
    engine: str = ""


def node_of(service: int, member: int) -> int:
    """The node that bears a member of a service: all ten stand on different nodes."""
    return service // SERVICES_A_NODE * len(MEMBERS) + member


def check_of(service: int, member: int) -> str:
    """What that check is called on its node."""
    return f"{MEMBERS[member]}-{service % SERVICES_A_NODE}"


def run_of(node: int) -> str:
    """The identity of the run of a node's agent."""
    return f"{node:032x}"


def service_id(service: int) -> str:
    """The id of a service."""
    return f"service-{service:04}"


def catalogue(size: Size) -> str:
    """The services.toml: three in four are counted, half are public."""
    lines = ['organisation = "Direktorat Jenderal Contoh"', 'timezone = "Asia/Jakarta"', "target_percent = 0.1"]
    for service in range(size.services):
        lines += ["", "[[service]]", f'id = "{service_id(service)}"']
        lines += [f'name = "{NAMES[service % len(NAMES)]} {service:03}"']
        lines += [f'criticality = "{"kritis" if service % 4 == 3 else "sangat kritis"}"']
        lines += ["public = true"] if service % 2 == 0 else []
        for category, rule, members in GROUPS:
            named = [f"node-{node_of(service, at):04}/{check_of(service, at)}" for at in map(MEMBERS.index, members)]
            lines += ["", "  [[service.group]]", f'  name = "{category}"', f'  category = "{category}"']
            lines += [f'  rule = "{rule}"'] if rule else []
            lines += [f"  members = {named}".replace("'", '"')]
    return "\n".join(lines) + "\n"


def fill(state_directory: Path, size: Size, seed: int, now: Reading) -> Made:
    """Makes the store as it stands at that moment."""
    open_store(state_directory, now).close()
    with closing(connect(state_directory / FILE_NAME)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        connection.execute("BEGIN")
        filler = _Filler(size, Random(seed), now)
        for table, columns, rows in filler.tables():
            marks = ", ".join("?" * len(columns.split(",")))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        for statement in (_EXCHANGES, _QUIET):
            for node in range(size.nodes):
                connection.execute(statement, filler.named(node))
        connection.execute("COMMIT")
        (spans,) = connection.execute("SELECT count(*) FROM span").fetchone()
        (exchanges,) = connection.execute("SELECT count(*) FROM exchange").fetchone()
        return Made(size, now, filler.begin_utc, filler.end_agent, int(spans), int(exchanges))


_SPAN = (
    'sequence, run, number, "check", state, first_begin, first_end, last_begin, last_end, samples, largest_gap, '
    "message, recorded_utc"
)
_REACH = "run, heard_utc, heard_boottime, heard_boot, heard_agent, alive_reach, reach"
_EXCHANGES = """
    WITH RECURSIVE hour (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM hour WHERE n + 1 < :hours)
    INSERT INTO exchange (sequence, run, number, collector, sent_agent, arrived_utc, answered_utc, received_agent,
        recorded_utc)
    SELECT :exchanges_from + n, :run, 500000000 + n, 3, :opened + n * 3600000 + 1234,
        :opened + :offset + n * 3600000 + 1235 + (n * 7919 + :run) % 5,
        :opened + :offset + n * 3600000 + 1237 + (n * 7919 + :run) % 5,
        :opened + n * 3600000 + 1246, :opened + :offset + (n + 1) * 3600000
    FROM hour
"""
_QUIET = """
    WITH RECURSIVE day (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM day WHERE n + 1 < :days),
        watched (at, text, every) AS (VALUES (0, 1, 1000), (1, 5, 5000), (2, 6, 5000), (3, 7, 5000))
    INSERT INTO span (sequence, run, number, "check", state, first_begin, first_end, last_begin, last_end, samples,
        largest_gap, message, recorded_utc)
    SELECT :quiet_from + at * :days + n, :run, 100000000 + at * :days + n, text, 'up', :opened + n * 86400000,
        :opened + n * 86400000 + 3, :opened + (n + 1) * 86400000 - every, :opened + (n + 1) * 86400000 - every + 3,
        86400000 / every, every, NULL, :opened + :offset + (n + 1) * 86400000
    FROM watched, day
"""


class _Filler:
    """Makes what differs from node to node, and names the numbers of what does not."""

    def __init__(self, size: Size, random: Random, now: Reading) -> None:
        self._size = size
        self._random = random
        self._now = now
        self.begin_utc = now.utc - size.days * DAY_MS - 2_000
        self.end_agent = OPENED_AGENT + size.days * DAY_MS
        self._offset = self.begin_utc - OPENED_AGENT
        checks = dict.fromkeys(
            check_of(service, at) for service in range(SERVICES_A_NODE) for at in range(len(MEMBERS))
        )
        self._texts = {text: at for at, text in enumerate((*WORDS, *checks), start=1)}
        self._failures: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for service in range(size.services):
            self._fail(service)

    def named(self, node: int) -> dict[str, int]:
        """What the two statements are told of a node."""
        days = self._size.days
        quiet, hours = len(OTHERS) * days, days * 24
        first = 100_000_000 + node * (quiet + hours)
        return {
            "run": node + 1, "hours": hours, "days": days, "opened": OPENED_AGENT, "offset": self._offset,
            "exchanges_from": first, "quiet_from": first + hours,
        }  # fmt: skip

    def tables(self) -> Iterator[tuple[str, str, Iterator[Row]]]:
        """Every table's name, columns and rows, in the order in which they must be written."""
        yield "text", "id, text", ((number, text) for text, number in self._texts.items())
        nodes, end = range(self._size.nodes), self.end_agent
        key = digest(KEY)
        yield (
            "node", "id, name, key_hash, enrolled_utc, issued_utc",
            ((at + 1, f"node-{at:04}", None if at else key, self.begin_utc, self.begin_utc) for at in nodes),
        )  # fmt: skip
        yield "run", "sequence, node, run, boot, opening, sent_agent, recorded_utc", (self._run(at) for at in nodes)
        numbers = msgspec.json.encode((((1, 1_000_000_000),), ())).decode()
        empty = msgspec.msgpack.encode([])
        yield "open_spans", "run, current, numbers, open", ((at + 1, 1, numbers, empty) for at in nodes)
        heard = (self._now.utc, self._now.boottime, self._texts["boot"], end, end, empty)
        yield "reach", _REACH, ((at + 1, *heard) for at in nodes)
        yield "span", _SPAN, self._spans()
        stood = (1, "boot", self.begin_utc - DAY_MS, self._now.utc, 0, self._now.utc - self.begin_utc + DAY_MS)
        yield "watch", "id, boot, from_utc, to_utc, from_boottime, to_boottime", iter([stood])

    def _run(self, node: int) -> Row:
        services = range(node // len(MEMBERS) * SERVICES_A_NODE, (node // len(MEMBERS) + 1) * SERVICES_A_NODE)
        own = [check_of(service, node % len(MEMBERS)) for service in services]
        opening = RunOpening(
            boot=f"b007{node:04}",
            opened_agent=OPENED_AGENT,
            init_started_agent=1_000,
            agent_version="0.1.0",
            tick_ms=TICK_MS,
            beat_ms=INTERVAL_MS,
            checks=[
                *(CheckSettings(check, "tcp", INTERVAL_MS, 3_000) for check in own),
                *(CheckSettings(check, "os", INTERVAL_MS, 3_000) for check in OTHERS[1:]),
            ],
            clock=ClockClaim(OPENED_AGENT, OPENED_AGENT + self._offset, 5),
        )
        text = msgspec.json.encode(opening).decode()
        opened = OPENED_AGENT + self._offset
        return (node + 1, node + 1, run_of(node), f"b007{node:04}", text, OPENED_AGENT, opened)

    def _fail(self, service: int) -> None:
        """Its outages lie in slots of their own, so that each is one."""
        slot = self._size.days * DAY_MS // self._size.outages
        for at in range(self._size.outages):
            longest = min(8 * HOUR_MS, slot // 4)
            length = min(int(self._random.lognormvariate(6.0, 1.2)) * 1_000 + 30_000, longest)
            room = min(HOUR_MS, slot // 8)
            begin = OPENED_AGENT + at * slot + self._random.randrange(room, slot - longest - room)
            failing = self._random.choice([*ALONE, "db"])
            for member in ("db-1", "db-2") if failing == "db" else (failing,):
                late = self._random.randrange(10_000)
                failures = self._failures.setdefault((service, MEMBERS.index(member)), [])
                failures.append((begin + late, begin + late + length))

    def _spans(self) -> Iterator[Row]:
        """Those of the members of services."""
        nodes = self._size.nodes
        sequence, numbers = nodes, [0] * nodes
        for service in range(self._size.services):
            for member in range(len(MEMBERS)):
                node, check = node_of(service, member), self._texts[check_of(service, member)]
                for state, first, last in self._stretches(service, member):
                    sequence += 1
                    numbers[node] += 1
                    yield (
                        sequence, node + 1, numbers[node], check, state, first, first + 3, last, last + 3,
                        (last - first) // INTERVAL_MS + 1, INTERVAL_MS, 2 if state == "down" else None,
                        last + self._offset + INTERVAL_MS,
                    )  # fmt: skip

    def _stretches(self, service: int, member: int) -> Iterator[tuple[str, int, int]]:
        """The check's states from sample to sample, cut at each change and each day."""
        cuts = [("up", OPENED_AGENT)]
        for failed, over in self._failures.get((service, member), ()):
            cuts += [("down", failed), ("up", over)]
        cuts.append(("", self.end_agent))
        sample = OPENED_AGENT
        for (state, _), (_, until) in pairwise(cuts):
            while sample < until:
                last = min(sample + DAY_MS - INTERVAL_MS, sample + (until - 1 - sample) // INTERVAL_MS * INTERVAL_MS)
                yield state, sample, last
                sample = last + INTERVAL_MS
