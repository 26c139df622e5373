"""What a process holds, how late an idle event loop is, and what of a journal a collector has."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_PAGES_TO_MIB = os.sysconf("SC_PAGE_SIZE") / 1_048_576
IDLE_EVERY_S = 0.1

AT_LEAST, HALF = 100, 500
"""What is held at nine of ten moments at least, as `permille` has it, and what at half of them."""


@dataclass(frozen=True, slots=True)
class Held:
    """By one process; `children` are its descendants, `zombies` those of them that nobody has waited for."""

    rss_mib: float
    threads: int
    descriptors: int
    children: int
    zombies: int


def held(pid: int) -> Held:
    """At this moment."""
    status = Path(f"/proc/{pid}")
    family = list(_descendants(pid))
    return Held(
        rss_mib=int((status / "statm").read_text(encoding="ascii").split()[1]) * _PAGES_TO_MIB,
        threads=len(os.listdir(status / "task")),  # noqa: PTH208 - only their number
        descriptors=len(os.listdir(status / "fd")),  # noqa: PTH208 - as above
        children=len(family),
        zombies=sum(_state(child) == "Z" for child in family),
    )


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                yield int(child)
                yield from _descendants(int(child))


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def has_ended(pid: int) -> bool:
    """Whether a process has ended, though threads of it that the kernel cannot end yet may keep its number."""
    return _state(pid) in {"", "Z", "X"}


def processes_with(variable: str) -> list[str]:
    """The command lines of all processes that have this in their environment, `NAME=value`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if variable.encode() in path.read_bytes().split(b"\0"):
                words = path.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"{path.parent.name} {words}")
    return found


def quarters(values: Sequence[float], share: float) -> tuple[float, float]:
    """What is held in the second quarter and in the last, as `permille` has it."""
    quarter = max(1, len(values) // 4)
    return permille(values[quarter : 2 * quarter] or values, share), permille(values[-quarter:], share)


def permille(values: Sequence[float], share: float) -> float:
    """The value that so many of a thousand do not exceed; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 1_000))] if ordered else 0.0


@dataclass
class Idle:
    """How late the timers of an event loop are that has nothing else to do."""

    late_ms: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    async def run(self) -> None:
        """Until `ended`."""
        while not self.ended.is_set():
            due = time.monotonic() + IDLE_EVERY_S
            await asyncio.sleep(IDLE_EVERY_S)
            self.late_ms.append((time.monotonic() - due) * 1_000)


@contextmanager
def idle_loop() -> Iterator[Idle]:
    """One in a thread, which tells what this machine itself makes wait."""
    idle = Idle()
    thread = threading.Thread(target=lambda: asyncio.run(idle.run()))
    thread.start()
    try:
        yield idle
    finally:
        idle.ended.set()
        thread.join()


def committed(journal: Path) -> set[tuple[str, int]]:
    """Run and number of every closed record that the journal has."""
    query = "SELECT run.run, record.number FROM record JOIN run ON run.id = record.run WHERE number > 0"
    return _pairs(journal, query)


def stored(store: Path) -> set[tuple[str, int]]:
    """The same of what a collector has."""
    each = " UNION ALL ".join(f"SELECT run, number FROM {table}" for table in ("span", "exchange", "gap"))
    return _pairs(store, f"SELECT run.run, fact.number FROM ({each}) AS fact JOIN run ON run.sequence = fact.run")


def alive_spans(store: Path) -> list[tuple[int, int, int]]:
    """The stored spans of the check `alive`, in order: first begin, last end, largest gap, in agent time."""
    query = """
        SELECT first_begin, last_end, largest_gap FROM span
        JOIN text ON text.id = span."check" WHERE text.text = 'alive' ORDER BY first_begin
    """
    with closing(_read_only(store)) as connection:
        return list(connection.execute(query))


def failed_checks(store: Path, numbers: Iterable[int]) -> list[str]:
    """What is stored of those of the checks `check-NUMBER` that were not always up, or degraded."""
    query = """
        SELECT name.text, state, said.text FROM span
        JOIN text AS name ON name.id = span."check" LEFT JOIN text AS said ON said.id = span.message
        WHERE state IN ('down', 'unknown')
    """
    names = {f"check-{number}" for number in numbers}
    with closing(_read_only(store)) as connection:
        return [f"{name} {state}: {said}" for name, state, said in connection.execute(query) if name in names]


def _pairs(path: Path, query: str) -> set[tuple[str, int]]:
    with closing(_read_only(path)) as connection:
        return set(connection.execute(query))


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)
