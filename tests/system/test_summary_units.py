"""The timers that send summary mails, judged by systemd's own tools."""

import re
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "packaging" / "systemd"
TIMERS = {"daily": "yesterday", "weekly": "last-week", "monthly": "last-month", "yearly": "last-year"}
MOST_EXPOSED = 2.0


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All of them beside each other, with a program in place of one that is not installed here."""
    program = tmp_path / "detak-collector"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for one in UNITS.glob("detak-collector-summary*"):
        (tmp_path / one.name).write_text(one.read_text().replace("/usr/bin/detak-collector", str(program)))
    return tmp_path


@pytest.mark.system("systemd-analyze")
@pytest.mark.parametrize("name", TIMERS)
def test_systemd_finds_nothing_to_say_about_a_timer_and_it_starts_the_summary_of_its_name(
    folder: Path, name: str
) -> None:
    timer = folder / f"detak-collector-summary-{name}.timer"
    service = f"detak-collector-summary@{TIMERS[name]}.service"
    assert f"\nUnit={service}\n" in timer.read_text()
    done = run("systemd-analyze", "verify", "--man=no", str(timer), str(folder / service))
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


@pytest.mark.system("systemd-analyze")
def test_the_service_is_shut_in_as_far_as_its_work_allows(folder: Path) -> None:
    done = run("systemd-analyze", "security", "--offline=true", str(folder / "detak-collector-summary@.service"))
    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) <= MOST_EXPOSED
