"""The key's file: who may read it, where it may come from, and which fingerprints are understood."""

import os
import stat
from pathlib import Path

import pytest

from detak_agent.config import CollectorSettings
from detak_agent.failures import CouldNotError
from detak_agent.fingerprints import normal_fingerprint
from detak_agent.keys import key_path, read_key, write_key

HEX = "0123456789abcdef" * 4


def test_a_key_is_written_for_the_agent_alone_and_read_back(tmp_path: Path) -> None:
    path = key_path(CollectorSettings(url="https://detak.example.go.id"), tmp_path)
    assert read_key(path) is None
    write_key(path, "first")
    write_key(path, "second")
    assert read_key(path) == "second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["detak.example.go.id_443.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_may_use_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "one.key"
    write_key(path, "secret")
    path.chmod(mode)
    with pytest.raises(CouldNotError) as error:
        read_key(path)
    assert f"(mode {mode:04o}): chmod 600 {path}" in str(error.value)
    path.chmod(0o400)
    assert read_key(path) == "secret"


def test_a_bare_name_is_a_credential_of_systemd_whose_rights_are_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = CollectorSettings(url="https://detak.example.go.id", key_file="detak-key")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(CouldNotError, match="add LoadCredential=detak-key:/path/to/it to the service"):
        key_path(settings, tmp_path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "detak-key").write_text("handed over\n")
    (tmp_path / "detak-key").chmod(0o440)
    assert read_key(key_path(settings, tmp_path / "state")) == "handed over"


def test_a_key_that_cannot_be_written_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "one.key"
    write_key(path, "old")
    path.with_name("one.key.new").mkdir()
    with pytest.raises(CouldNotError, match="the key cannot be written"):
        write_key(path, "new")
    assert read_key(path) == "old"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (f"sha256:{HEX}", f"sha256:{HEX}"),
        (f"SHA256:{HEX.upper()}", f"sha256:{HEX}"),
        (f" sha256:{':'.join(HEX[at : at + 2] for at in range(0, 64, 2))}\n", f"sha256:{HEX}"),
        (HEX, None),
        (f"sha1:{HEX[:40]}", None),
        (f"sha256:{HEX[:-1]}", None),
        (f"sha256:{HEX}00", None),
        (f"sha256::{HEX}", None),
        ("", None),
    ],
)
def test_a_fingerprint_is_understood_with_or_without_colons(written: str, normal: str | None) -> None:
    assert normal_fingerprint(written) == normal


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_enrols_belongs_to_the_agent_with_the_folder_that_it_lies_in(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65_534, 65_534)
    write_key(state / "keys" / "dc.key", "k" * 43, state)
    assert {one.stat().st_uid for one in state.rglob("*")} == {65_534}
