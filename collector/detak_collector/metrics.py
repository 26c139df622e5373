"""What charts are drawn from: how a node fared, moment by moment, rolled up over longer times. Pure.

Metrics are no evidence. Nothing here ever reaches a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from typing import Any

import msgspec

from detak_wire.messages import Evidence, Metrics

Whole = int | tuple[int, int]
"""A number of a series' parts, or the mean and the greatest where these differ."""

Values = Mapping[int, Mapping[str, Whole]]
"""By place in SERIES and by label: a mount point, a device, a network interface, a check, or '' for the machine."""


@dataclass(frozen=True, slots=True)
class Series:
    """A value, counted in so many parts of one: whole numbers are small to keep and quick to add."""

    name: str
    parts: int


SERIES = (
    Series("cpu_percent", 10),
    Series("cpu_iowait_percent", 10),
    Series("cpu_steal_percent", 10),
    Series("load_1", 100),
    Series("memory_used_percent", 10),
    Series("swap_used_percent", 10),
    Series("disk_used_percent", 10),
    Series("inodes_used_percent", 10),
    Series("device_read_bytes_per_second", 1),
    Series("device_written_bytes_per_second", 1),
    Series("device_busy_percent", 10),
    Series("network_received_bytes_per_second", 1),
    Series("network_sent_bytes_per_second", 1),
    Series("network_errors_per_second", 1_000),
    Series("latency_ms", 10),
    Series("agent_memory_bytes", 1),
    Series("journal_bytes", 1),
)
"""Every value there is. What is kept says its place in this list, which therefore only ever grows at its end."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The time up to `utc`, in milliseconds, of which `interval_ms` were measured."""

    utc: int
    interval_ms: int
    values: Values


def moments(evidence: Evidence, arrived_utc: int) -> Iterator[Moment]:
    """The points of a message. Its arrival tells UTC, late by what the message was under way: enough for a chart."""
    for point in evidence.metrics:
        ago_ms = evidence.sent_agent - point.measured_agent
        if ago_ms >= 0:
            yield Moment(arrived_utc - ago_ms, point.interval_ms, _values(point))


def _values(point: Metrics) -> Values:
    values: dict[int, Mapping[str, Whole]] = {}
    for place, series in enumerate(SERIES):
        said = getattr(point, series.name)
        labelled = said if isinstance(said, dict) else {} if said is None else {"": said}
        if labelled:
            values[place] = {label: _whole(value, series.parts) for label, value in labelled.items()}
    return values


def _whole(value: float | tuple[float, float], parts: int) -> Whole:
    if isinstance(value, tuple):
        return _pair(round(value[0] * parts), round(value[1] * parts))
    return round(value * parts)


def _pair(mean: int, greatest: int) -> Whole:
    return mean if mean == greatest else (mean, greatest)


def rolled(together: Iterable[Moment]) -> Moment:
    """One moment for several in order, at least one: means by how long each was measured, and the greatest of all."""
    sums: dict[int, dict[str, _Sum]] = {}
    utc = interval_ms = 0
    for moment in together:
        utc, interval_ms = moment.utc, interval_ms + moment.interval_ms
        for place, labelled in moment.values.items():
            _add(sums.setdefault(place, {}), labelled, moment.interval_ms)
    values = {place: {label: one.whole for label, one in labelled.items()} for place, labelled in sums.items()}
    return Moment(utc, interval_ms, values)


class _Sum:
    __slots__ = ("greatest", "total", "weight")

    def __init__(self) -> None:
        self.total = self.weight = self.greatest = 0

    @property
    def whole(self) -> Whole:
        return _pair(round(self.total / self.weight), self.greatest)


def _add(sums: dict[str, _Sum], labelled: Mapping[str, Whole], weight: int) -> None:
    for label, whole in labelled.items():
        one = sums.get(label)
        if one is None:
            one = sums[label] = _Sum()
        mean, greatest = (whole, whole) if isinstance(whole, int) else whole
        one.total += mean * weight
        one.weight += weight
        one.greatest = max(one.greatest, greatest)


def thinned(found: Iterable[Moment], begin_utc: int, end_utc: int, most: int) -> list[Moment]:
    """The moments of [begin, end), given in order; of more than `most` equal stretches of time, each rolled up."""
    coming = iter(found)
    first = list(islice(coming, most + 1))
    if len(first) <= most:
        return first
    step_ms = -(-(end_utc - begin_utc) // most)
    stretches = groupby(chain(first, coming), key=lambda moment: (moment.utc - begin_utc) // step_ms)
    return [rolled(stretch) for _, stretch in stretches]


def packed(moment: Moment) -> bytes:
    """All of it but its time, as MessagePack."""
    return msgspec.msgpack.encode((moment.interval_ms, moment.values))


def kept(node: str, moment: Moment) -> tuple[str, int, bytes]:
    """A node's moment as a store takes it: the node, UTC, and the rest packed."""
    return node, moment.utc, packed(moment)


_decode = msgspec.msgpack.Decoder(tuple[int, dict[int, dict[str, Whole]]]).decode


def unpacked(utc: int, kept: bytes) -> Moment:
    """The moment again."""
    return Moment(utc, *_decode(kept))


def columns(found: Sequence[Moment]) -> dict[str, Any]:
    """The moments as charts want them: their times, and of each series one column of means and one of the greatest.

    Where a value is missing a column has None. Values that only a newer version knows are left out.
    """
    keys = {(place, label) for moment in found for place, labelled in moment.values.items() for label in labelled}
    return {
        "utc": [moment.utc for moment in found],
        "interval_ms": [moment.interval_ms for moment in found],
        "series": [_column(place, label, found) for place, label in sorted(keys) if place < len(SERIES)],
    }


def _column(place: int, label: str, found: Sequence[Moment]) -> dict[str, Any]:
    series = SERIES[place]
    wholes = [moment.values.get(place, {}).get(label) for moment in found]
    pairs = [whole if isinstance(whole, tuple) else (whole, whole) for whole in wholes]
    return {
        "name": series.name,
        "label": label,
        "mean": [None if mean is None else mean / series.parts for mean, _ in pairs],
        "greatest": [None if greatest is None else greatest / series.parts for _, greatest in pairs],
    }
