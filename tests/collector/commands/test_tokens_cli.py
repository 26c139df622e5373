"""`detak-collector token` as an operator meets it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.clocks import system_clock
from detak_collector.commands import tokens
from detak_collector.store.sqlite import open_store
from detak_collector.web.session import digest

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tokens, "login_name", lambda: "ops")
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    for name, role in (("siti", "viewer"), ("budi", "admin")):
        assert cli.run(["--config", str(home / "collector.toml"), "user", "add", name, "--role", role]) == 0
    return home


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def called(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["--config", str(home / "collector.toml"), "token", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return called


def test_a_token_is_printed_alone_and_once_listed_and_revoked(call: Call, home: Path) -> None:
    code, secret, told = call("create", "siti", "--for", "Grafana")
    assert (code, secret.startswith("detak_"), "shown this once" in told) == (0, True, True)
    with closing(open_store(home / "state", system_clock()())) as store:
        found = store.api_tokens.find(digest(secret.strip()))
    assert found is not None
    listed = call("list")[1]
    assert "Grafana" in listed
    assert "never" in listed
    assert secret.strip() not in listed
    assert call("list", "budi")[1].startswith("No token")
    code, told, _ = call("revoke", found[0].id)
    assert (code, told) == (0, f"{found[0].id}: revoked; it was of siti, for Grafana\n")
    assert call("revoke", found[0].id)[0] == 1
    assert "Grafana" not in call("list")[1]
    assert "revoked by ops" in call("list", "--all")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("agus", "--for", "x"), "There is no such account"),
        (("siti", "--for", "x", "--scope", "approve"), "'approve' is not one of"),
        (("siti", "--for", "x", "--expires", "400d"), "at most 366 days"),
        (("siti",), "--for"),
    ],
)
def test_what_may_not_be_made_is_refused_with_the_reason(call: Call, arguments: tuple[str, ...], said: str) -> None:
    code, out, told = call("create", *arguments)
    assert (code, out) == (2, "")
    assert said in told
