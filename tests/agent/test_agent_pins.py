"""The keys of authorities as a person writes them into agent.toml or pastes them."""

import argparse
from pathlib import Path

import pytest

from detak_agent.checks.registry import REGISTRY
from detak_agent.cli_identity import enroll
from detak_agent.config import parse
from detak_agent.failures import ConfigurationError
from detak_agent.key_standing import key_lines
from detak_agent.keys import trust_of
from detak_agent.machine_identity import MachineIdentity
from detak_agent.trust import Pins

A, B, C = (f"sha256:{pair * 32}" for pair in ("ab", "cd", "ef"))
SPACED = "SHA256:" + ":".join(["AB"] * 32)


def written(folder: Path, more: str, url: str = "https://127.0.0.1:9") -> str:
    return f'node = "n"\nstate_directory = "{folder}"\n[[collector]]\nurl = "{url}"\n{more}\n'


def test_they_are_compared_however_they_were_written(tmp_path: Path) -> None:
    (collector,) = parse(written(tmp_path, f'ca_keys = ["{SPACED}", "{B}"]'), REGISTRY).collectors
    assert trust_of(collector, tmp_path).pins() == Pins(authority_keys=(A, B))


@pytest.mark.parametrize(
    ("more", "url", "said"),
    [
        ('ca_keys = ["sha256:12"]', "https://x", "each must be sha256: and the 64 hexadecimal digits"),
        (f'ca_keys = ["{A}", "{B}", "{C}"]', "https://x", "at most 2: the present authority's, and the next one's"),
        (f'ca_keys = ["{A}"]\nca_file = "/ca.pem"', "https://x", "may not stand beside ca_file"),
        (f'ca_keys = ["{A}"]\nfingerprint = "{B}"', "https://x", "may not stand beside fingerprint"),
        (f'ca_keys = ["{A}"]', "http://127.0.0.1:9", "plain HTTP has no certificate"),
        (f'ca_keys = "{A}"', "https://x", "ca_keys: must be"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, more: str, url: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse(written(tmp_path, more, url), REGISTRY)
    (line,) = error.value.lines
    assert line.startswith("agent.toml: collector[0].ca_keys: ")
    assert said in line


@pytest.mark.parametrize(
    ("ca_keys", "fingerprint", "more", "said"),
    [
        ([A], B, "", "--ca-key: may not stand beside --fingerprint"),
        ([A, B, C], None, "", "--ca-key: at most 2"),
        (["sha256:12"], None, "", "--ca-key: must be sha256:"),
        ([A], None, f'ca_keys = ["{B}"]', f"--ca-key: agent.toml trusts another one, {B}"),
        ([A], None, f'fingerprint = "{A}"', "--ca-key: agent.toml trusts another one"),
        ([A], None, 'ca_file = "/ca.pem"', "has a ca_file in agent.toml"),
    ],
)
def test_a_pasted_line_that_contradicts_agent_toml_is_refused_before_anything_is_sent(
    tmp_path: Path, ca_keys: list[str], fingerprint: str | None, more: str, said: str
) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(written(tmp_path / "state", more))
    pasted = {"collector": None, "token": "t" * 20, "fingerprint": fingerprint, "ca_key": ca_keys}
    options = argparse.Namespace(config=path, **pasted, line=None, node=None, key_to=None)
    with pytest.raises(ConfigurationError, match=r"^agent|^--") as error:
        enroll(options, REGISTRY)
    assert said in str(error.value)
    assert not (tmp_path / "state").exists()


def test_status_says_whom_it_trusts_and_that_it_is_not_connected(tmp_path: Path) -> None:
    config = parse(written(tmp_path, ""), REGISTRY)
    trust = trust_of(config.collectors[0], tmp_path)
    assert trust.pins() == Pins()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/127.0.0.1_9.authority").write_text(f"{A}\n{B}\n")
    trust.note("its certificate is refused: self-signed certificate")
    (line,) = key_lines(config, MachineIdentity("a" * 32), 0)
    assert line.endswith(
        f"; trusts the authority with the key {A} or {B}; NOT CONNECTED: its certificate is refused: self-signed "
        "certificate"
    )
    trust.note("")
    assert "NOT CONNECTED" not in key_lines(config, MachineIdentity("a" * 32), 0)[0]
