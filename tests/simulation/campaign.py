"""Many histories, one after another or side by side, added up in the order of their seeds."""

import logging
import os
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from simulation.collector import empty_store
from simulation.history import DECLARED_PPM, Verdict, fast_directory, play

_AHEAD = 4
"""How many histories each process may have waiting."""


@dataclass
class Tally:
    """What many histories came to. A width is of one outage while connected: possible less certain."""

    histories: int = 0
    outages: int = 0
    unseeable: int = 0
    violations: list[str] = field(default_factory=list)
    widths_ms: dict[int, list[int]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        self.histories += 1
        self.outages += verdict.outages
        self.unseeable += verdict.unseeable
        self.violations += [f"seed {verdict.seed}: {one}" for one in verdict.violations]
        self.widths_ms.setdefault(verdict.interval_ms, []).extend(verdict.widths_ms)
        self.counts += verdict.counts

    def widths_of(self, percent: int) -> dict[int, int]:
        """That percentile of the widths, by check interval."""
        return {interval: percentile(widths, percent) for interval, widths in sorted(self.widths_ms.items()) if widths}

    @property
    def line(self) -> str:
        """The result, as the last line of a run."""
        every = [width for widths in self.widths_ms.values() for width in widths]
        return (
            f"simulate outages={self.outages} violations={len(self.violations)} "
            f"width_ms_median={percentile(every, 50)} width_ms_p99={percentile(every, 99)}"
        )


def percentile(values: Iterable[int], percent: int) -> int:
    """The value below which so many of a hundred lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else 0


@contextmanager
def prepared() -> Iterator[Path]:
    """An empty store for histories to begin with, and a log that stays quiet about what is meant to go wrong."""
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory(prefix="detak-simulation-", dir=fast_directory()) as directory:
            yield empty_store(Path(directory))
    finally:
        logging.disable(logging.NOTSET)


def verdicts(
    seed: str, jobs: int, drift_ppm: float = DECLARED_PPM, only: Sequence[str] = ()
) -> Generator[Verdict, None, None]:
    """The histories of a seed for ever, in order, whoever plays them; of `only` these kinds of faults."""
    with prepared() as empty:
        yield from side_by_side(partial(play, empty_store=empty, drift_ppm=drift_ppm, only=only), seed, jobs)


def side_by_side(one: Callable[[str], Verdict], seed: str, jobs: int) -> Generator[Verdict, None, None]:
    """The verdicts on `seed/0`, `seed/1` and so on, in that order."""
    seeds = (f"{seed}/{number}" for number in count())
    if jobs == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = deque(pool.submit(one, next(seeds)) for _ in range(jobs * _AHEAD))
        try:
            while True:
                yield waiting.popleft().result()
                waiting.append(pool.submit(one, next(seeds)))
        finally:
            for future in waiting:
                future.cancel()


def processors() -> int:
    """How many histories may be played side by side here."""
    return len(os.sched_getaffinity(0))
