"""What the doctor finds, on facts that are made up, and on a real collector's files."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detak_collector import cli
from detak_collector.channel.certificate_files import Period
from detak_collector.copies.state_directory import owned
from detak_collector.downtime.catalogue import Catalogue, Dated, Group, Member, NodeEntry, Service
from detak_collector.ingest.rivals import Speaker
from detak_collector.operating.disk import Disk
from detak_collector.operating.doctor import DAY_MS, Examined, FileFact, Secrecy, findings
from detak_collector.operating.ntp import ClockState, clock_state
from detak_collector.store.base import NodeRow

NOW = 1_795_826_898_270
WEB = Service(
    "web", Dated.always("Web"), Dated.always("sangat kritis"),
    (Group("web/app", "app", Dated.always("application"), (Member(("app-01/web",)),)),),
    (Member(("edge-01/web",)),),
)  # fmt: skip
CATALOGUE = Catalogue(Dated.always("DJBC"), "Asia/Jakarta", (WEB,))
APP = NodeRow("app-01", True, 1, None, NOW - 1_000, "0.1.0", {"alive": "up", "web": "up"}, None, (), 0)
EDGE = replace(APP, name="edge-01")
WELL = Examined(
    now_utc=NOW, catalogue=CATALOGUE, down_after_ms=15_000, rows=[APP, EDGE], watched_to=NOW - 900,
    clock=ClockState(is_synchronised=True, error_ms=5), certificates={"collector": Period(0, NOW + 300 * DAY_MS)},
    refusers=0, files=[FileFact("/state", 0o700, "detak", "detak", Secrecy.PRIVATE)],
    disk=Disk(Path("/state"), 1 << 42, 1 << 40, 1 << 30, 900.0), last_backup=NOW - DAY_MS, hindrance=None,
)  # fmt: skip


def found(**changed: Any) -> list[tuple[str, str]]:
    return [(one.area, one.what) for one in findings(replace(WELL, **changed))]


def in_catalogue(*services: Service) -> Catalogue:
    return replace(CATALOGUE, services=services)


def test_of_a_collector_that_is_well_nothing_is_found() -> None:
    assert findings(WELL) == []


@pytest.mark.parametrize(
    ("changed", "area", "what"),
    [
        ({"watched_to": NOW - 60_000}, "collector", "it is not running"),
        (
            {"unseen_seals": ["seal 1 of 2026-10", "seal 2 of 2026-11"]},
            "seals",
            "made by another version, and not recomputed by this one: seal 1 of 2026-10, seal 2 of 2026-11",
        ),
        (
            {"differing_seals": ["seal 1 of 2026-10"]},
            "seals",
            "this version comes to other figures than were sealed: seal 1 of 2026-10",
        ),
        ({"watched_to": None}, "collector", "it is not running"),
        ({"hindrance": "it was moved. Start it"}, "collector", "it must not serve from this store"),
        ({"lacks_standby": True}, "store", "the database has several servers and no synchronous standby"),
        ({"clock": ClockState(False, 16_000)}, "clock", "nothing keeps this machine's clock right"),
        ({"clock": ClockState(True, 2_000)}, "clock", "this machine's clock may be off by 2000 ms"),
        ({"certificates": {"collector": Period(0, NOW - 1)}}, "tls", "the collector's certificate has ended"),
        (
            {"certificates": {"authority": Period(0, NOW + 20 * DAY_MS)}},
            "tls",
            "the authority's certificate ends in 20 days",
        ),
        ({"refusers": 3}, "tls", "3 addresses refuse this collector's certificate"),
        (
            {"files": [FileFact("/state", 0o750, "detak", "detak", Secrecy.PRIVATE)]},
            "permissions",
            "/state has mode 750",
        ),
        (
            {"files": [FileFact("/c.toml", 0o664, "root", "root", Secrecy.WRITTEN_BY_OWNER)]},
            "permissions",
            "/c.toml has mode 664",
        ),
        (
            {"files": [FileFact("/db", 0o600, "root", "detak", Secrecy.PRIVATE)]},
            "permissions",
            "/db belongs to root, not to detak",
        ),
        ({"disk": Disk(Path("/"), 1 << 40, 1 << 20, 0)}, "disk", "1.0 MiB are free where the store lies"),
        (
            {"disk": Disk(Path("/"), 1 << 40, 1 << 33, 0, 12.0)},
            "disk",
            "8.0 GiB are free where the store lies, enough for 12 days at its present growth",
        ),
        ({"last_backup": None}, "backup", "no backup was made here yet"),
        ({"last_backup": NOW - 30 * DAY_MS}, "backup", "the last backup is 30 days old"),
        ({"rows": [replace(APP, heard_utc=NOW - 60_000), EDGE]}, "nodes", "silent: app-01"),
        ({"rows": [APP, EDGE, replace(APP, name="x", heard_utc=None, states={})]}, "nodes", "never heard: x"),
        ({"rows": [APP, replace(EDGE, rivals=(Speaker("a", ""), Speaker("b", "")))]}, "nodes", "two agents: edge-01"),
        (
            {"rows": [replace(APP, states={"web": "up", "db": "down"}), EDGE]},
            "catalogue",
            "checks that are in no service: app-01/db",
        ),
        (
            {"rows": [EDGE]},
            "catalogue",
            "service web: no evidence of some of its checks: app-01/web",
        ),
        ({"rows": []}, "catalogue", "service web: no evidence at all: app-01/web, edge-01/web"),
        (
            {"catalogue": in_catalogue(replace(WEB, probes=())), "rows": [APP]},
            "catalogue",
            "service web is counted and has no probe",
        ),
        (
            {"catalogue": in_catalogue(replace(WEB, probes=(Member(("app-01/web",)),))), "rows": [APP]},
            "catalogue",
            "service web is counted and has probes on the very nodes that carry it only",
        ),
        (
            {"catalogue": in_catalogue(replace(WEB, groups=(), probes=(Member(("a/b",), until=NOW),))), "rows": []},
            "catalogue",
            "service web: no check measures it now",
        ),
    ],
)
def test_each_of_the_usual_mistakes_is_found(changed: dict[str, Any], area: str, what: str) -> None:
    assert (area, what) in found(**changed)


def test_each_finding_says_why_it_matters_and_what_to_do() -> None:
    everything = replace(
        WELL, rows=[replace(APP, heard_utc=1)], clock=None, disk=Disk(Path("/"), 1, 0, 0), last_backup=None,
        certificates={"collector": Period(0, 0)}, refusers=1, watched_to=None,
        unseen_seals=["one"], differing_seals=["two"],
    )  # fmt: skip
    told = findings(everything)
    assert len(told) > 5
    assert all(one.why and one.what_to_do for one in told)
    # The worst come first.
    assert [one.severity for one in told] == sorted((one.severity for one in told), key=lambda one: one != "fault")


def test_what_is_known_to_be_gone_or_not_to_count_is_no_mistake() -> None:
    retired = replace(CATALOGUE, nodes=(NodeEntry("old", retired=NOW - 1),))
    silent = replace(APP, name="old", heard_utc=1, states={})
    assert found(catalogue=retired, rows=[APP, EDGE, silent]) == []
    minor = in_catalogue(replace(WEB, criticality=Dated.always("kritis"), probes=()))
    assert found(catalogue=minor, rows=[APP]) == []
    witness = replace(CATALOGUE, nodes=(NodeEntry("x", witnesses=("app-01/ping",), references=("edge-01/gateway",)),))
    rows = [replace(APP, states={"web": "up", "ping": "up"}), replace(EDGE, states={"web": "up", "gateway": "up"})]
    assert found(catalogue=witness, rows=rows) == []
    assert found(rows=[APP, EDGE, replace(APP, name="gone", enrolled=False, states={"x": "up"})]) == []


def test_a_collector_that_was_stopped_long_ago_lays_no_silence_to_its_nodes() -> None:
    heard = [replace(APP, heard_utc=NOW - DAY_MS), replace(EDGE, heard_utc=NOW - DAY_MS)]
    assert found(watched_to=NOW - DAY_MS, rows=heard) == [("collector", "it is not running")]


def test_the_kernel_says_how_the_clock_is_kept() -> None:
    state = clock_state()
    assert state is None or 0 <= state.error_ms <= 16_000


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    assert cli.run(["--config", str(home / "collector.toml"), "enroll", "app-01"]) == 0
    capsys.readouterr()
    return home


def told(home: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert cli.run(["--config", str(home / "collector.toml"), "doctor", "--json"]) == 1
    return [one["what"] for one in json.loads(capsys.readouterr().out)["findings"]]


def test_a_backup_satisfies_the_doctor(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no backup was made here yet" in told(home, capsys)
    assert cli.run(["--config", str(home / "collector.toml"), "backup", str(home.parent / "b.tar.gz")]) == 0
    capsys.readouterr()
    assert "no backup was made here yet" not in told(home, capsys)


def test_files_that_others_may_read_or_that_belong_to_another_user_are_found(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "state").chmod(0o755)
    (home / "collector.toml").chmod(0o622)
    said = told(home, capsys)
    assert f"{home}/state has mode 755" in said
    assert f"{home}/collector.toml has mode 622" in said
    if os.geteuid() == 0:
        os.chown(home / "state" / "detak.sqlite", 65_534, 65_534)
        assert [what for what in told(home, capsys) if "detak.sqlite belongs to nobody, not to root" in what]


def test_the_text_has_what_why_and_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--config", str(home / "collector.toml"), "doctor"]) == 1
    text = capsys.readouterr().out
    assert "FAULT    collector: it is not running.\n         Agents keep" in text
    assert "         To do: systemctl start detak-collector" in text


def findings_of(home: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    assert cli.run(["--config", str(home / "collector.toml"), "doctor", "--json"]) == 1
    return [(one["area"], one["what"]) for one in json.loads(capsys.readouterr().out)["findings"]]


def test_it_finds_what_is_wrong_with_the_catalogue_and_goes_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "services.toml").write_text("organisatio = 1\n")
    told = findings_of(home, capsys)
    assert any(area == "catalogue" and "organisatio" in what for area, what in told)
    assert ("backup", "no backup was made here yet") in told


def test_it_finds_that_collector_toml_is_wrong_and_goes_on_with_the_rest(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (home / "collector.toml").open("a") as file:
        file.write('down_after = 5\n[tls]\ncertificate = "gone.pem"\nkey = "gone.key"\n')
    told = findings_of(home, capsys)
    assert [what.partition(":")[2] for area, what in told if area == "configuration"] == [
        " down_after: no such key, did you mean down_after_ms?",
        ' tls.certificate: no such file (got "gone.pem")',
        ' tls.key: no such file (got "gone.key")',
    ]
    assert ("tls", f"the collector's certificate cannot be read: {home}/gone.pem: No such file or directory") in told
    assert ("backup", "no backup was made here yet") in told


def test_a_configuration_that_names_no_folder_is_told_as_everywhere_else(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "collector.toml").write_text("listen = \n")
    assert cli.run(["--config", str(home / "collector.toml"), "doctor"]) == 2
    assert "not TOML" in capsys.readouterr().err


@pytest.mark.parametrize(("spoil", "what"), [
    (shutil.rmtree, "No such file or directory"),
    (lambda state: (state / "detak.sqlite").unlink(), "enrol a node with `detak-collector enroll NODE`"),
    (lambda state: (state / "detak.sqlite").write_bytes(b"no database at all" * 100), "file is not a database"),
])  # fmt: skip
def test_a_store_that_cannot_be_read_is_a_finding(
    home: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], what: str
) -> None:
    spoil(home / "state")
    told = findings_of(home, capsys)
    assert any(area in {"store", "disk"} and what in line for area, line in told)
    assert ("collector", "it is not running") in told


def test_a_collector_that_runs_on_a_full_disk_is_not_said_to_be_stopped(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with owned(home / "state"):
        told = findings_of(home, capsys)
    assert ("collector", "it is running, and has written nothing to its store") in told
    assert ("collector", "it is not running") not in told
    assert ("collector", "it is running, and has written nothing to its store for 60 s") in found(
        watched_to=NOW - 60_000, is_running=True
    )


def test_a_collector_that_most_nodes_refuse_is_not_told_to_look_at_its_disk() -> None:
    (one,) = findings(replace(WELL, is_running=True, watched_to=NOW - 60_000, refusers=3, is_unheard=True))
    assert (one.area, one.what) == ("tls", "3 addresses refuse this collector's certificate")
    assert "no node that falls silent is shown as down" in one.why
