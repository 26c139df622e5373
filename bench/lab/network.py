"""The laboratory's network: a namespace for each host, all joined by one router that plays the provider.

Every host has a link of its own to the router, so that whatever goes from one to another passes it and can be lost
there, one way or both, by address or by port. `tc netem` is not needed.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_NAMED = Path("/run/netns")
_FIRST_RULE = 1_000


@dataclass
class Network:
    """The namespaces of one run; `names` are those of its hosts, and their order gives the addresses."""

    prefix: str
    names: Sequence[str]
    _rules: Iterator[int] = field(default_factory=lambda: itertools.count(_FIRST_RULE))

    def address(self, name: str) -> str:
        """Where a host is found by all the others."""
        return f"10.77.{self.names.index(name) + 1}.2"

    def gateway(self, name: str) -> str:
        """The router, as this host sees it."""
        return f"10.77.{self.names.index(name) + 1}.1"

    def namespace(self, name: str) -> str:
        """What `ip netns` calls it."""
        return f"{self.prefix}-{name}"

    def path(self, name: str) -> Path:
        """Where its namespace is found."""
        return _NAMED / self.namespace(name)

    def build(self) -> None:
        """All of it, without any process."""
        _ip("netns", "add", self._router)
        _ip("-n", self._router, "link", "set", "lo", "up")
        _in(self._router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for number, name in enumerate(self.names, 1):
            mine, its = self.namespace(name), f"to{number}"
            _ip("netns", "add", mine)
            _ip("-n", self._router, "link", "add", its, "type", "veth", "peer", "name", "eth0", "netns", mine)
            _ip("-n", self._router, "address", "add", f"{self.gateway(name)}/30", "dev", its)
            _ip("-n", self._router, "link", "set", its, "up")
            _ip("-n", mine, "address", "add", f"{self.address(name)}/30", "dev", "eth0")
            _ip("-n", mine, "link", "set", "lo", "up")
            _ip("-n", mine, "link", "set", "eth0", "up")
            _ip("-n", mine, "route", "add", "default", "via", self.gateway(name))

    def remove(self) -> None:
        """Whatever there is of it, and whatever still runs there but this process."""
        for name in (*map(self.namespace, self.names), self._router):
            for pid in _within(name) - {os.getpid()}:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def enter(self, name: str) -> None:
        """From now on this thread, and what it starts, is on the network as this host."""
        library = ctypes.CDLL(None, use_errno=True)
        with self.path(name).open("rb") as file:
            if library.setns(file.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"{name}: setns failed")

    @contextmanager
    def lost(self, *ways: tuple[str, str], port: int = 0, of_source: bool = False) -> Iterator[None]:
        """What goes from the one to the other is lost: all of it, or what goes to (or comes from) a TCP port."""
        added: list[int] = []
        try:
            for since, to in ways:
                number = next(self._rules)
                self._rule("add", number, since, to, port=port, of_source=of_source)
                added.append(number)
            yield
        finally:
            for number in added:
                _ip("-n", self._router, "rule", "del", "priority", str(number))

    @contextmanager
    def cable_pulled(self, name: str) -> Iterator[None]:
        """The host has no network at all, and sees that."""
        self.unplug(name)
        try:
            yield
        finally:
            self.plug(name)

    def unplug(self, name: str) -> None:
        """From now on nothing reaches the host, nor answers in its name."""
        self._link(name, "down")

    def plug(self, name: str) -> None:
        """The opposite."""
        self._link(name, "up")

    def _link(self, name: str, state: str) -> None:
        _ip("-n", self._router, "link", "set", f"to{self.names.index(name) + 1}", state)

    def between(self, *, these: Sequence[str], those: Sequence[str]) -> list[tuple[str, str]]:
        """Both ways between each of these and each of those."""
        return [way for one in these for other in those for way in ((one, other), (other, one))]

    def _rule(self, verb: str, number: int, since: str, to: str, *, port: int, of_source: bool) -> None:
        words = ["priority", str(number), "from", self.address(since), "to", self.address(to)]
        if port:
            words += ["ipproto", "tcp", "sport" if of_source else "dport", str(port)]
        _ip("-n", self._router, "rule", verb, *words, "blackhole")

    @property
    def _router(self) -> str:
        return f"{self.prefix}-router"


def left_behind(prefix: str) -> list[str]:
    """The namespaces that a run with this prefix has not removed."""
    with suppress(FileNotFoundError):
        return sorted(one for one in os.listdir(_NAMED) if one.startswith(f"{prefix}-"))  # noqa: PTH208 - names only
    return []


def _within(namespace: str) -> set[int]:
    said = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
    return set(map(int, said.stdout.split()))


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _in(namespace: str, *words: str) -> None:
    _ip("netns", "exec", namespace, *words)
