"""How long the samples of each check took since the last point: the mean and the greatest."""

from __future__ import annotations

from collections.abc import Mapping

from detak_agent.spans import Sample


def latency_ms(sample: Sample, values: Mapping[str, float]) -> float | None:
    """What the check itself measured, or else how long the sample took; None where the check could not run.

    A sample's begin is rounded down and its end up: together that is one millisecond too long on average.
    """
    if sample.state == "unknown":
        return None
    return values.get("latency_ms", max(0, sample.end - sample.begin - 1))


class Latencies:
    """Gathers them for one point after another."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[int, float, float]] = {}

    def add(self, sample: Sample, values: Mapping[str, float]) -> None:
        """Another sample of a check, and what it measured."""
        took_ms = latency_ms(sample, values)
        if took_ms is not None:
            samples, total, most = self._taken.get(sample.check, (0, 0.0, 0.0))
            self._taken[sample.check] = (samples + 1, total + took_ms, max(most, took_ms))

    def take(self) -> dict[str, tuple[float, float]]:
        """The mean and the greatest of each check, which are begun anew."""
        taken, self._taken = self._taken, {}
        return {check: (total / samples, most) for check, (samples, total, most) in taken.items()}
