"""The check kind `os`: the health of this machine itself. What it reads is in `machine` and `filesystems`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Annotated, Literal, get_args

from msgspec import Meta

from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.filesystems import Filesystems, Mount, select
from detak_agent.checks.kinds.operating_system.health import Disk, Health, Limit, Limits, judge
from detak_agent.checks.machine import BusyMinute, parse_cpu, parse_load, parse_memory, read_text
from detak_agent.checks.threads import Lane
from detak_agent.clocks import SystemClock

Item = Literal["cpu", "memory", "swap", "load", "disk", "inodes", "read_only", "clock"]
ITEMS: tuple[Item, ...] = get_args(Item)
_ON_DISK = frozenset({"disk", "inodes", "read_only"})
_IN_MEMORY = frozenset({"memory", "swap"})
_OF_PROCESSORS = frozenset({"cpu", "load"})

Percent = Annotated[float, Meta(ge=0, le=100)]
Positive = Annotated[float, Meta(gt=0)]


class OsSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `os`."""

    items: tuple[Item, ...] = ITEMS
    cpu_degraded_percent: Percent = 95.0
    cpu_down_percent: Percent | None = None
    memory_available_degraded_percent: Percent = 5.0
    memory_available_down_percent: Percent | None = None
    swap_degraded_percent: Percent = 90.0
    swap_down_percent: Percent | None = None
    load_per_core_degraded: Positive = 4.0
    load_per_core_down: Positive | None = None
    disk_degraded_percent: Percent = 90.0
    disk_down_percent: Percent | None = 98.0
    inodes_degraded_percent: Percent = 90.0
    inodes_down_percent: Percent | None = 98.0
    clock_error_degraded_ms: Annotated[int, Meta(ge=1)] = 1_000
    filesystems: tuple[str, ...] = ()
    ignore_filesystems: tuple[str, ...] = ()


def problems(settings: OsSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = []
    if not settings.items:
        found.append(("items", "must name at least one item"))
    lists = ("filesystems", "ignore_filesystems")
    relative = [key for key in lists if any(not path.startswith("/") for path in getattr(settings, key))]
    found += [(key, "must be absolute paths of mount points") for key in relative]
    if settings.filesystems and settings.ignore_filesystems:
        found.append(("ignore_filesystems", "has no effect beside filesystems; remove one of the two"))
    for item in ("cpu", "swap", "disk", "inodes"):
        down = getattr(settings, f"{item}_down_percent")
        if down is not None and down < getattr(settings, f"{item}_degraded_percent"):
            found.append((f"{item}_down_percent", f"must not be less than {item}_degraded_percent"))
    if settings.load_per_core_down is not None and settings.load_per_core_down < settings.load_per_core_degraded:
        found.append(("load_per_core_down", "must not be less than load_per_core_degraded"))
    least = settings.memory_available_down_percent
    if least is not None and least > settings.memory_available_degraded_percent:
        found.append(("memory_available_down_percent", "must not be more than memory_available_degraded_percent"))
    return found


def limits(settings: OsSettings) -> Limits:
    """The limits of the items that are asked for; the others have none."""
    of = {
        "cpu": Limit(settings.cpu_degraded_percent, settings.cpu_down_percent),
        "memory": Limit(settings.memory_available_degraded_percent, settings.memory_available_down_percent),
        "swap": Limit(settings.swap_degraded_percent, settings.swap_down_percent),
        "load": Limit(settings.load_per_core_degraded, settings.load_per_core_down),
        "disk": Limit(settings.disk_degraded_percent, settings.disk_down_percent),
        "inodes": Limit(settings.inodes_degraded_percent, settings.inodes_down_percent),
        "clock_ms": Limit(settings.clock_error_degraded_ms),
    }
    return Limits(**{name: limit for name, limit in of.items() if name.removesuffix("_ms") in settings.items})


class OsProbe:
    """Reads in a daemon thread: a hung disk or file server holds up nothing but its own sample."""

    def __init__(self, settings: OsSettings, surroundings: Surroundings, filesystems: Filesystems,
                 clock_error_ms: Callable[[], int | None]) -> None:  # fmt: skip
        self._settings = settings
        self._items = frozenset(settings.items)
        self._limits = limits(settings)
        self._proc = surroundings.root / "proc"
        self._filesystems = filesystems
        self._clock_error_ms = clock_error_ms
        self._busy = BusyMinute()
        self._meant_read_only: frozenset[str] | None = None
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        try:
            return judge(await self._lane.run(self._read, deadline_ms), self._limits)
        except asyncio.TimeoutError:
            hanging = self._filesystems.asking or str(self._proc)
            raise CouldNotCheckError(f"{hanging} hangs: its disk or file server does not answer") from None

    def _read(self) -> Health:
        """Of what the items need; each file costs about as much as a whole check of another kind."""
        items = self._items
        cpu = parse_cpu(read_text(self._proc / "stat")) if items & _OF_PROCESSORS else None
        return Health(
            cpu_percent=self._busy.percent(cpu) if cpu is not None else None,
            cores=cpu.cores if cpu is not None else 1,
            memory=parse_memory(read_text(self._proc / "meminfo")) if items & _IN_MEMORY else None,
            load=parse_load(read_text(self._proc / "loadavg")) if "load" in items else None,
            clock_error_ms=self._clock_error_ms() if "clock" in items else None,
            disks=self._disks() if items & _ON_DISK else (),
        )

    def _disks(self) -> tuple[Disk, ...]:
        mounts = self._filesystems.mounts()
        meant_read_only = self._learn_what_is_meant(mounts)
        mounted = {mount.path for mount in mounts}
        missing = [Disk(path, wrong="is not mounted") for path in self._settings.filesystems if path not in mounted]
        chosen = select(mounts, self._settings.filesystems, self._settings.ignore_filesystems)
        return (*missing, *(self._disk(mount, meant_read_only) for mount in chosen))

    def _learn_what_is_meant(self, mounts: list[Mount]) -> Collection[str]:
        # A filesystem that fstab does not know is meant to be as it was found at first.
        if self._meant_read_only is None:
            found = {mount.path: mount.read_only for mount in mounts}
            meant = {**found, **self._filesystems.meant_read_only()}
            self._meant_read_only = frozenset(path for path, read_only in meant.items() if read_only)
        return self._meant_read_only

    def _disk(self, mount: Mount, meant_read_only: Collection[str]) -> Disk:
        if mount.read_only and mount.path in meant_read_only:
            return Disk(mount.path)
        usage = self._filesystems.usage(mount)
        if isinstance(usage, str):
            return Disk(mount.path, wrong=usage)
        turned = mount.read_only and "read_only" in self._items
        return Disk(mount.path, usage, "is read-only, but should be writable" if turned else "")


def build(settings: OsSettings, surroundings: Surroundings) -> OsProbe:
    """The probe for these settings."""
    clock = SystemClock(surroundings.root)
    return OsProbe(settings, surroundings, Filesystems(surroundings.root), clock.error_ms)


KIND = Kind(
    name="os",
    summary="This machine: processor, memory, swap, load, filesystems and the synchronisation of its clock",
    settings=OsSettings,
    build=build,
    target=lambda _settings: "this machine",
    remote=lambda _settings: False,
    silence=Silence.UNKNOWN,
    problems=problems,
)
