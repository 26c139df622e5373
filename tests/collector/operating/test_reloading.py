"""A changed configuration is taken whole, or not at all with everything that is wrong in it."""

import logging
from pathlib import Path

import pytest

from detak_collector.config import Config, ConfigurationError, load
from detak_collector.operating.reloading import reread, tell_refused

GOOD = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
target_percent = 0.1
counted_criticality = ["kritis"]
[[service]]
id = "web"
name = "Web"
criticality = "kritis"
hours = "24x7"
probes = ["a/web"]
"""
BARE = 'state_directory = "state"\n'


def written(folder: Path, more: str = "", services: str = GOOD) -> Config:
    (folder / "services.toml").write_text(services)
    (folder / "collector.toml").write_text(BARE + more)
    return load(folder / "collector.toml")


def faults(folder: Path, before: Config) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        reread(lambda: load(folder / "collector.toml"), before)
    return refused.value.faults


def test_both_files_are_read_again(tmp_path: Path) -> None:
    before = written(tmp_path)
    written(tmp_path, 'down_after_ms = 20000\n[syslog]\naddress = "udp://siem"\n', GOOD.replace("DJBC", "DJP"))
    fresh = reread(lambda: load(tmp_path / "collector.toml"), before)
    assert fresh.config.down_after_ms == 20_000
    assert fresh.config.syslog is not None
    assert fresh.services is not None
    assert fresh.services.catalogue.organisation.values() == ("DJP",)


def test_a_collector_that_goes_by_the_other_ones_versions_needs_no_catalogue_that_is_right(tmp_path: Path) -> None:
    before = written(tmp_path)
    written(tmp_path, "down_after_ms = 20000\n", "organisatio = 1\n")
    fresh = reread(lambda: load(tmp_path / "collector.toml"), before, needs_file=False)
    assert (fresh.config.down_after_ms, fresh.services) == (20_000, None)


def test_what_takes_a_restart_is_refused_with_the_rest_of_the_change(tmp_path: Path) -> None:
    before = written(tmp_path)
    (tmp_path / "collector.toml").write_text('state_directory = "other"\nlisten = "127.0.0.1:81"\n')
    assert faults(tmp_path, before) == [
        f"collector.toml: {key}: a change takes a restart; nothing of the new configuration is taken before"
        for key in ("state_directory", "listen")
    ]


def test_faults_of_both_files_are_told_at_once(tmp_path: Path) -> None:
    before = written(tmp_path)
    (tmp_path / "collector.toml").write_text(BARE + 'listen = "127.0.0.1:81"\n')
    (tmp_path / "services.toml").write_text(GOOD.replace("target_percent", "target_percen"))
    told = faults(tmp_path, before)
    assert told[0].startswith("collector.toml: listen: a change takes a restart")
    assert any("target_percen" in line for line in told[1:])


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    before = written(tmp_path)
    (tmp_path / "collector.toml").write_text("listen = \n")
    assert "not TOML" in faults(tmp_path, before)[0]


def test_a_refusal_is_told_to_the_audit_trail_by_its_first_fault_and_to_the_log_by_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    audited: list[tuple[str, str, int, dict[str, str | int]]] = []

    def audit(name: str, text: str, level: int = logging.INFO, **told: str | int) -> None:
        audited.append((name, text, level, told))

    tell_refused(ConfigurationError(["a: is missing", "b: no such key"]), audit)
    text = "the configuration is not reloaded, the old one is in force: a: is missing"
    assert audited == [("reload-refused", text, logging.WARNING, {"faults": 2})]
    assert [one.getMessage() for one in caplog.records] == [
        "not reloaded: a: is missing",
        "not reloaded: b: no such key",
    ]
