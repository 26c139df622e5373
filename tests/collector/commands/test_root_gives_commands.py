"""Root gives a command where the collector runs as another user: what it makes must be that user's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.commands.session import Session
from detak_collector.config import load

SERVICE = 65_534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Path]:
    """Made by init as root, and its state directory given to the service as init says."""
    former = os.umask(0o077)
    home = tmp_path / "detak"
    assert cli.run(["init", str(home), "--name", "detak.example"]) == 0
    assert f"chown -R detak-collector: {home}/state {home}/tls {home}/ca" in capsys.readouterr().out
    os.chown(home / "state", SERVICE, SERVICE)
    yield home
    os.umask(former)


def owners(home: Path) -> dict[str, int]:
    return {one.name: one.stat().st_uid for one in (home / "state").iterdir()}


@pytest.mark.parametrize("line", ["enroll db-01", "pair token", "history add 2023 0.01 --document LAP-1"])
def test_the_first_command_makes_a_store_that_the_service_can_open(home: Path, line: str) -> None:
    assert cli.run(["--config", str(home / "collector.toml"), *line.split()]) == 0
    assert owners(home) == {"detak.sqlite": SERVICE}
    assert (home / "state" / "detak.sqlite").stat().st_mode & 0o777 == 0o600


def test_so_are_the_files_beside_it_while_it_is_open(home: Path) -> None:
    session = Session.begin(home / "collector.toml", debug=False)
    with session.store(session.config()):
        assert owners(home) == dict.fromkeys(("detak.sqlite", "detak.sqlite-wal", "detak.sqlite-shm"), SERVICE)


def test_so_is_all_that_later_commands_leave(home: Path) -> None:
    for line in ("enroll db-01", f"backup {home}/b.tar.gz", f"move {home}/m.tar.gz", "adopt"):
        assert cli.run(["--config", str(home / "collector.toml"), *line.split()]) == 0
    assert {"collector.lock", "last-backup.json"} < set(owners(home))
    assert set(owners(home).values()) == {SERVICE}


def test_what_the_service_must_read_can_be_read_by_it_and_keys_by_nobody_else(home: Path) -> None:
    modes = {name: (home / name).stat().st_mode & 0o777 for name in ("", "collector.toml", "services.toml", "state")}
    assert modes == {"": 0o755, "collector.toml": 0o644, "services.toml": 0o644, "state": 0o700}
    assert (home / "tls" / "server.pem").stat().st_mode & 0o077 == 0


def test_what_is_kept_apart_from_the_configuration_is_the_service_s_so_that_it_can_renew_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, state = tmp_path / "etc", tmp_path / "var"
    state.mkdir(mode=0o700)
    os.chown(state, SERVICE, SERVICE)
    assert cli.run(["init", str(home), "--name", "detak.example", "--state", str(state)]) == 0
    assert "chown" not in capsys.readouterr().out
    config = load(home / "collector.toml")
    assert config.tls is not None
    assert (config.state_directory, config.tls.authority) == (state, state / "ca")
    assert config.tls.certificate == state / "tls" / "server.pem"
    assert {one.stat().st_uid for one in state.rglob("*")} == {SERVICE}
    assert cli.run(["--config", str(home / "collector.toml"), "certificate", "renew"]) == 0
    assert {one.name for one in home.iterdir()} == {"collector.toml", "services.toml"}


def test_what_is_restored_on_a_new_machine_lies_where_the_service_reaches_it(home: Path, tmp_path: Path) -> None:
    for path in (home / "tls", home / "ca", *(home / "tls").iterdir(), *(home / "ca").iterdir()):
        os.chown(path, SERVICE, SERVICE)
    for line in ("enroll db-01", f"backup {tmp_path}/b.tar.gz"):
        assert cli.run(["--config", str(home / "collector.toml"), *line.split()]) == 0
    home.rename(tmp_path / "lost")
    assert cli.run(["--config", str(home / "collector.toml"), "restore", str(tmp_path / "b.tar.gz")]) == 0
    assert {(home / name).stat().st_uid for name in ("tls", "ca", "tls/server.pem", "ca/authority.key")} == {SERVICE}
