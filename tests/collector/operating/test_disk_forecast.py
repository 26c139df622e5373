"""When the disk is full, judged from what was seen of it."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.operating.disk import (
    DAY_MS,
    FULL_BYTES,
    KEPT_MS,
    Disk,
    Sample,
    days_left,
    load_history,
    measured,
    save_history,
    with_sample,
)

MIB = 1 << 20
HOUR_MS = 3_600_000


def hourly(days: int, store_per_day: int, others_per_day: int = 0, free: int = 100_000 * MIB) -> list[Sample]:
    """A history in which both grow evenly."""
    found = []
    for hour in range(days * 24 + 1):
        store, others = store_per_day * hour // 24, others_per_day * hour // 24
        found.append(Sample(hour * HOUR_MS, free - store - others, store))
    return found


def test_even_growth_is_carried_on() -> None:
    assert days_left(hourly(10, 100 * MIB), 1_000 * MIB) == pytest.approx(10, rel=0.01)


def test_what_others_write_fills_the_disk_as_well() -> None:
    assert days_left(hourly(10, 100 * MIB, 400 * MIB), 1_000 * MIB) == pytest.approx(2, rel=0.01)


def test_a_log_that_was_deleted_does_not_hide_that_the_store_grows() -> None:
    shrinking = hourly(10, 100 * MIB, others_per_day=-400 * MIB)
    assert days_left(shrinking, 1_000 * MIB) == pytest.approx(10, rel=0.01)


def test_one_clean_up_does_not_spoil_the_forecast() -> None:
    history = hourly(10, 100 * MIB)
    history = [
        *history[:120],
        *(Sample(one.utc, one.free_bytes + 50_000 * MIB, one.store_bytes) for one in history[120:]),
    ]
    assert days_left(history, 1_000 * MIB) == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("history", [[], hourly(1, MIB)[:1], hourly(1, 100 * MIB)[:-2]])
def test_less_than_a_day_says_nothing(history: list[Sample]) -> None:
    assert days_left(history, 1_000 * MIB) is None


def test_a_disk_on_which_nothing_grows_is_never_full() -> None:
    assert days_left(hourly(10, 0), 1_000 * MIB) is None


@given(st.lists(st.integers(0, 200 * DAY_MS), min_size=1))
def test_the_history_is_in_order_and_never_longer_than_is_kept(moments: list[int]) -> None:
    history: tuple[Sample, ...] = ()
    for moment in moments:
        history = with_sample(history, Sample(moment, 1, 1))
    assert all(one.utc < other.utc for one, other in pairwise(history))
    assert history[-1].utc - history[0].utc <= KEPT_MS
    assert history[-1].utc == moments[-1]


def test_a_history_that_is_damaged_only_costs_the_forecast(tmp_path: Path) -> None:
    save_history(tmp_path, [Sample(1, 2, 3)])
    assert load_history(tmp_path) == (Sample(1, 2, 3),)
    (tmp_path / "disk-usage.json").write_text("[{")
    assert load_history(tmp_path) == ()


def test_the_disk_is_that_of_the_directory_and_the_store_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "detak.sqlite").write_bytes(b"x" * 1_000)
    (tmp_path / "detak.sqlite-wal").write_bytes(b"x" * 500)
    (tmp_path / "collector.lock").write_bytes(b"x" * 10)
    disk = measured(tmp_path)
    assert disk.store_bytes == 1_500
    assert 0 < disk.free_bytes <= disk.total_bytes


@pytest.mark.parametrize(
    ("free", "days", "full", "scarce"),
    [
        (FULL_BYTES - 1, None, True, True),
        (FULL_BYTES, None, False, True),
        (1 << 40, None, False, False),
        (1 << 40, 29.9, False, True),
        (1 << 40, 31.0, False, False),
        (1 << 40, 0.0, False, True),
    ],
)
def test_a_disk_is_full_scarce_or_neither(free: int, days: float | None, full: bool, scarce: bool) -> None:
    disk = Disk(Path("/"), 1 << 41, free, 0, days)
    assert (disk.is_full, disk.is_scarce) == (full, scarce)
