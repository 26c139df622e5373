"""A seal with the time stamp of an authority that openssl is: kept, checked, and refused where it is not good."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.closing.bodies import SealBody
from detak_collector.closing.timestamping import message_of
from detak_collector.store.entries import SqlEntries
from detak_collector.store.sqlite import open_store
from evidence_builders import reading
from outage_history import SERVICES, fill
from peers.timestamp_authority import Authority, authority

pytestmark = pytest.mark.peers("openssl")

DOCUMENT = (Path(__file__).parents[2] / "docs" / "closing.md").read_text(encoding="utf-8")
(SCRIPT,) = re.findall(
    r"^```\n(detak-collector ledger export.*?openssl ts.*?)\n```", DOCUMENT, re.MULTILINE | re.DOTALL
)
COMMANDS = SCRIPT.splitlines()

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def stamps(require: Callable[[str], str], tmp_path: Path) -> Iterator[Authority]:
    with authority(require("openssl"), tmp_path / "tsa") as made:
        yield made


@pytest.fixture
def call(stamps: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """A collector's commands, whose seals are stamped."""
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder)]) == 0
    (folder / "services.toml").write_text(SERVICES)
    shutil.copy(stamps.root, folder / "tsa.pem")
    file = folder / "collector.toml"
    file.write_text(
        f'{file.read_text()}\n[seal]\ncoverage_percent = 0\ntimestamp_url = "{stamps.url}"\n'
        'timestamp_ca_file = "tsa.pem"\n'
    )
    fill(folder / "state", {"web": [(60, 68)], "api": []}, 400)

    def called(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.run(["--config", str(file), *words])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return called


def by_hand(commands: list[str], folder: Path) -> int:
    words = ["bash", "-euo", "pipefail", "-c", "\n".join(commands)]
    environment = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(words, capture_output=True, check=False, cwd=folder, env=environment, timeout=60).returncode


def sealed(folder: Path) -> SealBody | None:
    store = open_store(folder / "state", reading(0))
    try:
        bodies = [SealBody(**one.told) for one in SqlEntries(store.database).of("seal")]
    finally:
        store.close()
    return bodies[0] if bodies else None


@pytest.mark.peers("jq", "base64")
def test_a_seal_has_a_stamp_that_openssl_too_finds_good_by_the_commands_of_the_document(
    call: Call, stamps: Authority, tmp_path: Path
) -> None:
    assert call("seal", "2023-11", "--by", "Ani")[0] == 0
    code, told = call("verify", "--sealed")
    assert (code, "time stamp 20" in told, "NOT GOOD" in told) == (0, True, False)
    own, *others = COMMANDS
    program, *words = own.split()
    assert program == "detak-collector"
    assert call(*words[:-1], str(tmp_path / words[-1]))[0] == 0
    shutil.copy(stamps.root, tmp_path / "tsa-ca.pem")
    assert by_hand(others, tmp_path) == 0
    body = sealed(tmp_path / "detak")
    assert body is not None
    assert (tmp_path / "seal.txt").read_bytes() == message_of(body)
    (tmp_path / "seal.txt").write_bytes(message_of(body).replace(b" ", b"  "))
    assert by_hand(others[-1:], tmp_path) != 0, "another account, or another head, is not what was stamped"
    assert "good by" in call("seal", "show", "1")[1]


@pytest.mark.parametrize(
    ("says", "said"),
    [("nonsense", "answers with no time stamp"), ("another", "is not good by"), ("replay", "Nonce mismatch")],
)
def test_without_a_good_stamp_nothing_is_sealed(
    call: Call, stamps: Authority, tmp_path: Path, says: str, said: str
) -> None:
    stamps.says = says
    code, told = call("seal", "2023-11", "--by", "Ani")
    assert (code, "nothing is entered" in told, said in told) == (3, True, True), told
    assert sealed(tmp_path / "detak") is None


def test_a_stamp_of_another_authority_is_told(call: Call, stamps: Authority, tmp_path: Path) -> None:
    assert call("seal", "2023-11", "--by", "Ani")[0] == 0
    with authority(stamps.openssl, tmp_path / "other") as other:
        shutil.copy(other.root, tmp_path / "detak" / "tsa.pem")
    code, told = call("verify", "--sealed")
    assert (code, "time stamp NOT GOOD" in told) == (1, True)


def test_an_authority_that_is_not_there_costs_the_seal_and_is_named(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "detak" / "collector.toml"
    lines = ["timestamp_url = 'http://127.0.0.1:9/'" if one.startswith("timestamp_url") else one
             for one in file.read_text().splitlines()]  # fmt: skip
    file.write_text("\n".join(lines))
    code, told = call("seal", "2023-11", "--by", "Ani")
    assert (code, "http://127.0.0.1:9/: gives no time stamp" in told) == (3, True)
    file.write_text("\n".join(one for one in lines if "timestamp_ca_file" not in one))
    assert "seal.timestamp_ca_file: is missing" in call("config-check")[1]
