"""What the units promise, and that docs/systemd.md explains what they leave open. Booted: test_units_booted.py."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/systemd.md").read_text()
MOST_EXPOSED = {"detak-agent": 3.0, "detak-collector": 2.5, "detak-collector-summary@": 2.5}
"""The highest score that `systemd-analyze security` may give, of 10: the agent has to see the machine as it is."""

GUARDED_AGENT_S = 30
THAWED_WITHIN_S = 40


def settings(unit: str) -> dict[str, str]:
    """Its settings, the last of each name."""
    text = (ROOT / f"packaging/systemd/{unit}.service").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Za-z]+=", line))


def seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)s", text)
    assert found is not None, text
    return int(found[1])


@pytest.fixture(params=MOST_EXPOSED)
def unit(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def path(unit: str, tmp_path: Path) -> Path:
    """The unit, with a program in it that is here."""
    text = (ROOT / f"packaging/systemd/{unit}.service").read_text()
    path = tmp_path / f"{unit}.service"
    path.write_text(re.sub(r"/usr/bin/detak-\w+", "/bin/true", text))
    return path


def analysed(path: Path, *options: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", *options, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.system("systemd-analyze")
def test_a_unit_is_no_more_exposed_than_is_promised(path: Path, unit: str) -> None:
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", told := analysed(path))
    assert found is not None, told
    assert float(found[1]) <= MOST_EXPOSED[unit]
    words = {"detak-agent": "agent", "detak-collector": "collector", "detak-collector-summary@": "summaries"}[unit]
    assert f"{words} {found[1]}" in PAGE


@pytest.mark.system("systemd-analyze")
def test_every_point_that_is_left_is_explained(path: Path, unit: str) -> None:
    column = 1 if unit == "detak-agent" else 2
    rows = [re.split(r"(?<!\\)\|", line)[1:] for line in PAGE.splitlines() if re.match(r"\| `[A-Z]", line)]
    explained = {
        name for row in rows if row[column].strip() for name in re.findall(r"`([^`]+)`", row[0].replace("\\|", "|"))
    }
    left = {one["json_field"]: one for one in json.loads(analysed(path, "--json=short")) if one["set"] is False}
    names = {one["name"] for one in left.values() if float(one["exposure"] or 0) > 0}
    assert names
    assert names - explained == set()


def test_watchdog_abort_and_restart_stay_within_what_is_promised() -> None:
    for unit, within_s in (("detak-agent", GUARDED_AGENT_S), ("detak-collector", THAWED_WITHIN_S)):
        own = settings(unit)
        spent = sum(seconds(own[name]) for name in ("WatchdogSec", "TimeoutAbortSec", "RestartSec"))
        assert spent < within_s
        assert own["StartLimitIntervalSec"] == "0"
        assert own["Restart"] == "always"


def test_the_page_tells_the_limits_as_the_units_have_them() -> None:
    for name in ("MemoryMax", "OOMPolicy", "CPUQuota", "TasksMax", "LimitNOFILE", "LimitCORE", "OOMScoreAdjust"):
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
        told = [cell.strip() for cell in row.split("|")[2:4]]
        for unit, words in zip(("detak-agent", "detak-collector"), told, strict=True):
            assert settings(unit).get(name, "") == ("" if words == "the system's" else words)
