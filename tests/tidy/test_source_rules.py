"""The rules of the code that a linter does not know: sizes, docstrings, what no file may contain."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "wire/detak_wire", ROOT / "agent/detak_agent", ROOT / "collector/detak_collector"]
MODULES = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]
MOST_LINES_OF_A_FILE = 350
MOST_LINES_OF_A_FUNCTION = 60

# Written in two pieces, so that this file does not contain what it forbids.
FORBIDDEN = {
    "a note about work left": re.compile(rf"\b({'TO'}DO|{'FIX'}ME|{'X' * 3})\b"),
    "a package registry's address": re.compile(
        rf"pypi\.{'org'}|{'python'}hosted|registry\.{'npm'}js|{'find-'}links|{'index-'}url="
    ),
    "a path of one machine": re.compile(rf"(?<![\w./-])/({'wo'}rk|{'ro'}ot)(/|\b)"),
}


def module_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def project_files() -> list[Path]:
    """What git tracks or would track; without git or a repository, the folders that hold the project."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.decode().split("\0")
    else:
        skipped = {".git", ".venv", "dist", "build", ".demo", "__pycache__"}
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not skipped & set(path.parts)]
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_file_is_small_enough_to_be_read_at_once(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES_OF_A_FILE, f"{module_name(path)} has {lines} lines: split it by idea"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_function_does_one_thing(path: Path) -> None:
    long = [
        f"{module_name(path)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert not long


@pytest.mark.parametrize("path", [path for path in MODULES if path.read_text().strip()], ids=module_name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{module_name(path)} opens without a docstring"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_contains(what: str) -> None:
    pattern = FORBIDDEN[what]
    found = [
        f"{module_name(path)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"{what} in:\n" + "\n".join(found)


def test_no_module_is_a_drawer_for_leftovers() -> None:
    vague = {"utils.py", "util.py", "helpers.py", "helper.py", "misc.py", "common.py"}
    assert not [module_name(path) for path in MODULES if path.name in vague]
