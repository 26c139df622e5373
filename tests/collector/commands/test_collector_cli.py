import re
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from detak_collector import cli, config
from detak_collector.catalogue import load as load_catalogue
from detak_collector.clocks import system_clock
from detak_collector.ingest.rivals import Speaker
from detak_collector.store.base import Arrival
from detak_collector.store.sqlite import open_store
from detak_wire.messages import Evidence, Part, PreviousRun
from evidence_builders import NODE, beat, first_beat, opening, span

RUN = "aaaa0001"


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert cli.run(["init", str(tmp_path / "detak")]) == 0
    capsys.readouterr()
    return tmp_path / "detak"


def call(home: Path, *arguments: str) -> int:
    return cli.run(["--config", str(home / "collector.toml"), *arguments])


def enrolled_and_heard(home: Path, evidence: Evidence, ago_ms: int = 0) -> None:
    now = system_clock()()
    store = open_store(home / "state", now)
    store.registry.issue(NODE, b"t" * 32, now.utc + 60_000, now)
    store.registry.redeem(b"t" * 32, NODE, b"k" * 32, now)
    at = type(now)(now.utc - ago_ms, now.boottime - ago_ms, now.boot)
    store.evidence.commit([Arrival(NODE, evidence, at)])
    store.watch.begin(now)
    store.close()


def test_init_makes_a_configuration_that_is_good(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert config.load(home / "collector.toml").state_directory == home / "state"
    assert load_catalogue(home / "services.toml").services
    assert call(home, "config-check") == 0
    assert capsys.readouterr().out.count(": fine") == 2


def test_init_leaves_what_is_there_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "services.toml").write_text("mine")
    assert cli.run(["init", str(home)]) == 2
    assert (home / "services.toml").read_text() == "mine"
    assert capsys.readouterr().err.count("is there already") == 2


def test_config_check_tells_the_faults_of_both_files(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "collector.toml").write_text("lisen = 1\n")
    (home / "services.toml").write_text("organisatio = 1\n")
    assert call(home, "config-check") == 2
    told = capsys.readouterr().err
    assert "collector.toml: lisen: no such key, did you mean listen?" in told
    assert "services.toml: organisatio" in told
    assert "Traceback" not in told


def test_enroll_says_where_its_line_leads_no_other_machine_to_the_collector(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "enroll", NODE) == 0
    assert "http://127.0.0.1:8080 is this machine itself" in capsys.readouterr().err
    config = home / "collector.toml"
    config.write_text(f'public_url = "https://detak.example"\n{config.read_text()}')
    assert call(home, "enroll", NODE) == 0
    assert "this machine itself" not in capsys.readouterr().err


def test_enroll_prints_the_line_to_paste(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "enroll", NODE) == 0
    printed = capsys.readouterr()
    line = (
        r"detak-agent enroll --collector http://127\.0\.0\.1:8080 --token [0-9a-f]{64} --node " + re.escape(NODE) + "\n"
    )
    assert re.fullmatch(line, printed.out)
    assert "within 24 h" in printed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["enroll", "DB 01"], "(got 'DB 01')"),
        (["enroll", NODE, "--expires", "soon"], "such as 24h (got 'soon')"),
        (["enroll"], "NODE or --count: exactly one of them"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    home: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, *arguments) == 2
    assert told in capsys.readouterr().err


def test_a_configuration_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "nodes") == 2
    assert "write one with `detak-collector init`" in capsys.readouterr().err


def test_nodes_of_a_collector_that_has_no_store_yet_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "nodes") == 3
    assert "no such file: enrol a node" in capsys.readouterr().err
    assert not (home / "state" / "detak.sqlite").exists()


def test_nodes_lists_who_is_heard_and_what_is_wrong_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled_and_heard(home, beat(Part(RUN, opening(), [span(1, "alive"), span(2, state="down")])))
    assert call(home, "nodes") == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[:2] == [NODE, "heard"]
    assert " ".join(row[-6:]) == "0.1.0 1 up, 1 down: web"


def test_a_silent_node_is_bad_news(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled_and_heard(home, first_beat(), ago_ms=200_000)
    assert call(home, "nodes") == 1
    assert re.search(rf"{NODE} +silent +3 m ago", capsys.readouterr().out)


def test_a_revoked_node_is_told_once_and_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled_and_heard(home, first_beat())
    assert call(home, "revoke", NODE) == 0
    assert call(home, "revoke", NODE) == 1
    assert "has no key" in capsys.readouterr().err
    assert call(home, "nodes") == 0
    assert "revoked" in capsys.readouterr().out


def test_two_agents_with_one_identity_are_bad_news(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled_and_heard(home, first_beat())
    now = system_clock()()
    store = open_store(home / "state", now)
    store.evidence.commit([Arrival(NODE, first_beat("aaaa0002"), now)])
    speakers = [Speaker(RUN, "10.0.0.5"), Speaker("aaaa0002", "10.0.0.6")]
    store.registry.note_rivals({NODE: speakers}, now)
    store.close()
    assert call(home, "nodes") == 1
    printed = capsys.readouterr()
    assert re.search(rf"{NODE} +two agents", printed.out)
    assert f"{NODE}: two agents with one identity: boot " in printed.err
    assert "run aaaa0001, from 10.0.0.5; boot " in printed.err
    assert f"`detak-collector revoke {NODE}`" in printed.err


def test_a_node_that_was_stopped_on_purpose_is_not_bad_news(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = first_beat(previous=PreviousRun("aaaa0000", "0b007000", 1, 0))
    stopping = Evidence(1, NODE, RUN, message.sent_agent, message.parts, stopping="stop", stopping_agent=3_000)
    enrolled_and_heard(home, stopping, ago_ms=200_000)
    assert call(home, "nodes") == 0
    assert "stopped" in capsys.readouterr().out


def test_an_unforeseen_error_is_one_line_and_no_traceback(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "state" / "detak.sqlite").mkdir()
    assert call(home, "nodes") == 3
    told = capsys.readouterr().err
    assert "unable to open database file" in told
    assert "Traceback" not in told


def test_a_service_s_name_in_brackets_is_shown_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    services = home / "services.toml"
    services.write_text(services.read_text().replace("Public portal", "Portal [dc] [/b]"))
    enrolled_and_heard(home, first_beat())
    call(home, "status")
    assert capsys.readouterr().out.count("Portal [dc] [/b]") > 1
    call(home, "report", "--period", "2026")
    assert capsys.readouterr().err == ""


def test_config_check_tells_wrong_types_and_refused_values_of_one_file_at_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "collector.toml").write_text('listen = "0.0.0.0:80"\ndrift_ppm = "x"\n')
    assert call(home, "config-check") == 2
    told = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert told == ["drift_ppm", "state_directory", "listen"]


def test_one_service_is_one_service(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "config-check") == 0
    assert capsys.readouterr().out.endswith("services.toml: fine, 1 service\n")


def test_where_nothing_was_observed_status_says_nothing_of_the_target(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = system_clock()()
    watching = replace(now, utc=now.utc - 3_000, boottime=now.boottime - 3_000)
    with closing(open_store(home / "state", now)) as store:
        store.watch.extend(store.watch.begin(watching), now)
    assert call(home, "status") == 1
    told = capsys.readouterr()
    assert told.err == ""
    assert "so far: nothing was observed, so nothing is said of the target of 0.1 %." in told.out
    # What it never saw it cannot know since before it was there.
    zone = load_catalogue(home / "services.toml").timezone
    since = datetime.fromtimestamp(watching.utc / 1_000, ZoneInfo(zone))
    assert f"not observed  {since:%Y-%m-%d %H:%M:%S}" in told.out


def test_a_store_that_root_made_by_other_means_is_told_of(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "state" / "detak.sqlite").mkdir()
    assert call(home, "enroll", "db-01") == 3
    assert "see that the file and its folder are there, and belong to the user" in capsys.readouterr().err


def test_what_is_no_token_of_a_pair_is_told_before_anybody_is_asked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "pair", "join", "http://127.0.0.1:9", "--token", "abc") == 2
    assert "this is no token: paste the whole line that `detak-collector pair token` printed" in capsys.readouterr().err
