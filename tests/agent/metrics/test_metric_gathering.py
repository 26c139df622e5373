import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.agent_fakes import HandClock, sample, told_check
from detak_agent.checks.filesystems import Filesystems
from detak_agent.checks.registry import REGISTRY
from detak_agent.config import parse
from detak_agent.metrics import gathering
from detak_agent.metrics.gathering import Gatherer
from detak_agent.metrics.latencies import Latencies
from detak_agent.metrics.points import Disks
from detak_agent.metrics.reading import Selection, Source, selections
from detak_agent.metrics.waiting import WaitingPoints
from detak_wire.messages import Metrics

MOUNTS = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /data rw - xfs /dev/sda2 rw\n"


class Rig:
    """A machine that is a folder."""

    def __init__(self, root: Path, filesystems: Filesystems | None = None) -> None:
        self.root = root
        self.clock = HandClock()
        self.latencies = Latencies()
        self.waiting = WaitingPoints()
        self.source = Source(root, root / "state", (Selection(),), filesystems)
        self.gatherer = Gatherer(self.source, self.clock, self.latencies, self.waiting)
        self.found: list[Metrics] = []

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.root / "proc" / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    async def gather(self, after_ms: int = 60_000) -> None:
        self.clock.now += after_ms
        await self.gatherer.gather()

    def points(self) -> list[Metrics]:
        """All that were ever made, as a collector would get them."""
        offer = self.waiting.for_collector("https://a")
        while points := offer.due(self.clock.now):
            self.found += points
            offer.taken(points)
        return self.found


@contextmanager
def hanging() -> Iterator[threading.Event]:
    """Set at the end, so that no thread is left."""
    go = threading.Event()
    try:
        yield go
    finally:
        go.set()


@pytest.mark.asyncio
async def test_a_machine_is_read_and_told(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    (tmp_path / "data").mkdir()
    rig.write(stat="cpu 0 0 0 100 0 0 0 0\ncpu0 0\n", self__mountinfo=MOUNTS, self__statm="9 7 1")
    await rig.gather()
    rig.write(stat="cpu 50 0 0 150 0 0 0 0\ncpu0 0\n", loadavg="0.5 0.4 0.3 1/2 3")
    rig.latencies.add(sample(1, took=5), {"latency_ms": 3.25})
    await rig.gather()
    (found,) = rig.points()
    assert (found.interval_ms, found.cpu_percent, found.load_1, found.memory_used_percent) == (60_000, 50.0, 0.5, None)
    assert found.disk_used_percent.keys() == {"/", "/data"}
    assert found.agent_memory_bytes == 7 * os.sysconf("SC_PAGE_SIZE")
    assert found.latency_ms == {"db": (3.2, 3.2)}


@pytest.mark.asyncio
async def test_a_machine_without_proc_is_told_as_one_of_which_nothing_is_known(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.write(stat="nonsense", meminfo="MemTotal: 0 kB\n", diskstats="8 0 sda x\n", net__dev="a\nb\n eth0: 1\n")
    await rig.gather()
    await rig.gather()
    assert rig.points() == [Metrics(rig.clock.now, 60_000)]


@pytest.mark.asyncio
async def test_a_filesystem_that_hangs_costs_the_filesystems_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "DEADLINE_MS", 100)
    with hanging() as go:

        def statvfs(path: Path) -> os.statvfs_result:
            go.wait(30)
            return os.statvfs(path)

        rig = Rig(tmp_path, Filesystems(tmp_path, statvfs))
        rig.write(loadavg="0.5 0.4 0.3 1/2 3", self__mountinfo="1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
        for _ in range(3):
            await rig.gather()
        assert [(point.load_1, point.disk_used_percent) for point in rig.points()] == [(0.5, {}), (0.5, {})]
        go.set()
        while not rig.points()[-1].disk_used_percent:
            await rig.gather()


@pytest.mark.asyncio
async def test_a_reading_that_fails_costs_its_point_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Source):
        def disks(self) -> Disks:
            raise ZeroDivisionError("oh")

    rig = Rig(tmp_path)
    rig.gatherer = Gatherer(Failing(tmp_path, tmp_path, ()), rig.clock, rig.latencies, rig.waiting)
    for _ in range(3):
        await rig.gather()
    assert [record.message for record in caplog.records] == ["no metrics: ZeroDivisionError: oh"]


@pytest.mark.asyncio
async def test_points_come_at_the_pace_that_is_configured_and_the_first_has_time_behind_it(tmp_path: Path) -> None:
    rig, slept = Rig(tmp_path), asyncio.Event()

    async def sleep_until(due: int) -> None:
        rig.clock.now = due
        if len(rig.points()) >= 4:
            slept.set()
            await asyncio.sleep(60)

    task = asyncio.ensure_future(rig.gatherer.run(10_000, sleep_until))
    await asyncio.wait_for(slept.wait(), 20)
    task.cancel()
    first, *later = [point.interval_ms for point in rig.points()]
    assert 5_000 <= first <= 15_000
    assert later == [10_000, 10_000, 10_000]


def test_the_filesystems_of_every_os_check_are_watched_and_all_where_there_is_none() -> None:
    text = """
    node = "n"
    [[collector]]
    url = "http://127.0.0.1:1"
    [[check]]
    name = "a"
    kind = "os"
    filesystems = ["/data"]
    [[check]]
    name = "b"
    kind = "os"
    ignore_filesystems = ["/tmp"]
    """
    settings = [check.settings for check in parse(text, REGISTRY).checks]
    assert selections(settings) == (Selection(wanted=("/data",)), Selection(ignored=("/tmp",)))

    async def never() -> None: ...

    assert selections([told_check(never).settings]) == (Selection(),)  # type: ignore[arg-type]


def test_the_journal_is_as_large_as_its_files(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    source = Source(tmp_path, state, ())
    assert source.disks().journal_bytes is None
    (state / "journal.db").write_bytes(b"1" * 100)
    (state / "journal.db-wal").write_bytes(b"1" * 11)
    assert source.disks().journal_bytes == 111


def test_a_mount_point_that_is_no_text_has_a_label_nevertheless(tmp_path: Path) -> None:
    proc = tmp_path / "proc/self"
    proc.mkdir(parents=True)
    (proc / "mountinfo").write_bytes(b"1 0 8:1 / /\xff rw - ext4 /dev/sda1 rw\n")
    (tmp_path / os.fsdecode(b"\xff")).mkdir()
    assert list(Source(tmp_path, tmp_path, (Selection(),)).disks().usages) == ["/?"]
