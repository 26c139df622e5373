"""Every command line that the document about exclusions shows does what it says, in the order in which it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.commands.late import command_at
from detak_collector.store.sqlite import open_store
from evidence_builders import reading

DOCUMENT = (Path(__file__).parents[3] / "docs" / "exclusions.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"^```\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]
CALENDAR = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:patches\nDTSTART:20260401T150000Z\nDURATION:PT1H\nEND:VEVENT\n"
    "END:VCALENDAR\n"
)
SERVICES = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "impor"
criticality = "sangat kritis"
[[service.group]]
name = "basis data"
category = "database"
members = ["dc-db-01/pg"]
"""


def test_the_commands_of_the_document_work_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    open_store(home / "state", reading(0)).close()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maintenance.ics").write_text(CALENDAR)
    assert len(LINES) == 15
    for line in LINES:
        program, *words = shlex.split(line)
        assert program == "detak-collector"
        code = cli.run(["--config", str(home / "collector.toml"), *words])
        assert code == 0, (line, capsys.readouterr().err)
    capsys.readouterr()
    cli.run(["--config", str(home / "collector.toml"), "exclude", "list", "--all"])
    told = capsys.readouterr().out
    assert [word in told for word in ("withdrawn", "rejected", "approved", "pending")] == [True] * 4
    assert (tmp_path / "exclusions.ics").read_bytes().startswith(b"BEGIN:VCALENDAR")


@pytest.mark.parametrize("command", ["exclude", "declare"])
def test_every_command_and_every_option_of_adding_is_in_the_document(command: str) -> None:
    group = command_at(cli.COMMANDS[command])
    for name, one in group.commands.items():  # type: ignore[attr-defined]
        assert re.search(rf"\b{name}\b", DOCUMENT), name
        for option in (word for each in one.params for word in each.opts if word.startswith("--")):
            assert option in DOCUMENT or option == "--output", (name, option)
