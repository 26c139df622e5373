"""What is made from the programs and documents is current and sound: man pages, completion, the reference, the site."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import make_manuals
import pytest

from documentation import ROOT

Require = Callable[[str], str]
MAN = sorted((ROOT / "packaging/man").iterdir())
COMPLETION = ROOT / "packaging/completion"
NO_DATE = "missing date"
"""A page changes only with what it says, so it has no date."""


def output_of(*command: str | Path, **settings: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, **settings)  # type: ignore[call-overload]
    return f"{done.stdout}{done.stderr}"


def test_every_file_that_is_made_is_what_the_programs_and_documents_say_now() -> None:
    made = dict(make_manuals.manuals())
    stale = [path.name for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    assert not stale, f"run `make manuals`: {', '.join(stale)} are not current"
    assert {*MAN, *COMPLETION.iterdir()} == set(made) - {ROOT / "docs/commands.md"}


@pytest.mark.parametrize("page", MAN, ids=lambda page: page.name)
@pytest.mark.peers("mandoc")
def test_a_man_page_is_well_formed(page: Path, require: Require) -> None:
    told = output_of(require("mandoc"), "-T", "lint", "-W", "warning", page)
    assert [line for line in told.splitlines() if NO_DATE not in line] == []


def test_the_pages_say_what_people_look_up() -> None:
    text = (ROOT / "packaging/man/detak-agent.toml.5").read_text(encoding="utf-8")
    assert "journal_max_bytes" in text
    assert "community_file" in text
    collector = (ROOT / "packaging/man/detak-collector.1").read_text(encoding="utf-8")
    assert '.SS "exclude add"' in collector
    assert "\\-\\-document" in collector


@pytest.mark.parametrize(("line", "found"), [("detak-agent di", "discover"), ("detak-agent enroll --ca", "--ca-key")])
def test_completion_of_the_agent_in_bash_knows_commands_and_options(line: str, found: str) -> None:
    asked = f"COMP_WORDS=({line}); COMP_CWORD={line.count(' ')}; _shtab_detak_agent; echo ${{COMPREPLY[@]}}"
    assert found in output_of("bash", "-c", f"source {COMPLETION}/detak-agent.bash; {asked}").split()


def test_completion_of_the_collector_asks_the_program() -> None:
    words = {"_DETAK_COLLECTOR_COMPLETE": "bash_complete", "COMP_WORDS": "detak-collector exclude a", "COMP_CWORD": "2"}
    said = output_of(sys.executable, "-m", "detak_collector", env={**os.environ, **words})
    assert sorted(re.findall(r"plain,(.*)", said)) == ["add", "amend", "approve"]


def test_the_site_is_built_and_no_link_leads_nowhere(tmp_path: Path) -> None:
    said = output_of(sys.executable, ROOT / "packaging/manuals/make_site.py", tmp_path)
    assert said == f"{tmp_path / 'site'}: open index.html in a browser\n"
    for page in ("index.html", "mulai-cepat.html", "checks/snmp.html", "commands.html", "project/CHANGELOG.html"):
        assert "Detak" in (tmp_path / "site" / page).read_text(encoding="utf-8")
    index = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    assert not re.search(r"<(?:script|link|img)[^>]*https?://", index), "a page fetches something from elsewhere"
