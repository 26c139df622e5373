"""A short run of what `make fuzz` does for long: mutated bytes at the readers, made-up requests at the endpoints."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

BENCH = Path(__file__).parents[2] / "bench"


def told(program: str, *words: str) -> tuple[int, str]:
    command = [sys.executable, str(BENCH / program), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not made for this machine")
def test_no_reader_of_foreign_bytes_fails_on_mutated_ones() -> None:
    code, said = told("fuzz.py", "--inputs", "6000", "--examples", "0", "--jobs", "1")
    assert code == 0, said
    assert " targets=18 faults=0 " in said.splitlines()[-1]


def test_every_answer_is_one_that_the_description_names() -> None:
    code, said = told("fuzz_endpoints.py", "--examples", "8", "--phases", "fuzzing")
    assert code == 0, said
    assert " failures=0 tracebacks=0" in said.splitlines()[-1]
