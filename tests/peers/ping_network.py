"""A node and a router in network namespaces of their own, and the check `ping` run on that node."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from detak_agent.checks.base import Outcome
from peers.server_process import until

ROUTER, ROUTER_6 = "10.214.0.1", "fd14::1"
UNREACHABLE, UNREACHABLE_6 = "10.215.0.9", "fd15::9"
"""The router has no way there, and says so."""
BLACK_HOLE, BLACK_HOLE_6 = "10.216.0.9", "fd16::9"
"""The router drops what goes there."""
NO_ROUTE = "10.217.0.9"
"""The node itself has no way there."""

_ASK = """
import asyncio, dataclasses, json, msgspec, sys
from detak_agent.checks.base import CouldNotCheckError, Surroundings
from detak_agent.checks.registry import REGISTRY
kind = REGISTRY["ping"]
deadline_ms, keys = json.loads(sys.argv[1])
settings = msgspec.convert({"name": "asked", "kind": "ping", **keys}, kind.settings)
try:
    outcome = asyncio.run(kind.build(settings, Surroundings()).sample(deadline_ms))
    print(json.dumps(dataclasses.asdict(outcome)))
except CouldNotCheckError as error:
    print(json.dumps({"state": "unknown", "message": str(error)}))
"""


@dataclass(frozen=True)
class Network:
    """The two namespaces, and `ip`."""

    ip: str
    setpriv: str
    node: str
    router: str

    def ping(self, host: str, deadline_ms: int = 1_000, **keys: Any) -> Outcome:
        """One sample, as root and so with CAP_NET_RAW."""
        return self._ask([], host, deadline_ms, keys)

    def ping_without_rights(self, host: str, deadline_ms: int = 1_000, **keys: Any) -> Outcome:
        return self._ask([self.setpriv, "--bounding-set=-net_raw", "--inh-caps=-net_raw"], host, deadline_ms, keys)

    def let_groups_ping(self, first: int, last: int) -> None:
        self.set(self.node, f"net.ipv4.ping_group_range={first} {last}")

    def set(self, namespace: str, setting: str) -> None:
        name, _, value = setting.partition("=")
        command = f'echo "{value}" > /proc/sys/{name.replace(".", "/")}'
        self.run("netns", "exec", namespace, "sh", "-c", command)

    def run(self, *words: str) -> None:
        subprocess.run([self.ip, *words], check=True, capture_output=True, timeout=10)

    def _ask(self, before: list[str], host: str, deadline_ms: int, keys: dict[str, Any]) -> Outcome:
        command = [self.ip, "netns", "exec", self.node, *before, sys.executable, "-c", _ASK]
        command.append(json.dumps([deadline_ms, {"host": host, **keys}]))
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        assert finished.returncode == 0, finished.stderr
        return Outcome(**json.loads(finished.stdout))


@contextlib.contextmanager
def network(ip: str, setpriv: str) -> Iterator[Network]:
    """Both namespaces and what lies between; they are gone at the end."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    made = Network(ip, setpriv, *(f"detak-ping-{side}-{os.getpid()}" for side in ("n", "r")))
    with contextlib.ExitStack() as stack:
        for name in (made.node, made.router):
            made.run("netns", "add", name)
            stack.callback(made.run, "netns", "del", name)
        made.run(
            "link", "add", "cable", "netns", made.node, "type", "veth", "peer", "name", "cable", "netns", made.router
        )
        for name, addresses in (
            (made.node, ("10.214.0.2/24", "fd14::2/64")),
            (made.router, (f"{ROUTER}/24", f"{ROUTER_6}/64")),
        ):
            for address in addresses:
                made.run("-n", name, "addr", "add", address, "dev", "cable", *(["nodad"] if ":" in address else []))
            made.run("-n", name, "link", "set", "lo", "up")
            made.run("-n", name, "link", "set", "cable", "up")
        _routes(made)
        # A new cable loses the first packets of IPv6.
        until(lambda: made.ping(ROUTER_6, 500, count=1).state == "up", lambda: "the router does not answer")
        yield made


def _routes(made: Network) -> None:
    for far, far_6, how in ((UNREACHABLE, UNREACHABLE_6, "unreachable"), (BLACK_HOLE, BLACK_HOLE_6, "blackhole")):
        made.run("-n", made.node, "route", "add", f"{far}/32", "via", ROUTER)
        made.run("-n", made.node, "route", "add", f"{far_6}/128", "via", ROUTER_6)
        made.run("-n", made.router, "route", "add", how, f"{far}/32")
        made.run("-n", made.router, "route", "add", how, f"{far_6}/128")
    # By default a router tells only now and then that there is no way. (Past IPv4's first five times it still does.)
    for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.icmp_ratelimit=0"):
        made.set(made.router, setting)
    made.set(made.router, "net.ipv6.icmp.ratelimit=0")
