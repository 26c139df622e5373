"""Versions of the catalogue with real processes: a change of the past waits for a second person; a pair goes by one."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Installation, installation, process_check, sleeper, until
from pair_installation import Pair, paired

pytestmark = pytest.mark.system

WEB = '[[service]]\nid = "web"\ncriticality = "sangat kritis"\nprobes = ["n/app"]\n'
API = WEB.replace('"web"', '"api"').replace('"n/app"', '"n/other"')
CALENDAR = (
    'hours = "kantor"\n[[calendar]]\nid = "kantor"\nweekly = { mon-sun = "00:00-24:00" }\nholidays = "libur.csv"\n'
)
APPROVED = ("--document", "ND-1", "--proposed-by", "budi", "--by", "siti")
SLOW_S = 90.0
HEAD = "date,name,kind,decree\n"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, WEB) as made, sleeper() as process:
        (tmp_path / "pid").write_text(str(process.pid))
        made.add_agent("n", process_check(tmp_path / "pid"))
        until("evidence is there", lambda: made.condition("web") == "up")
        yield made
        process.kill()


def written(running: Installation, before: str, after: str) -> None:
    path = running.folder / "services.toml"
    path.write_text(path.read_text().replace(before, after))
    running.signal("collector", signal.SIGHUP)


def page(running: Installation) -> str:
    with urllib.request.urlopen(running.url, timeout=10) as answer:
        return str(answer.read().decode())


def version(running: Installation) -> str:
    """What `status` says of the catalogue."""
    return next(line for line in running.collector_says("status").splitlines() if line.startswith("catalogue version"))


def test_a_reload_that_touches_the_past_waits_and_another_person_lets_it_take_effect(running: Installation) -> None:
    written(running, 'timezone = "', 'incident_gap_ms = 1\ntarget_percent_is = "#"\ntimezone = "')
    until("the alarm of a broken file", lambda: "alarm=catalogue-broken" in running.log("collector"))
    written(running, 'incident_gap_ms = 1\ntarget_percent_is = "#"\n', "# a comment\n")
    until("what touches nothing takes effect", lambda: version(running).startswith("catalogue version 2"))
    written(running, WEB, WEB + API)
    until("it waits", lambda: "alarm=catalogue-held" in running.log("collector"))
    assert version(running).startswith("catalogue version 2")
    until("the page says so", lambda: "ersion 3 of the catalogue is held" in page(running), SLOW_S)
    assert ">api<" not in page(running)
    running.collector_says("catalogue", "approve", "3", *APPROVED)
    until("it is in force where it serves", lambda: "event=catalogue-in-force" in running.log("collector"))
    until("the page shows it", lambda: ">api<" in page(running), SLOW_S)
    until("nothing waits", lambda: "event=alarm-over alarm=catalogue-held" in running.log("collector"))
    assert running.report("api")["id"] == "api"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path, WEB) as made:
        yield made


def test_who_follows_goes_by_the_leaders_catalogue_and_calendars(pair: Pair) -> None:
    dc = pair.folder / "dc" / "services.toml"
    today = time.gmtime(time.time() + 7 * 3_600)
    table = f"{HEAD}{today.tm_year}-01-01,Tahun Baru,national,SKB\n{today.tm_year}-01-02,Cuti,joint-leave,SKB\n"
    (dc.parent / "libur.csv").write_text(table)
    dc.write_text(dc.read_text().replace("Test", "Bea Cukai") + CALENDAR)
    pair.processes["dc"].send_signal(signal.SIGHUP)
    until("the leader takes it", lambda: "catalogue version 2" in pair.says("dc", "status"))
    until("the other one has it", lambda: "catalogue version 2" in pair.says("drc", "status"))
    # Days that holidays have taken are not in the service time of either.
    words = ("report", "--from", f"{today.tm_year}-01-01", "--to", f"{today.tm_year}-01-04", "--format", "json")
    reports = [json.loads(pair.says(side, *words)) for side in ("dc", "drc")]
    assert [one["figure"]["service_time_ms"] for one in reports] == [86_400_000] * 2
    assert [one["organisation"] for one in reports] == ["Bea Cukai"] * 2
    assert reports[0]["catalogue"] == reports[1]["catalogue"]

    begin = time.time()
    (pair.folder / "pid").write_text("1")
    pair.add_agent("n", process_check(pair.folder / "pid"))
    until("there is a past", lambda: pair.condition("drc", "web") == "up", SLOW_S)
    dc.write_text(dc.read_text().replace("0.1", "0.001"))
    pair.processes["dc"].send_signal(signal.SIGHUP)
    until("it waits at both", lambda: "Version 3 of the catalogue is held" in pair.says("drc", "status"), SLOW_S)
    assert pair.tried("drc", "catalogue", "approve", "3", *APPROVED).returncode == 2
    pair.says("dc", "catalogue", "approve", "3", *APPROVED)
    until("it is in force at both", lambda: "catalogue version 3" in pair.says("drc", "status"), SLOW_S)

    def told() -> tuple[int, str]:
        # As of a moment ago, when it may not have been in force yet.
        report = json.loads(pair.until_equal(begin, time.time(), 60))
        return report["catalogue"]["version"], report["target_percent"]

    until("both report by it", lambda: told() == (3, "0.001"))


def test_after_a_promotion_no_old_file_comes_back_until_somebody_reloads_it(pair: Pair) -> None:
    own = (pair.folder / "drc" / "services.toml").read_text()
    written = pair.folder / "dc" / "services.toml"
    written.write_text(written.read_text().replace("Test", "Bea Cukai"))
    pair.processes["dc"].send_signal(signal.SIGHUP)
    until("the other one has it", lambda: "catalogue version 2" in pair.says("drc", "status"), SLOW_S)
    pair.end("dc")
    pair.says("drc", "promote", "--reason", "a drill")
    pair.end("drc", signal.SIGTERM)
    pair.start("drc")
    assert "catalogue version 2" in pair.says("drc", "status")
    until("its own file is told of", lambda: "alarm=catalogue-file" in pair.log("drc"))
    (pair.folder / "drc" / "services.toml").write_text("organisatio = 1\n")
    assert "catalogue version 2" in pair.says("drc", "status")
    # Whoever reloads says that he means the file.
    (pair.folder / "drc" / "services.toml").write_text(own.replace("Test", "DJP"))
    pair.processes["drc"].send_signal(signal.SIGHUP)
    until(
        "it is a version, taken or held",
        lambda: pair.says("drc", "catalogue", "list").splitlines()[-1].startswith("3 "),
    )
    pair.start("dc")
    until("both have it", lambda: pair.says("dc", "catalogue", "list") == pair.says("drc", "catalogue", "list"), 60)
    refused = pair.tried("dc", "catalogue", "reject", "3", "--reason", "no")
    assert refused.returncode == 2
