"""A network that is cut between two namespaces and healed: no outage remains."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from installation import DOWN_AFTER_MS, Installation, installation, process_check, service_of, sleeper, until

pytestmark = [pytest.mark.system, pytest.mark.peers("ip")]


class Wire:
    """Two network namespaces joined by a cable that can be pulled out."""

    def __init__(self, ip: str) -> None:
        self._ip = ip
        self.collector, self.node = (f"detak-{side}-{os.getpid()}" for side in ("c", "n"))
        self.collector_address = "10.213.0.1"

    def lay(self, stack: ExitStack) -> None:
        """Make both namespaces and the cable; they go when the stack does."""
        for name in (self.collector, self.node):
            self._run("netns", "add", name)
            stack.callback(self._run, "netns", "del", name)
        self._run(
            "link", "add", "cable", "netns", self.collector, "type", "veth", "peer", "name", "cable", "netns", self.node
        )
        for name, address in ((self.collector, self.collector_address), (self.node, "10.213.0.2")):
            self._run("-n", name, "addr", "add", f"{address}/30", "dev", "cable")
            self._run("-n", name, "link", "set", "lo", "up")
            self._run("-n", name, "link", "set", "cable", "up")

    def inside(self, name: str) -> list[str]:
        """The words that run a command in a namespace."""
        return [self._ip, "netns", "exec", name]

    def pull(self) -> None:
        self._run("-n", self.node, "link", "set", "cable", "down")

    def plug(self) -> None:
        self._run("-n", self.node, "link", "set", "cable", "up")

    def _run(self, *words: str) -> None:
        subprocess.run([self._ip, *words], check=True, capture_output=True, timeout=10)


@pytest.fixture
def cabled(tmp_path: Path, require: Callable[[str], str]) -> Iterator[tuple[Installation, Wire]]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with ExitStack() as stack:
        wire = Wire(require("ip"))
        wire.lay(stack)
        process = sleeper()
        stack.callback(process.wait)
        stack.callback(process.kill)
        pid_file = tmp_path / "app.pid"
        pid_file.write_text(str(process.pid))
        prefix = {"collector": wire.inside(wire.collector), "n": wire.inside(wire.node)}
        made = stack.enter_context(
            installation(tmp_path, service_of("n/app"), host=wire.collector_address, prefix=prefix)
        )
        made.add_agent("n", process_check(pid_file))
        until("the service is up", lambda: made.condition() == "up")
        yield made, wire


def test_a_cut_that_heals_leaves_no_outage(cabled: tuple[Installation, Wire]) -> None:
    made, wire = cabled
    wire.pull()
    until("it is presumed down", lambda: made.condition() == "presumed down")
    time.sleep(DOWN_AFTER_MS / 1_000)
    wire.plug()
    until("the evidence of the cut has arrived", lambda: made.condition() == "up")
    until("all of it", lambda: made.report()["counted_ms"] == 0)
    service = made.report()
    assert not service["outages"]
    print(f"\nafter the cut: counted {service['counted_ms']} ms, possible {service['possible_ms']} ms")


def test_a_report_printed_during_a_cut_is_the_same_again_as_of_then_and_differs_now(
    cabled: tuple[Installation, Wire],
) -> None:
    made, wire = cabled

    def report(*words: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(made.collector_says("report", *period, *words, "--format", "json"))
        return told

    begin = time.time()
    wire.pull()
    until("it is presumed down", lambda: made.condition() == "presumed down")
    period = tuple(word for option, at in (("--from", begin), ("--to", time.time())) for word in (option, instant(at)))
    time.sleep(1.1)
    first = report()
    assert first["figure"]["counted_ms"] > 0
    wire.plug()
    until("the evidence of the cut has arrived", lambda: report()["figure"]["counted_ms"] == 0)
    assert report("--as-of", first["as_of"]) == {**first, "earlier_view": True}
    told = json.loads(made.collector_says("difference", *period, "--since", first["as_of"], "--format", "json"))
    assert [one["change"] for one in told["outages"]] == ["vanished"]


def instant(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
