"""`init --name`, `certificate` and what `enroll` prints where the collector has an authority of its own."""

import re
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.channel.authority import names_of
from detak_collector.channel.authority_files import AuthorityFolder
from detak_collector.channel.certificate_files import certificates_in
from detak_collector.config import load


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder), "--name", "Detak.Test", "--name", "10.0.0.5", "--port", "9443"]) == 0
    capsys.readouterr()
    return folder


def said(home: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert cli.run(["--config", str(home / "collector.toml"), *words]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_init_with_a_name_makes_all_that_agents_elsewhere_need(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "collector.toml: fine" in said(home, capsys, "config-check")
    config = load(home / "collector.toml")
    assert (config.host, config.port, config.url) == ("0.0.0.0", 9443, "https://detak.test:9443")
    assert config.tls is not None
    assert names_of(certificates_in(config.tls.certificate.read_bytes())[0]) == ["detak.test", "10.0.0.5"]


@pytest.mark.parametrize("name", ["https://x", "x:8443", "a b", "", "-x", "x" * 300])
def test_what_is_no_name_is_a_usage_error_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert cli.run(["init", str(tmp_path / "detak"), "--name", name]) == 2
    assert "expected a host name or an address" in capsys.readouterr().err
    assert not (tmp_path / "detak").exists()


def test_an_authority_that_is_there_is_left_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("collector.toml", "services.toml"):
        (home / name).unlink()
    before = (home / "ca/authority.key").read_bytes()
    assert cli.run(["init", str(home), "--name", "x"]) == 2
    assert f"{home / 'ca'}: is there already" in capsys.readouterr().err
    assert (home / "ca/authority.key").read_bytes() == before


def test_the_line_to_paste_pins_the_authority_and_both_of_them_during_a_roll_over(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = AuthorityFolder(home / "ca")
    for step in ((), ("next-authority",), ("roll-over",), ("retire-former",)):
        if step:
            said(home, capsys, "certificate", *step)
        line = said(home, capsys, "enroll", "db-01")
        assert re.findall(r"--ca-key (sha256:\w{64})", line) == folder.fingerprints()
        assert "--fingerprint" not in line
    assert len(folder.fingerprints()) == 1


def test_show_says_what_agents_pin_and_that_all_is_well(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(home, capsys, "certificate", "show")
    (key,) = AuthorityFolder(home / "ca").fingerprints()
    assert f"agents pin   {key}\n" in told
    assert "396 days left" in told
    (home / "ca/authority.key").unlink()
    assert "bring authority.key there to renew the certificate" in said(home, capsys, "certificate", "show")


def test_a_certificate_is_renewed_for_other_names(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "renewed for new.test" in said(home, capsys, "certificate", "renew", "--name", "new.test")
    assert "for          new.test\n" in said(home, capsys, "certificate", "show")


def test_without_an_authority_of_one_s_own_each_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plain"
    assert cli.run(["init", str(folder)]) == 0
    for command in ("show", "renew", "next-authority", "roll-over", "retire-former"):
        assert "tls: this collector has no certificate" in said(folder, capsys, "certificate", command, code=2)


def test_a_step_out_of_turn_is_one_line_and_could_not_be_done(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no next authority yet" in said(home, capsys, "certificate", "roll-over", code=3)


@pytest.mark.parametrize("words", [("enroll",), ("enroll", "db-01", "--count", "3"), ("enroll", "--count", "0")])
def test_a_token_is_for_one_node_or_for_several(
    home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    said(home, capsys, *words, code=2)
    assert "up to 3 new nodes" in said(home, capsys, "enroll", "--count", "3")
