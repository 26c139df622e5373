"""The whole laboratory: hosts, things, an agent on each node, two collectors; nothing of it is left at the end."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from lab.host import Host, NotDoneError, Program, until
from lab.network import Network
from lab.running import taken_down
from lab.shifting import Clocks, built
from lab.store_servers import StoreServers
from lab.things import HOSTS, NODES, STORE_HOSTS, WITNESS, Pace, Thing, catalogue, things

PROGRAMS = Path(sys.executable).parent
SIDES: Mapping[str, str] = {"dc": "dc0", "drc": "drc0"}
"""The two collectors and their hosts; the first leads."""

BRANCHES = ("edge1", "office1")
PORT = 8000
CRASHING = ("dc2", "drc1", "drc2")
_GROUPS = ("memory", "freezer")


@dataclass
class Lab:
    """What faults are given. `control` is the host that this process itself is on."""

    folder: Path
    pace: Pace
    network: Network
    hosts: Mapping[str, Host]
    store: StoreServers
    """Of the first collector; the second keeps a file."""

    left: ExitStack
    """What has to be undone at the end, whatever happens until then."""

    things: Sequence[Thing] = ()
    certificates: Path = field(default_factory=Path)
    broken: dict[str, ExitStack] = field(default_factory=dict)
    """What faults have left to be mended, by a name of their own."""

    clocks: dict[str, Clocks] = field(default_factory=dict)
    """Of each node's agent."""

    crashes: Iterator[int] = field(default_factory=count)
    """Numbers them."""

    frozen_at: int = 0
    windows: list[tuple[str, int, int]] = field(default_factory=list)
    """Of services, what was excluded beforehand."""

    branches: dict[str, ThreadPoolExecutor] = field(default_factory=dict)
    """A thread on the network of each branch, to ask from there."""

    def thing(self, service: str) -> Thing:
        """The first one of a service."""
        return next(one for one in self.things if one.service == service)

    def program(self, service: str) -> Program:
        """That of the service's thing."""
        thing = self.thing(service)
        assert thing.program is not None
        return self.hosts[thing.target.host].program(thing.program)

    def tell(self, service: str, words: str) -> None:
        """An application, how it is to behave from now on."""
        thing = self.thing(service)
        mode = self.hosts[thing.target.host].folder / f"{thing.program}.mode"
        new = mode.with_suffix(".new")
        new.write_text(f"{words}\n")
        new.replace(mode)

    def is_well(self, service: str) -> bool:
        """Whether it works now, as its users find it: those of a branch from there."""
        if service.startswith("simpul-"):
            return self.hosts[service.removeprefix("simpul-")].is_up
        things = [one for one in self.things if one.service == service]
        if things[0].node in BRANCHES:
            return self.branches[things[0].node].submit(things[0].is_well).result()
        return any(one.is_well() for one in things)

    def seen_from(self, who: str) -> set[str]:
        """The services whose observation suffers if this node's does, or that of all if it is the collectors'."""
        related = {"replica": {"replika"}, "primary": {"basis-data"}, "pair": {"ganda"}}
        if who in related:
            return related[who]
        every = {one.service for one in self.things if who in {"collectors", one.node}}
        return every | {f"simpul-{node}" for node in CRASHING if who in {"collectors", node}}

    def agent(self, node: str) -> Program:
        """The one on a node."""
        return self.hosts[node].program("agent")

    def collector(self, side: str) -> Program:
        """One of the pair."""
        return self.hosts[SIDES[side]].program("collector")

    def boot(self, node: str) -> None:
        """A node, whose new kernel begins at 0 and knows of no time that the one before it stood still."""
        self.clocks[node].booted()
        self.hosts[node].boot()

    def url(self, side: str) -> str:
        """Of a collector."""
        return f"http://{self.network.address(SIDES[side])}:{PORT}"

    def home(self, side: str) -> Path:
        """A collector's folder."""
        return self.hosts[SIDES[side]].folder / "collector"

    def says(self, side: str, *words: str) -> str:
        """What a command of a collector's prints; exit code 1 (bad news) is an answer too."""
        config = self.home(side) / "collector.toml"
        command = [str(PROGRAMS / "detak-collector"), "--config", str(config), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in {0, 1}:
            raise NotDoneError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def laboratory(folder: Path, pace: Pace, more: Callable[[Lab], None] = lambda _: None) -> Iterator[Lab]:
    """All of it, up, enrolled and well. This process is on the host `control` from then on.

    `more` is called before the nodes boot, and may put further programs on them.
    """
    if os.geteuid():
        raise NotDoneError("the laboratory makes network namespaces and mounts: run it as root")
    network = Network(f"lab{os.getpid()}", HOSTS)
    folder.chmod(0o755)
    hosts = {name: Host(name, network, folder / name) for name in HOSTS}
    for host in hosts.values():
        host.folder.mkdir()
    store = StoreServers(*(hosts[name] for name in STORE_HOSTS))
    with taken_down() as left:
        lab = Lab(folder, pace, network, hosts, store, left)
        left.callback(_remove_groups, network.prefix)
        left.callback(network.remove)
        for host in hosts.values():
            left.callback(host.retire)
        network.build()
        network.enter("control")
        for node in BRANCHES:
            branch = ThreadPoolExecutor(1, initializer=network.enter, initargs=(node,))
            lab.branches[node] = left.enter_context(branch)
        _furnish(lab, more)
        yield lab


def _furnish(lab: Lab, more: Callable[[Lab], None]) -> None:
    lab.certificates = lab.folder / "certificates"
    lab.certificates.mkdir()
    lab.things = things(lab.hosts, lab.certificates)
    lab.store.begin()
    for side in SIDES:
        _make_collector(lab, side)
    for side in SIDES:
        lab.hosts[SIDES[side]].boot()
        answers(lab, side)
        if side == "dc":
            words = shlex.split(lab.says("dc", "pair", "token"))
            lab.says("drc", *words[1:])
    library = built(lab.folder)
    for node in NODES:
        lab.clocks[node] = Clocks(library, lab.hosts[node].folder / "clocks")
        _make_agent(lab, node)
    more(lab)
    for node in NODES:
        lab.boot(node)
    for thing in lab.things:
        until(f"{thing.service} works", thing.is_well, 60)


def answers(lab: Lab, side: str, path: str = "/healthz") -> None:
    """Wait until a collector does; at `/readyz` it does while it can store evidence."""

    def is_served() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{lab.url(side)}{path}", timeout=2) as answer:
            return int(answer.status) == 200
        return False

    until(f"collector {side} answers {path}", is_served, 60)


def _make_collector(lab: Lab, side: str) -> None:
    host, home = lab.hosts[SIDES[side]], lab.home(side)
    home.mkdir()
    own = f'store = "{lab.store.url}"' if side == "dc" else f'follow = "{lab.url("dc")}"'
    (home / "collector.toml").write_text(
        f'listen = "{host.address}:{PORT}"\npublic_url = "{lab.url(side)}"\nstate_directory = "state"\n'
        f"allow_plaintext = true\ndown_after_ms = {lab.pace.down_after_ms}\n{own}\n"
    )
    (home / "services.toml").write_text(catalogue(lab.things, CRASHING))
    command = [str(PROGRAMS / "detak-collector"), "--config", str(home / "collector.toml"), "serve"]
    host.programs.append(Program(host, "collector", command))


def _make_agent(lab: Lab, node: str) -> None:
    host, pace = lab.hosts[node], lab.pace
    checks = [(one.service, one.check) for one in lab.things if one.node == node]
    if node in BRANCHES:
        checks.append(("gateway", _ping(lab.network.gateway(node))))
    if node == WITNESS:
        checks += [(f"ping-{one}", _ping(lab.hosts[one].address)) for one in CRASHING]
    tables = "".join(f'[[collector]]\nurl = "{lab.url(side)}"\n' for side in SIDES)
    paced = {"interval_ms": pace.interval_ms, "timeout_ms": pace.timeout_ms}
    for name, check in checks:
        table: dict[str, object] = {"name": name, **check, **paced}
        tables += "[[check]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    config = host.folder / "agent.toml"
    config.write_text(
        f'node = "{node}"\nstate_directory = "{host.folder}/agent"\nallow_plaintext = true\nmetrics_ms = 0\n'
        f"tick_ms = {pace.tick_ms}\nbeat_ms = {pace.beat_ms}\n{tables}"
    )
    for side in SIDES:
        program, *line = shlex.split(lab.says(side, "enroll", node))
        subprocess.run([str(PROGRAMS / program), *line, "--config", str(config)], check=True, capture_output=True)
    manager = _manager(host.folder)
    command = [str(PROGRAMS / "detak-agent"), "run", "--config", str(config)]
    environment = {"PATH": f"{manager}:{os.environ['PATH']}", "NOTIFY_SOCKET": f"{host.folder}/notify"}
    environment |= lab.clocks[node].environment
    host.programs.append(Program(host, "agent", command, environment=environment))


def _ping(address: str) -> Mapping[str, object]:
    return {"kind": "ping", "host": address, "count": 1}


def _manager(folder: Path) -> Path:
    """What a host has for systemctl: it says only whether the host is shutting down."""
    (folder / "manager").write_text("running\n")
    (folder / "bin").mkdir()
    program = folder / "bin/systemctl"
    program.write_text(f'#!/bin/sh\ncat "{folder}/manager"\n')
    program.chmod(0o755)
    return program.parent


def _remove_groups(prefix: str) -> None:
    for kind in _GROUPS:
        for group in Path("/sys/fs/cgroup", kind).glob(f"{prefix}-*"):
            with suppress(OSError):
                group.rmdir()
