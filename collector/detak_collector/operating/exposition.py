"""Numbers as Prometheus reads them: its text format, version 0.0.4. Pure, and it knows none of the numbers.

The format is a dozen lines; the usual library would lock and look up labels for each thing that is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from detak_collector.operating.counters import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]
Number = float | int


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its samples by labels. A counter's name ends in `_total`, units are seconds and bytes."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    samples: Sequence[tuple[Labels, Number]]

    def lines(self) -> Iterator[str]:
        """As they are written."""
        yield from _head(self.name, self.kind, self.text)
        for labels, number in self.samples:
            yield f"{self.name}{_written(labels)} {_number(number)}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram of milliseconds, told in seconds."""

    name: str
    text: str
    histogram: Histogram

    def lines(self) -> Iterator[str]:
        """As they are written."""
        yield from _head(self.name, "histogram", self.text)
        total = 0
        bounds = [_number(bound / 1_000) for bound in self.histogram.bounds_ms]
        for bound, count in zip([*bounds, "+Inf"], self.histogram.buckets, strict=True):
            total += count
            yield f'{self.name}_bucket{{le="{bound}"}} {total}'
        yield f"{self.name}_sum {_number(self.histogram.sum_ms / 1_000)}"
        yield f"{self.name}_count {total}"


def gauge(name: str, text: str, number: Number | None) -> Family:
    """A gauge without labels; without a sample where the number is not known."""
    return Family(name, "gauge", text, [] if number is None else [({}, number)])


def counter(name: str, text: str, number: Number) -> Family:
    """A counter without labels."""
    return Family(name, "counter", text, [({}, number)])


def by(label: str, counts: Mapping[str, Number]) -> list[tuple[Labels, Number]]:
    """Samples that differ in one label, in its order."""
    return [({label: value}, counts[value]) for value in sorted(counts)]


def exposition(families: Sequence[Family | Distribution]) -> bytes:
    """The whole text."""
    return "".join(f"{line}\n" for family in families for line in family.lines()).encode()


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text.replace(chr(92), chr(92) * 2)}"
    yield f"# TYPE {name} {kind}"


def _written(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(number: Number) -> str:
    return repr(int(number)) if float(number).is_integer() else repr(float(number))
