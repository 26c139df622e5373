"""From two readings of the kernel's counters to one point of the charts: pure.

A counter that ran backwards was begun anew (a device that was attached again, a network interface that was made again):
then nothing can be said of this interval, and the value is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from detak_agent.checks.filesystems import Usage
from detak_agent.checks.machine import CpuTimes, Load, Memory
from detak_agent.metrics.counters import Device, Interface
from detak_wire import limits
from detak_wire.messages import Metrics

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Counters:
    """What /proc said at agent time `at`; what could not be read is None or empty."""

    at: int
    cpu: CpuTimes | None = None
    memory: Memory | None = None
    load: Load | None = None
    devices: Mapping[str, Device] = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    agent_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Disks:
    """How full each filesystem is, by its mount point, and how large the journal. Empty while one of them hangs."""

    usages: Mapping[str, Usage] = field(default_factory=dict)
    journal_bytes: int | None = None


def point(
    before: Counters, now: Counters, disks: Disks, latency_ms: Mapping[str, tuple[float, float]]
) -> Metrics | None:
    """The time between two readings of one boot; None where none passed."""
    interval_ms = now.at - before.at
    if interval_ms <= 0:
        return None
    devices = _Rates(before.devices, now.devices, interval_ms)
    interfaces = _Rates(before.interfaces, now.interfaces, interval_ms)
    memory, usages = now.memory, _labelled(disks.usages)
    return Metrics(
        measured_agent=now.at,
        interval_ms=interval_ms,
        cpu_percent=_share(before.cpu, now.cpu, lambda cpu: cpu.busy),
        cpu_iowait_percent=_share(before.cpu, now.cpu, lambda cpu: cpu.waiting),
        cpu_steal_percent=_share(before.cpu, now.cpu, lambda cpu: cpu.stolen),
        load_1=None if now.load is None else now.load.one,
        memory_used_percent=None if memory is None else _percent(100 - memory.available_percent),
        swap_used_percent=_percent(memory.swap_used_percent) if memory is not None and memory.swap_total else None,
        disk_used_percent={path: _percent(usage.used_percent) for path, usage in usages.items()},
        inodes_used_percent={
            path: _percent(usage.inodes_percent) for path, usage in usages.items() if usage.inodes_percent is not None
        },
        device_read_bytes_per_second=devices.whole(lambda device: device.read_bytes),
        device_written_bytes_per_second=devices.whole(lambda device: device.written_bytes),
        device_busy_percent={
            name: _percent(rate / 10) for name, rate in devices.of(lambda device: device.busy_ms).items()
        },
        network_received_bytes_per_second=interfaces.whole(lambda interface: interface.received_bytes),
        network_sent_bytes_per_second=interfaces.whole(lambda interface: interface.sent_bytes),
        network_errors_per_second={
            name: round(rate, 3) for name, rate in interfaces.of(lambda interface: interface.errors).items()
        },
        latency_ms={name: (round(mean, 1), round(most, 1)) for name, (mean, most) in latency_ms.items()},
        agent_memory_bytes=now.agent_memory_bytes,
        journal_bytes=disks.journal_bytes,
    )


def _share(before: CpuTimes | None, now: CpuTimes | None, part: Callable[[CpuTimes], int]) -> float | None:
    if before is None or now is None or now.total <= before.total:
        return None
    # Waiting for disks is counted by each processor at its own time and may run backwards, proc(5).
    return _percent(100 * (part(now) - part(before)) / (now.total - before.total))


def _percent(value: float) -> float:
    return round(min(100.0, max(0.0, value)), 1)


class _Rates(Generic[C]):
    """How fast the counters of each thing grew that both readings know."""

    def __init__(self, before: Mapping[str, C], now: Mapping[str, C], interval_ms: int) -> None:
        self._pairs = {name: (before[name], counted) for name, counted in _labelled(now).items() if name in before}
        self._interval_ms = interval_ms

    def of(self, counter: Callable[[C], int]) -> dict[str, float]:
        """By second; what no machine can do is no rate."""
        grown = {name: counter(now) - counter(before) for name, (before, now) in self._pairs.items()}
        rates = {name: 1_000 * more / self._interval_ms for name, more in grown.items()}
        return {name: rate for name, rate in rates.items() if 0 <= rate < limits.TIME_MS}

    def whole(self, counter: Callable[[C], int]) -> dict[str, float]:
        """The same without fractions."""
        return {name: round(rate) for name, rate in self.of(counter).items()}


def _labelled(named: Mapping[str, C]) -> dict[str, C]:
    """As many as a point may speak of, always the same ones: those with the shortest names."""
    return {name: named[name] for name in shortest(named)}


def shortest(names: Iterable[str]) -> list[str]:
    """As many of the names as a point may speak of: the shortest, whatever comes and goes beside them."""
    return sorted(names, key=lambda name: (len(name), name))[: limits.METRIC_LABELS]
