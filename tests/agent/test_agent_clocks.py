import time
from pathlib import Path

import msgspec
import pytest

from detak_agent.clocks import SystemClock
from detak_agent.failures import CouldNotError
from detak_wire.messages import Identity


def test_agent_time_is_steady_and_begins_before_it_ends() -> None:
    clock = SystemClock()
    readings = [moment for _ in range(200) for moment in (clock.begin(), clock.end())]
    assert readings[0] >= 0
    for begin, end in zip(readings[::2], readings[1::2], strict=True):
        assert begin <= end <= begin + 1_000
    assert readings[::2] == sorted(readings[::2])


def test_agent_time_counts_what_the_machine_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    before = clock.begin()
    real = time.clock_gettime_ns

    def woken(which: int) -> int:
        return real(which) + (3_600_000_000_000 if which == time.CLOCK_BOOTTIME else 0)

    monkeypatch.setattr(time, "clock_gettime_ns", woken)
    assert 3_600_000 <= clock.begin() - before < 3_605_000


def test_a_stop_between_two_readings_is_not_taken_for_a_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    before = clock.begin()
    real = time.clock_gettime_ns
    stopped_ns = 0

    def stopping(which: int) -> int:
        nonlocal stopped_ns
        if which == time.CLOCK_BOOTTIME:
            stopped_ns += 5_000_000_000
        return real(which) + stopped_ns

    monkeypatch.setattr(time, "clock_gettime_ns", stopping)
    assert clock.begin() - before < 6_000


def test_the_start_of_pid_1_lies_before_now() -> None:
    clock = SystemClock()
    assert 0 <= clock.init_started() <= clock.begin()


def test_the_time_that_the_machine_was_suspended_is_what_boottime_has_more_than_monotonic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = time.clock_gettime_ns
    before = SystemClock().suspended()
    monkeypatch.setattr(
        time, "clock_gettime_ns", lambda which: real(which) + 7_000_000_000 * (which == time.CLOCK_BOOTTIME)
    )
    assert SystemClock().suspended() - before in range(6_999, 7_002)


def test_boot_is_an_identity_of_the_wire() -> None:
    assert msgspec.convert(SystemClock().boot(), Identity) == SystemClock().boot()


def test_the_kernels_own_claim_is_a_number_or_nothing() -> None:
    claim = SystemClock().error_ms()
    assert claim is None or claim >= 0


def test_pid_1_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "proc/1").mkdir(parents=True)
    fields = " ".join(["S", *["0"] * 18, "0", "0"])
    (tmp_path / "proc/1/stat").write_text(f"1 (a ) b) {fields}")
    assert SystemClock(tmp_path).init_started() == 0


def test_a_machine_without_proc_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(CouldNotError, match="needs a mounted /proc"):
        SystemClock(tmp_path).boot()


def test_where_pid_1_is_hidden_the_kernel_itself_is_what_started(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert SystemClock(tmp_path).init_started() == 0
