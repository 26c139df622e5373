"""Two people take an outage out of the figure, at a collector that serves and at the one that follows it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from installation import installation, process_check, service_of, sleeper, until
from pair_installation import instant, paired

pytestmark = pytest.mark.system

PATIENCE_S = 90.0
CLOCKS_MS = 20
"""So far an outage's edges move as the node's clock is known better."""


class App:
    """The process that the check looks at."""

    def __init__(self, folder: Path) -> None:
        self.pid_file = folder / "app.pid"
        self.up()

    def up(self) -> None:
        self._process = sleeper()
        self.pid_file.write_text(str(self._process.pid))

    def down(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path)
    yield made
    made.down()


def outage(app: App, condition: Callable[[], str]) -> tuple[float, float]:
    """The application is down until it is seen to be, and then until it is seen to be up; around when that was."""
    until("it is up", lambda: condition() == "up", PATIENCE_S)
    begin = time.time() - 1
    app.down()
    until("it is down", lambda: condition() == "down", PATIENCE_S)
    time.sleep(2)
    app.up()
    until("it is up again", lambda: condition() == "up", PATIENCE_S)
    return begin, time.time() + 1


def test_the_page_and_the_report_of_a_serving_collector_go_by_what_two_people_decided(tmp_path: Path, app: App) -> None:
    with installation(tmp_path, service_of("n/app")) as made:
        made.add_agent("n", process_check(app.pid_file))
        begin, end = outage(app, made.condition)
        counted = made.report()["counted_ms"]
        assert counted > 1_000
        until("the page has the outage", lambda: page_figure(made.url), PATIENCE_S)
        before = page_figure(made.url)
        times = ("--from", instant(begin), "--to", instant(end))
        told = made.collector_says(
            "exclude", "add", "--category", "planned", "--service", "s", *times, "--document", "ND-1/2026",
            "--reason", "a drill", "--by", "Ani",
        )  # fmt: skip
        assert "Ani proposes x1" in told
        assert made.report()["counted_ms"] == pytest.approx(counted, abs=CLOCKS_MS)
        assert page_figure(made.url) == before
        assert 'data-label="Counted afterwards">0.0 s<' in page(made.url, "/exclusions/x1")
        made.collector_says("exclude", "approve", "x1", "--by", "Budi")
        assert "in force" in page(made.url, "/exclusions/x1")
        assert made.report()["counted_ms"] == 0
        until("the page does not count it", lambda: page_figure(made.url) not in {"", before}, PATIENCE_S)
        made.collector_says("exclude", "withdraw", "x1", "--reason", "wrong", "--document", "ND-2/2026", "--by", "Ani")
        made.collector_says("exclude", "approve", "x2", "--by", "Cici")
        assert made.report()["counted_ms"] == pytest.approx(counted, abs=CLOCKS_MS)
        until("the page counts it again", lambda: page_figure(made.url) == before, PATIENCE_S)


def page(url: str, path: str) -> str:
    with urlopen(url + path, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def page_figure(url: str) -> str:
    """What the status page says that the latest outage counts."""
    with urlopen(url, timeout=10) as answer:
        found = re.search(r'data-label="Counted">([^<]*)<', answer.read().decode())
    return found[1].strip() if found else ""


def test_what_is_decided_at_the_leader_is_in_force_at_the_follower(tmp_path: Path, app: App) -> None:
    with paired(tmp_path, service_of("n/app")) as made:
        made.add_agent("n", process_check(app.pid_file))
        begin, end = outage(app, lambda: made.condition("drc"))
        words = ("exclude", "add", "--category", "planned", "--service", "s", "--from", instant(begin),
                 "--to", instant(end), "--document", "ND-1", "--reason", "a drill", "--by", "Ani")  # fmt: skip
        refused = made.tried("drc", *words)
        assert (refused.returncode, made.links["drc-dc"].url in refused.stderr) == (2, True)
        made.says("dc", *words)
        made.says("dc", "exclude", "approve", "x1", "--by", "Budi")
        until("it is known there", lambda: "in force" in made.says("drc", "exclude", "list"), PATIENCE_S)
        time.sleep(2)
        told = json.loads(
            made.says("drc", "report", "--from", instant(begin), "--to", instant(end), "--format", "json")
        )
        assert told["services"][0]["counted_ms"] == 0
        assert told["services"][0]["gross_ms"] > 1_000
        (one,) = told["exclusions"]
        assert (one["id"], one["approved_by"], one["in_force"]) == ("x1", "Budi", True)
        at_dc, at_drc = (json.loads(report) for report in made.reports(begin, end, time.time() - 1))
        assert at_dc["exclusions"] == at_drc["exclusions"]
        assert at_dc["figure"] == at_drc["figure"]
