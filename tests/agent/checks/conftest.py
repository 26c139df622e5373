"""Fixtures of the tests of check kinds: real processes that are ended for certain, and certificates by openssl."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from agent.checks.check_stage import Certificates, Start
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
    openssl = program_path("openssl")
    made = Certificates(tmp_path_factory.mktemp("certificates"))

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=made.folder, check=True, capture_output=True)

    run("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "key.pem")
    run(
        "req",
        "-x509",
        "-new",
        "-key",
        "key.pem",
        "-subj",
        "/CN=test authority",
        "-days",
        "3650",
        "-out",
        "authority.pem",
    )
    own = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    run(
        "req",
        "-x509",
        "-new",
        "-key",
        "key.pem",
        "-subj",
        "/CN=own",
        "-days",
        "90",
        "-addext",
        own,
        "-out",
        "self-signed.pem",
    )
    run("req", "-new", "-key", "key.pem", "-subj", "/CN=localhost", "-out", "request.pem")
    for name, days, names in (
        ("good", "365", "DNS:localhost,IP:127.0.0.1"),
        ("soon", "5", "DNS:localhost,IP:127.0.0.1"),
        ("far", "18250", "DNS:localhost,IP:127.0.0.1"),
        ("expired", "-1", "DNS:localhost,IP:127.0.0.1"),
        ("other-name", "365", "DNS:other.example"),
    ):
        (made.folder / "names.txt").write_text(f"subjectAltName={names}\n")
        run("x509", "-req", "-in", "request.pem", "-CA", "authority.pem", "-CAkey", "key.pem", "-CAcreateserial",
            "-days", days, "-extfile", "names.txt", "-out", f"{name}.pem")  # fmt: skip
    return made
