"""What the line to paste says of the collector's certificate."""

import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from certificates import self_signed
from detak_collector import cli
from detak_collector.channel.certificate import fingerprint_of, is_trusted_everywhere
from detak_collector.config import Tls


@pytest.fixture
def tls(tmp_path: Path, require: Callable[[str], str]) -> Tls:
    certificate = self_signed(require("openssl"), tmp_path / "tls", "detak.test")
    return Tls(certificate, certificate.with_name("key.pem"))


@pytest.fixture
def home(tmp_path: Path, tls: Tls, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder)]) == 0
    (folder / "collector.toml").write_text(
        f'state_directory = "state"\nlisten = "127.0.0.1:8443"\npublic_url = "https://detak.test"\n'
        f'[tls]\ncertificate = "{tls.certificate}"\nkey = "{tls.key}"\n'
    )
    capsys.readouterr()
    return folder


def sha256(certificate: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def test_a_certificate_that_no_system_trusts_is_in_the_line_to_paste(
    home: Path, tls: Tls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["--config", str(home / "collector.toml"), "enroll", "db-01"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("detak-agent enroll --collector https://detak.test --token ")
    assert printed.out.endswith(f" --fingerprint {sha256(tls.certificate)}\n")
    assert "with ca_file in its agent.toml instead of --fingerprint that is not needed" in printed.err


def test_a_certificate_that_every_system_trusts_is_not_pinned(
    home: Path, tls: Tls, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    assert cli.run(["--config", str(home / "collector.toml"), "enroll", "db-01"]) == 0
    assert "--fingerprint" not in capsys.readouterr().out
    assert is_trusted_everywhere(tls, "detak.test")
    assert not is_trusted_everywhere(tls, "other.test")


def test_config_check_shows_the_fingerprint_to_compare(
    home: Path, tls: Tls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["--config", str(home / "collector.toml"), "config-check"]) == 0
    assert f"{tls.certificate}: fingerprint {sha256(tls.certificate)}\n" in capsys.readouterr().out


def test_the_first_certificate_of_a_chain_is_the_collector_s_own(tls: Tls, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_text(f"a comment\n{tls.certificate.read_text()}\n-----BEGIN CERTIFICATE-----\nx\n")
    assert fingerprint_of(chain) == sha256(tls.certificate)
    chain.write_text("nothing")
    with pytest.raises(ValueError, match="there is no PEM certificate in it"):
        fingerprint_of(chain)


def test_a_key_that_cannot_be_read_makes_no_certificate_trusted(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    tls.key.write_text("nothing")
    assert not is_trusted_everywhere(tls, "detak.test")
