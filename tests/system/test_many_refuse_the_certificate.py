"""Dozens of real agents whose collector's certificate is replaced by one that they refuse: one alarm, and no outage."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from installation import DOWN_AFTER_MS, PROGRAMS, service_of, until
from own_authority import OwnAuthority

from certificates import self_signed

pytestmark = pytest.mark.system

NODES = tuple(f"n-{number:02}" for number in range(24))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[OwnAuthority]:
    """Every node enrolled with the same token, as for a roll-out, and each a service of its own."""
    made = OwnAuthority(tmp_path)
    try:
        made.configure("".join(_service(node) for node in NODES))
        made.start_collector()
        program, *line = shlex.split(made.collector_says("enroll", "--count", str(len(NODES))))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda node: _enrol(made, node, [str(PROGRAMS / program), *line]), NODES))
        for node in NODES:
            made.start_agent(node)
        until("all are heard", lambda: heard(made) == len(NODES), 120)
        yield made
    finally:
        made.close()


def _service(node: str) -> str:
    text = service_of(f"{node}/alive")
    return text.replace('id = "s"', f'id = "{node}"').replace('name = "S"', f'name = "{node}"')


def _enrol(made: OwnAuthority, node: str, command: list[str]) -> None:
    home = made.folder / node
    home.mkdir()
    (home / "agent.toml").write_text(
        f'node = "{node}"\nstate_directory = {json.dumps(str(home / "state"))}\nbeat_ms = 1000\n'
        f'[[collector]]\nurl = "{made.url}"\n'
    )
    words = [*command, "--config", str(home / "agent.toml")]
    subprocess.run(words, check=True, capture_output=True, timeout=60)


def heard(made: OwnAuthority) -> int:
    return _number(made, r'^detak_nodes\{state="heard"\} (\d+)')


def presumed(made: OwnAuthority) -> int:
    return _number(made, r'^detak_services\{condition="presumed down"\} (\d+)')


def _number(made: OwnAuthority, pattern: str) -> int:
    found = re.search(pattern, made.get("/metrics"), re.MULTILINE)
    return int(found[1]) if found else 0


def test_it_is_shown_once_and_no_node_is_presumed_down(running: OwnAuthority, require: Callable[[str], str]) -> None:
    until("its address is known", lambda: "127.0.0.1" in running.noted())
    good = running.server_file.read_bytes()
    (running.made / "ca/authority.key").rename(running.folder / "kept apart")
    strange = self_signed(require("openssl"), running.folder / "strange", "127.0.0.1")
    running.server_file.write_bytes(strange.read_bytes() + strange.with_name("key.pem").read_bytes())
    running.signal("collector", signal.SIGTERM)
    running.start_collector()
    until("the page says so", lambda: "refuse this collector" in running.get("/"))
    # Long beyond every node's deadline.
    for _ in range(5):
        time.sleep(DOWN_AFTER_MS / 1_000)
        assert presumed(running) == 0
    told = running.log("collector")
    assert told.count("alarm=certificate-refused") == 1
    assert "outage-begun" not in told
    assert "not heard for more than" not in told

    running.server_file.write_bytes(good)
    until("all are heard again", lambda: heard(running) == len(NODES), 120)
    until("the alarm is over", lambda: "event=alarm-over alarm=certificate-refused" in running.log("collector"))
    assert {node: running.report(node)["counted_ms"] for node in NODES[:3]} == dict.fromkeys(NODES[:3], 0)
    assert "outage-begun" not in running.log("collector")
