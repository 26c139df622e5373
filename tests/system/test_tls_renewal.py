"""Certificates that are renewed, rolled over and refused under real agents: no beat is lost and no outage made up."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installation import process_check, service_of, sleeper, until
from own_authority import OwnAuthority

from certificates import self_signed

pytestmark = pytest.mark.system


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Path]:
    process = sleeper()
    pid_file = tmp_path / "app.pid"
    pid_file.write_text(str(process.pid))
    yield pid_file
    process.kill()
    process.wait()


@pytest.fixture
def running(tmp_path: Path, app: Path) -> Iterator[OwnAuthority]:
    made = OwnAuthority(tmp_path)
    try:
        made.configure(service_of("n/app"))
        made.start_collector()
        made.add_agent("n", process_check(app))
        until("the service is up", lambda: made.condition() == "up")
        yield made
    finally:
        made.close()


def heard(made: OwnAuthority, node: str) -> bool:
    return any(line.startswith(f"{node} ") and " heard " in line for line in made.collector_says("nodes").splitlines())


def test_a_renewed_certificate_is_served_without_closing_a_connection(running: OwnAuthority) -> None:
    assert "renewed for 127.0.0.1, localhost" in running.certificate("renew")
    assert running.log("collector").count("certificate taken") == 1
    running.certificate("renew")
    assert running.condition() == "up"
    assert heard(running, "n")
    # Its one connection went on, under a certificate that is not served any more.
    assert "WARNING" not in running.log("n")
    assert running.report()["counted_ms"] == 0


def test_a_pair_that_is_wrong_is_refused_whole_and_said(running: OwnAuthority) -> None:
    before = running.served()
    whole = running.server_file.read_bytes()
    other = running.folder / "other"
    running.collector_says("init", str(other), "--name", "127.0.0.1")
    key = (other / "tls/server.pem").read_bytes().partition(b"-----BEGIN PRIVATE")[2]
    running.server_file.write_bytes(whole.partition(b"-----BEGIN PRIVATE")[0] + b"-----BEGIN PRIVATE" + key)
    until("it says so", lambda: "the key does not belong to the certificate" in running.log("collector"))
    assert running.served() == before
    running.server_file.write_bytes(b"nothing")
    running.signal("collector", signal.SIGHUP)
    until("it says so again", lambda: running.log("collector").count("certificate not taken") == 2)
    assert running.served() == before
    running.server_file.write_bytes(whole)
    running.certificate("renew")
    assert heard(running, "n")


def test_a_roll_over_of_the_authority_needs_nothing_on_any_node(running: OwnAuthority, app: Path) -> None:
    (first,) = running.pinned("n")
    running.add_agent("late", process_check(app))
    running.signal("late", signal.SIGTERM)
    running.certificate("next-authority")
    running.signal("n", signal.SIGTERM)
    running.start_agent("n")
    until("the agent knows both", lambda: len(running.pinned("n")) == 2)
    assert first in running.pinned("n")
    assert running.agent_says("n", "status").count("sha256:") == 2
    running.certificate("roll-over")
    # One that knows the former authority only is let in by what that one says of the next.
    assert running.pinned("late") == [first]
    for node in ("n", "late"):
        if node == "n":
            running.signal(node, signal.SIGTERM)
        running.start_agent(node)
    until("both are heard", lambda: heard(running, "n") and heard(running, "late"))
    until("and the late one has learned", lambda: len(running.pinned("late")) == 2)
    running.certificate("retire-former")
    for node in ("n", "late"):
        running.signal(node, signal.SIGTERM)
        running.start_agent(node)
    until("they trust the next one alone", lambda: all(first not in running.pinned(one) for one in ("n", "late")))
    until("both are heard", lambda: heard(running, "n") and heard(running, "late"))
    for node in ("n", "late"):
        assert "certificate" not in running.log(node).replace("certificate authority", "")


def test_a_certificate_that_agents_refuse_is_shown_and_nothing_is_presumed(
    running: OwnAuthority, require: Callable[[str], str]
) -> None:
    good = running.server_file.read_bytes()
    until("its address is known", lambda: "127.0.0.1" in running.noted())
    (running.made / "ca/authority.key").rename(running.folder / "kept apart")
    strange = self_signed(require("openssl"), running.folder / "strange", "127.0.0.1")
    running.server_file.write_bytes(strange.read_bytes() + strange.with_name("key.pem").read_bytes())
    running.signal("collector", signal.SIGTERM)
    running.start_collector()
    until("the agent says so", lambda: "its certificate is refused" in running.log("n"))
    until("the collector says so", lambda: "the certificate is refused by 127.0.0.1" in running.log("collector"))
    until("the command says so", lambda: "refused by 127.0.0.1" in running.collector_says_all("certificate", "show"))
    until("the page says so", lambda: "refuse this collector" in running.get("/"))
    for _ in range(5):
        time.sleep(1)
        assert running.condition() != "presumed down"
    assert "NOT CONNECTED: its certificate is refused" in running.agent_says("n", "status")
    running.server_file.write_bytes(good)
    until("the agent is heard again", lambda: "answers again" in running.log("n"))
    until("and it is up", lambda: running.condition() == "up")
    report = running.report()
    assert report["counted_ms"] == report["certain_ms"] == 0
    told = running.log("collector")
    assert "not heard for more than" not in told
    assert "is down" not in told
    assert "NOT CONNECTED" not in running.agent_says("n", "status")
