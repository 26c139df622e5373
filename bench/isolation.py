"""Proves that no check holds up another: a real agent with hostile checks among its own, and a real collector.

    python bench/isolation.py [--minutes 5] [--checks 200]

As root, and with bindfs and unshare, it also has a file system whose server is stopped and a system's name server that
never answers. Half of the checks are hostile at most. Ends with `isolation ticks=… late_ms_p999=… late_ms_most=…
idle_late_ms_most=… beats_lost=… not_delivered=… rss_mib=… rss_growth_mib=…`, and with exit code 1 where a tick was late
by more than 250 ms (p99.9), a beat was lost, an ordinary check failed, or anything grew or was left behind.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detak_agent.clocks import SystemClock
from isolation_meter import (
    Held,
    Idle,
    alive_spans,
    committed,
    failed_checks,
    has_ended,
    held,
    idle_loop,
    processes_with,
    stored,
)
from isolation_stage import BEAT_MS, STOPS_WITHIN_S, TICK_MS, Stage, set_up, wait_until
from isolation_verdict import Shown, broken, report

WARM_UP_S = 10.0
"""Until everything has been imported and every first sample taken."""

_SAMPLES = 40
_ENDS_WITHIN_S = 3.0
_HANGS_FROM, _RELOADS_AT, _HANGS_TO = 0.1, 0.5, 0.8


@dataclass
class Course:
    """What happens while the agent runs, in cycles: its file server stops, it is told to reload, the server goes on."""

    stage: Stage
    agent: subprocess.Popen[bytes]
    cycle_s: float
    measured: list[Held] = field(default_factory=list)
    hangs: bool = False
    reloads: int = 0

    def run(self, seconds: float) -> None:
        """To its end; raises SystemExit where the agent ended by itself."""
        every_s = min(10.0, seconds / _SAMPLES)
        begun = measured = time.monotonic()
        while (now := time.monotonic()) < begun + WARM_UP_S + seconds:
            self._turn((now - begun) / self.cycle_s)
            if self.agent.poll() is not None:
                raise SystemExit(f"the agent ended by itself:\n{self.stage.log('agent')}")
            if now > begun + WARM_UP_S and now - measured >= every_s:
                measured = now
                self.measured.append(held(self.agent.pid))
            time.sleep(0.2)

    def _turn(self, cycles: float) -> None:
        within = cycles % 1
        if self.hangs != (hang := _HANGS_FROM < within < _HANGS_TO):
            self.hangs = hang
            self.stage.let_files_hang(hang=hang)
        if self.reloads < int(cycles + 1 - _RELOADS_AT):
            self.reloads += 1
            self.agent.send_signal(signal.SIGHUP)


def play(stage: Stage, checks: str, seconds: float, idle: Idle) -> dict[str, Any]:
    """The whole course: what has been shown of it, by the fields of Shown."""
    with stage.agent(checks) as agent:
        course = Course(stage, agent, cycle_s=max(12.0, min(120.0, seconds / 3)))
        course.run(seconds)
        stage.let_files_hang(hang=True)
        stopped_within_s = _stop(stage, agent)
    ended_at = SystemClock().begin()
    left = _left(stage)
    records = committed(stage.journal)
    not_stored = _delivered(stage, records)
    alive = [span for span in alive_spans(stage.store) if span[0] < ended_at]
    return {
        **json.loads(stage.notes.read_text(encoding="utf-8")),
        "held": course.measured,
        "idle_late_ms": list(idle.late_ms),
        "records": len(records),
        "not_stored": not_stored,
        "alive": alive,
        "stopped_within_s": stopped_within_s,
        "left": left,
    }


def _stop(stage: Stage, agent: subprocess.Popen[bytes]) -> float:
    """How long it takes to end in good order, among all that hangs; raises SystemExit where it does not."""
    begun = time.monotonic()
    agent.send_signal(signal.SIGTERM)
    try:
        wait_until("the agent ends", lambda: has_ended(agent.pid), STOPS_WITHIN_S)
    except SystemExit:
        agent.send_signal(signal.SIGUSR1)
        time.sleep(1)
        raise SystemExit(f"{stage.log('agent')}\nthe agent did not stop within {STOPS_WITHIN_S:.0f} s") from None
    finally:
        stopped_within_s = time.monotonic() - begun
        # A thread that waits for an answer of the file server keeps the kernel from burying the process.
        stage.let_files_hang(hang=False)
    if (code := agent.wait(STOPS_WITHIN_S)) != 0:
        raise SystemExit(f"{stage.log('agent')}\nthe agent ended with exit code {code}")
    return stopped_within_s


def _left(stage: Stage) -> list[str]:
    """The processes that the agent leaves behind."""
    with suppress(SystemExit):
        wait_until("everything has ended", lambda: not processes_with(stage.mark), within_s=_ENDS_WITHIN_S)
    return processes_with(stage.mark)


def _delivered(stage: Stage, records: set[tuple[str, int]]) -> int:
    """How many of the records the collector does not get, although the agent comes back to deliver them."""
    with stage.agent("", noting=False):
        try:
            wait_until("every record is stored", lambda: records <= stored(stage.store))
        except SystemExit:
            return len(records - stored(stage.store))
    return 0


def main() -> None:
    """Set up, play, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--checks", type=int, default=200)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="detak-isolation-") as directory, idle_loop() as idle:
        with set_up(Path(directory), wanted.checks) as (stage, checks):
            told = play(stage, checks, wanted.minutes * 60, idle)
            failed = failed_checks(stage.store, range(stage.hostile, wanted.checks))
        shown = Shown(
            tick_ms=TICK_MS,
            beat_ms=BEAT_MS,
            ordinary=max(0, wanted.checks - stage.hostile),
            ordinary_failed=failed,
            **told,
        )
    print(f"{wanted.checks} checks, {stage.hostile} of them hostile")
    if stage.file_server is None or stage.resolver is None:
        print("without a hung file system or a dead name server of the system: needs root, bindfs and unshare")
    print(report(shown))
    for words in (wrong := broken(shown)):
        print(f"broken: {words}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
