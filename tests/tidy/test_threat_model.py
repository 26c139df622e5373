"""Every line of the threat model is held by tests that exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCUMENT = (TESTS.parent / "docs" / "threat-model.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| (\d+) \| (.+) \|$", DOCUMENT, re.MULTILINE)


def test_its_lines_are_numbered() -> None:
    assert [int(number) for number, _ in LINES] == list(range(1, len(LINES) + 1))


@pytest.mark.parametrize(("number", "line"), LINES)
def test_each_line_names_tests_that_exist(number: str, line: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", line)
    assert named, f"line {number} names no test"
    for file, test in named:
        source = (TESTS / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {test}\(", source, re.MULTILINE), f"line {number}: {file} has no {test}"
