"""From a killed process to a figure, with real processes, a real clock and a stopwatch."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from installation import (
    DOWN_AFTER_MS,
    INTERVAL_MS,
    NIGHTLY,
    Installation,
    installation,
    process_check,
    service_of,
    sleeper,
    until,
)

pytestmark = pytest.mark.system


@contextmanager
def watched_process(pid_file: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A process under watch; the list holds the one that runs, for the test to replace."""
    running = [sleeper()]
    pid_file.write_text(str(running[0].pid))
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.fixture
def one_node(tmp_path: Path) -> Iterator[tuple[Installation, list[subprocess.Popen[bytes]], Path]]:
    pid_file = tmp_path / "app.pid"
    with watched_process(pid_file) as running, installation(tmp_path, service_of("n/app")) as made:
        made.add_agent("n", process_check(pid_file))
        until("the service is up", lambda: made.condition() == "up")
        yield made, running, pid_file


def test_a_stopwatch_lies_within_the_bounds_five_times_and_counted_is_within_one_interval(
    one_node: tuple[Installation, list[subprocess.Popen[bytes]], Path],
) -> None:
    made, running, pid_file = one_node
    stopwatch: list[int] = []
    for turn in range(5):
        time.sleep(1.3 * INTERVAL_MS / 1_000 + 0.17 * turn)
        running[0].kill()
        begin = time.monotonic()
        running[0].wait()
        time.sleep(3.0 + 0.4 * turn)
        running[0] = sleeper()
        pid_file.write_text(str(running[0].pid))
        stopwatch.append(round((time.monotonic() - begin) * 1_000))
        until("it is up again", lambda: made.condition() == "up")
    time.sleep(2 * INTERVAL_MS / 1_000)
    outages = made.report()["outages"]
    print()
    for truth, outage in zip(stopwatch, outages, strict=True):
        print(f"stopwatch {truth} ms:", {key: outage[f"{key}_ms"] for key in ("certain", "counted", "possible")})
        assert outage["certain_ms"] <= truth <= outage["possible_ms"]
        assert abs(outage["counted_ms"] - truth) <= INTERVAL_MS + 20
        assert outage["cause"] == "application"


def test_an_agent_that_is_killed_is_no_outage_once_it_is_back(
    one_node: tuple[Installation, list[subprocess.Popen[bytes]], Path],
) -> None:
    made, _, _ = one_node
    made.signal("n", signal.SIGKILL)
    until("it is presumed down", lambda: made.condition() == "presumed down")
    made.start_agent("n")
    until("the presumption gives way", lambda: made.condition() == "up")
    service = made.report()
    assert service["counted_ms"] == 0
    assert not service["outages"]


def test_a_collector_that_was_away_loses_nothing_counts_nothing_and_raises_no_flood(
    one_node: tuple[Installation, list[subprocess.Popen[bytes]], Path],
) -> None:
    made, running, pid_file = one_node
    away_s = 60 if NIGHTLY else 8
    made.signal("collector", signal.SIGKILL)
    running[0].kill()
    begin = time.monotonic()
    running[0].wait()
    time.sleep(away_s / 2)
    running[0] = sleeper()
    pid_file.write_text(str(running[0].pid))
    truth = round((time.monotonic() - begin) * 1_000)
    time.sleep(away_s / 2)
    made.start_collector()
    time.sleep(DOWN_AFTER_MS / 2_000)
    until("the backlog has arrived", lambda: made.condition() == "up")
    time.sleep(2 * INTERVAL_MS / 1_000)
    service = made.report()
    (outage,) = service["outages"]
    print(f"\nin the {away_s} s without a collector: stopwatch {truth} ms, {outage}")
    assert outage["certain_ms"] <= truth <= outage["possible_ms"]
    assert service["presumed_ms"] == 0
    assert "not heard" not in made.log("collector")


def test_a_frozen_agent_is_presumed_down_and_corrected_when_it_goes_on(
    one_node: tuple[Installation, list[subprocess.Popen[bytes]], Path],
) -> None:
    made, _, _ = one_node
    made.signal("n", signal.SIGSTOP)
    until("it is presumed down", lambda: made.condition() == "presumed down")
    (outage,) = made.report()["outages"]
    assert outage["shown_as"] == "presumed down: missing heartbeats"
    made.signal("n", signal.SIGCONT)
    until("it is heard again", lambda: made.condition() == "up")
    time.sleep(2 * INTERVAL_MS / 1_000)
    service = made.report()
    assert service["counted_ms"] == 0
    assert service["unobserved_ms"] > 0


def test_an_agent_that_an_administrator_stops_is_not_observed(
    one_node: tuple[Installation, list[subprocess.Popen[bytes]], Path],
) -> None:
    made, _, _ = one_node
    made.signal("n", signal.SIGTERM)
    time.sleep(DOWN_AFTER_MS / 1_000 + 1)
    assert made.condition() == "not observed"
    assert made.report()["counted_ms"] == 0
