"""What holds between the files of the workspace: versions, pins, the Makefile, the change log, the documents."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINS = sorted((ROOT / "requirements").glob("*.txt"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def project_of(distribution: str) -> dict[str, str]:
    project: dict[str, str] = tomllib.loads((ROOT / distribution / "pyproject.toml").read_text())["project"]
    return project


def targets() -> dict[str, str]:
    """The Makefile's targets for people, and the text that `make help` shows for each."""
    rules = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {name: rest.partition("## ")[2].strip() for name, rest in rules}


def test_the_three_distributions_have_one_version_and_one_licence() -> None:
    projects = [project_of(distribution) for distribution in ("wire", "agent", "collector")]
    assert len({project["version"] for project in projects}) == 1
    assert {project["license"] for project in projects} == {"Apache-2.0"}


def test_the_change_log_speaks_of_the_current_version() -> None:
    version = project_of("agent")["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_every_pin_has_an_exact_version_and_a_hash(path: Path) -> None:
    entries = [
        entry for entry in re.split(r"\n(?=\S)", path.read_text()) if entry.strip() and not entry.startswith("#")
    ]
    assert entries
    loose = [
        entry.partition("\n")[0]
        for entry in entries
        if not re.match(r"[\w.\[\]-]+==\S+", entry) or "--hash=sha256:" not in entry
    ]
    assert not loose


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_no_pin_names_an_address_or_an_option(path: Path) -> None:
    assert "://" not in path.read_text()
    assert not [line for line in path.read_text().splitlines() if line.startswith("-")]


def test_one_library_is_pinned_to_one_version_everywhere() -> None:
    versions: dict[str, set[str]] = {}
    for path in PINS:
        for name, version, condition in re.findall(r"^([\w.-]+)==(\S+)([^\\\n]*)", path.read_text(), re.MULTILINE):
            if "< '3.11'" not in condition:
                versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("distribution", ["wire", "agent", "collector"])
def test_every_library_that_a_distribution_asks_for_is_used(distribution: str) -> None:
    table = tomllib.loads((ROOT / distribution / "pyproject.toml").read_text())["project"]["dependencies"]
    asked = {re.split(r"[^\w-]", entry)[0].replace("-", "_") for entry in table}
    code = "\n".join(path.read_text() for path in (ROOT / distribution / f"detak_{distribution}").rglob("*.py"))
    data_of_the_standard_library = {"tzdata"}
    imported_as = {"argon2_cffi": "argon2", "python_dateutil": "dateutil", "dnspython": "dns", "pillow": "PIL"}
    imported = data_of_the_standard_library | set(re.findall(r"^\s*(?:import|from) (\w+)", code, re.MULTILINE))
    assert {imported_as.get(name, name) for name in asked} <= imported


def test_every_target_of_the_makefile_explains_itself() -> None:
    assert targets()
    assert [name for name, text in targets().items() if not text] == []


def test_every_target_that_is_no_file_is_declared_phony() -> None:
    declared = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(" ".join(declared).split()) == set(targets())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    assert [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()] == []


def test_every_command_line_that_a_document_shows_with_make_exists() -> None:
    named = {name for path in DOCUMENTS for name in re.findall(r"`make ([a-z-]+)", path.read_text())}
    assert named <= set(targets())
