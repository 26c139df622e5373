"""Fixtures of the tests of check kinds: real processes that are ended for certain, and certificates."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from agent.checks.check_stage import Certificates, Start, make_certificates
from conftest import program_path


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts real processes, and leaves none behind."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        # What it prints first tells that it runs.
        code = "import time; print('on', flush=True); time.sleep(60)"
        process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))
