"""Who a node is to its collector, with real processes: pinned, renewed, revoked, enrolled again, copied."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from installation import PROGRAMS, Installation, installation, process_check, service_of, sleeper, until

from certificates import self_signed

pytestmark = pytest.mark.system


class SecureInstallation(Installation):
    """The same behind TLS with a certificate that no system trusts."""

    certificate: Path

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def secure(self, certificate: Path) -> None:
        """Add [tls] to what `configure` wrote."""
        self.certificate = certificate
        with (self.folder / "collector.toml").open("a") as file:
            key = certificate.with_name("key.pem")
            file.write(f"[tls]\ncertificate = {json.dumps(str(certificate))}\nkey = {json.dumps(str(key))}\n")

    def _is_served(self) -> bool:
        trust = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2, context=trust) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def agent_says(made: Installation, node: str, *words: str) -> str:
    command = [str(PROGRAMS / "detak-agent"), *words, "--config", str(made.folder / node / "agent.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def enrol_again(made: Installation, node: str) -> None:
    """Paste the very line that the collector prints."""
    agent_says(made, node, *shlex.split(made.collector_says("enroll", node))[1:])


def listed(made: Installation, node: str) -> str:
    return next((line for line in made.collector_says("nodes").splitlines() if line.startswith(f"{node} ")), "")


class App:
    """The process that the node's check watches."""

    def __init__(self, folder: Path) -> None:
        self.pid_file = folder / "app.pid"
        self.start()

    def start(self) -> None:
        self.process = sleeper()
        self.pid_file.write_text(str(self.process.pid))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    one = App(tmp_path)
    yield one
    one.kill()


@pytest.fixture
def running(tmp_path: Path, app: App) -> Iterator[Installation]:
    with installation(tmp_path, service_of("n/app")) as made:
        made.add_agent("n", process_check(app.pid_file))
        until("the service is up", lambda: made.condition() == "up")
        yield made


def test_what_a_revoked_node_measured_arrives_once_it_is_enrolled_again(running: Installation, app: App) -> None:
    assert "its key is void" in running.collector_says("revoke", "n")
    until("the agent says so", lambda: "refuses this node's key" in running.log("n"))
    assert " revoked " in listed(running, "n")
    app.kill()
    until("the agent goes on measuring", lambda: "check app: down" in running.log("n"))
    time.sleep(3)
    app.start()
    until("and sees the end", lambda: "check app: up" in running.log("n").partition("check app: down")[2])
    assert running.report()["certain_ms"] == 0
    enrol_again(running, "n")
    until("the node is heard", lambda: " heard " in listed(running, "n"))
    until("the outage is proven", lambda: running.report()["certain_ms"] >= 1_000)
    assert running.log("n").count("refuses this node's key") == 1
    assert "detak-collector enroll" in running.log("n")


def test_a_renewed_key_works_and_the_old_one_does_not(running: Installation) -> None:
    (key,) = (running.folder / "n/state/keys").glob("*.key")
    before = key.read_text().strip()
    assert f"n has a new key with {running.url}\n" in agent_says(running, "n", "renew")
    assert key.read_text().strip() != before

    def status_of_the_old_key() -> int:
        request = urllib.request.Request(
            f"{running.url}/api/v1/renew", b'{"protocol":1,"node":"other"}', {"Authorization": f"Bearer {before}"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        refused.value.close()
        return int(refused.value.code)

    until("the new key is used", lambda: status_of_the_old_key() == 401)
    time.sleep(2.5)
    assert " heard " in listed(running, "n")
    assert "refuses" not in running.log("n")
    # One that is too old is renewed by the running agent itself, once it starts.
    month_ago = time.time() - 31 * 86_400
    os.utime(key, (month_ago, month_ago))
    running.signal("n", signal.SIGTERM)
    running.start_agent("n")
    until("the agent has renewed it", lambda: "this node has a new key" in running.log("n"))
    until("and is heard with it", lambda: " heard " in listed(running, "n"))
    assert "refuses" not in running.log("n")


def test_two_agents_with_one_key_are_told_to_the_operator(running: Installation) -> None:
    running.signal("n", signal.SIGTERM)
    shutil.copytree(running.folder / "n", running.folder / "copy")
    told = running.folder / "copy/agent.toml"
    told.write_text(told.read_text().replace(str(running.folder / "n"), str(running.folder / "copy")))
    for node in ("n", "copy"):
        running.start_agent(node)
    until("the operator sees it", lambda: " two agents " in listed(running, "n"))
    until("the log has it", lambda: "two agents with one identity" in running.log("collector"))

    def page() -> str:
        with urllib.request.urlopen(running.url, timeout=5) as answer:
            return str(answer.read().decode())

    until("the page has it", lambda: "Two agents with one identity: boot " in page())
    assert "from 127.0.0.1" in page()
    time.sleep(3)
    assert running.log("collector").count("two agents with one identity") == 1


def test_the_pasted_line_is_all_that_a_certificate_of_one_s_own_needs(
    tmp_path: Path, app: App, require: Callable[[str], str]
) -> None:
    made = SecureInstallation(tmp_path)
    with ExitStack() as stack:
        stack.callback(made.close)
        made.configure(service_of("n/app"))
        made.secure(self_signed(require("openssl"), tmp_path / "tls", "127.0.0.1"))
        made.start_collector()
        made.add_agent("n", process_check(app.pid_file))
        until("the service is up", lambda: made.condition() == "up")
        assert "; trusts one certificate, sha256:" in agent_says(made, "n", "status")
        self_signed(require("openssl"), tmp_path / "tls", "127.0.0.1")
        made.signal("collector", signal.SIGTERM)
        made.start_collector()
        until("another certificate is not trusted", lambda: "its certificate is another one: met" in made.log("n"))
        enrol_again(made, "n")
        until("the new one is, once it was pasted", lambda: made.condition() == "up")
