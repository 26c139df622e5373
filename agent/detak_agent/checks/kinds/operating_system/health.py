"""Whether a machine is well: pure. Readings and limits go in, a state and the words for it come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Literal

from detak_agent.checks.base import Outcome
from detak_agent.checks.filesystems import Usage
from detak_agent.checks.machine import Load, Memory

_UNITS = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"))


@dataclass(frozen=True, slots=True)
class Limit:
    """From where on something is degraded, and from where on it is down; None is never."""

    degraded: float | None = None
    down: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of each item; those of available memory are the least that is well, all others the most."""

    cpu: Limit = Limit()
    memory: Limit = Limit()
    swap: Limit = Limit()
    load: Limit = Limit()
    disk: Limit = Limit()
    inodes: Limit = Limit()
    clock_ms: Limit = Limit()


@dataclass(frozen=True, slots=True)
class Disk:
    """One filesystem. `wrong` says what makes it unusable, whatever its usage."""

    path: str
    usage: Usage | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """One reading of what was asked for. `cpu_percent` needs an earlier one, the clock's error somebody who sets it."""

    cpu_percent: float | None = None
    cores: int = 1
    memory: Memory | None = None
    load: Load | None = None
    clock_error_ms: int | None = None
    disks: tuple[Disk, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    state: Literal["degraded", "down"]
    text: str


def judge(health: Health, limits: Limits) -> Outcome:
    """The worst finding decides; all are named, the worst first."""
    found = sorted(_findings(health, limits), key=lambda finding: finding.state == "degraded")
    state = found[0].state if found else "up"
    message = "; ".join(finding.text for finding in found) or _summary(health)
    return Outcome(state, message, values=_values(health))


def _findings(health: Health, limits: Limits) -> Iterator[Finding]:
    for disk in health.disks:
        yield from _of_disk(disk, limits)
    if health.cpu_percent is not None:
        yield from _over("processors {0} % busy over the last minute", health.cpu_percent, limits.cpu)
    if health.memory is not None:
        yield from _under_memory(health.memory, limits.memory)
        yield from _over("swap {0} % used", health.memory.swap_used_percent, limits.swap, " %")
    if health.load is not None:
        yield from _over("load {0} for each of the processors", health.load.five / health.cores, limits.load, "")
    yield from _of_clock(health.clock_error_ms, limits.clock_ms)


def _of_disk(disk: Disk, limits: Limits) -> Iterator[Finding]:
    if disk.wrong:
        yield Finding("down", f"{disk.path} {disk.wrong}")
    if disk.usage is not None:
        left = size(disk.usage.free_bytes)
        yield from _over(f"{disk.path} {{0}} % full, {left} left", disk.usage.used_percent, limits.disk)
    if disk.usage is not None and disk.usage.inodes_percent is not None:
        left = f"room for {disk.usage.free_inodes} more files"
        yield from _over(f"{disk.path} {{0}} % of its inodes used, {left}", disk.usage.inodes_percent, limits.inodes)


def _over(words: str, value: float, limit: Limit, unit: str = " %") -> Iterator[Finding]:
    if limit.down is not None and value >= limit.down:
        yield Finding("down", f"{words.format(tenths(value))} (limit {limit.down:g}{unit})")
    elif limit.degraded is not None and value >= limit.degraded:
        yield Finding("degraded", f"{words.format(tenths(value))} (limit {limit.degraded:g}{unit})")


def _under_memory(memory: Memory, limit: Limit) -> Iterator[Finding]:
    value = memory.available_percent
    words = f"only {tenths(value)} % of the memory available, {size(memory.available * 1_024)}"
    if limit.down is not None and value <= limit.down:
        yield Finding("down", f"{words} (limit {limit.down:g} %)")
    elif limit.degraded is not None and value <= limit.degraded:
        yield Finding("degraded", f"{words} (limit {limit.degraded:g} %)")


def _of_clock(error_ms: int | None, limit: Limit) -> Iterator[Finding]:
    if limit.degraded is None:
        return
    if error_ms is None:
        yield Finding("degraded", "the clock is not synchronised: is chrony, ntpd or systemd-timesyncd at work?")
    elif error_ms >= limit.degraded:
        yield Finding("degraded", f"the clock may be {error_ms} ms wrong (limit {limit.degraded:g} ms)")


def _summary(health: Health) -> str:
    parts = [] if health.cpu_percent is None else [f"processors {tenths(health.cpu_percent)} % busy"]
    if health.memory is not None:
        parts.append(f"memory {tenths(health.memory.available_percent)} % available")
    elif health.load is not None:
        parts.append(f"load {tenths(health.load.five)}")
    used = [(disk.usage.used_percent, disk.path) for disk in health.disks if disk.usage is not None]
    if used:
        percent, path = max(used)
        parts.append(f"fullest disk {path} {tenths(percent)} %")
    return ", ".join(parts) or "well"


def _values(health: Health) -> dict[str, float]:
    values: dict[str, float] = {}
    if health.memory is not None:
        values["memory_available_percent"] = health.memory.available_percent
        values["swap_used_percent"] = health.memory.swap_used_percent
    if health.load is not None:
        values["load_1_minute"] = health.load.one
        values["load_5_minutes"] = health.load.five
    if health.cpu_percent is not None:
        values["cpu_percent"] = health.cpu_percent
    if health.clock_error_ms is not None:
        values["clock_error_ms"] = health.clock_error_ms
    for disk in health.disks:
        if disk.usage is not None:
            values[f"disk_used_percent:{disk.path}"] = disk.usage.used_percent
    return values


def tenths(value: float) -> str:
    """With one decimal, rounded down, so that what is shown never reaches a limit that the value did not."""
    return f"{floor(value * 10) / 10:.1f}"


def size(number: int) -> str:
    """Bytes for people."""
    for unit, name in _UNITS:
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number / 1_024:.0f} KiB"
