"""The verdict of bench/isolation.py on memory: it must find what grows, however it comes and goes."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from isolation_verdict import Shown

BENCH = Path(__file__).parents[2] / "bench"
MOMENTS = 240


@pytest.fixture(autouse=True)
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its modules can be imported."""
    monkeypatch.syspath_prepend(str(BENCH))
    yield
    for name in ("isolation_verdict", "isolation_meter"):
        sys.modules.pop(name, None)


def shown(rss_mib: Sequence[float], threads: Sequence[int] = (20,)) -> "Shown":
    from isolation_meter import Held  # noqa: PLC0415 - only where the path says where it is
    from isolation_verdict import Shown  # noqa: PLC0415 - as above

    held = [Held(one, threads[at % len(threads)], 70, 100, 0) for at, one in enumerate(rss_mib)]
    return Shown(
        tick_ms=1_000,
        beat_ms=5_000,
        ticks=range(0, 60_000, 1_000),
        commits=[1],
        beats=[(begin, begin + 20, "") for begin in range(0, 60_000, 5_000)],
        alive=[(0, 59_000, 1_000)],
        idle_late_ms=[0.1],
        held=held,
        records=1,
        not_stored=0,
        ordinary=1,
        ordinary_failed=[],
        stopped_within_s=0.1,
        left=[],
    )


def found(rss_mib: Sequence[float], threads: Sequence[int] = (20,)) -> list[str]:
    from isolation_verdict import broken, report  # noqa: PLC0415 - as above

    told = shown(rss_mib, threads)
    assert f"rss_growth_mib={told.grown('rss_mib'):.1f}" in report(told).splitlines()[-1]
    return broken(told)


def test_memory_that_stays_and_spikes_that_pass_are_no_growth() -> None:
    assert found([70.0 + 20 * (at % 12 == 0) for at in range(MOMENTS)], threads=(19, 36, 36)) == []


def test_memory_that_grows_a_little_all_the_time_is_found() -> None:
    assert found([70 + at * 5 / MOMENTS for at in range(MOMENTS)]) == ["rss_mib grew by 2.5"]


def test_memory_that_is_freed_now_and_then_but_ever_later_is_found() -> None:
    freed_at = {at * at for at in range(20)}
    held, values = 70.0, []
    for at in range(MOMENTS):
        held = 70.0 if at in freed_at else held + 1
        values.append(held)
    (words,) = found(values)
    assert words.startswith("rss_mib grew by ")


def test_threads_that_stay_are_found() -> None:
    growing = [20 + at * 12 // MOMENTS for at in range(MOMENTS)]
    assert found([70.0] * MOMENTS, growing) == ["threads grew by 6.0"]
